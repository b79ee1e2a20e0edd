// Runs a hook of the fleet file. Its secrets are resolved here, for each call anew, and end with it: neither Temporal, nor
// a log, nor a failure holds one. Attempts are counted here; Temporal's own are for workers that die.

import { type HookAnswer, type HookKind, hookInputs, type HookRequest } from '../../contract/hooks.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { callHttp } from '../../hook/call-http.ts';
import type { CommandCall, HookOutcome, HookQuestion, HttpCall } from '../../hook/hook-call.ts';
import { runCommand } from '../../hook/run-command.ts';
import { pause } from '../../lane/pause.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { activity } from '../step.ts';
import { invalid, readHookAnswer } from './hook-answer.ts';

export function describeHooksStep({ fleet, hooks }: Deps): VaultSteps['describeHooks'] {
  return activity(async ({ fleetDigest = fleet.digest }) => {
    requireDigest(fleet, fleetDigest, { fleet: fleet.name });
    return { kinds: hooks.kinds };
  });
}

export function runHookStep({ fleet, hooks }: Deps): VaultSteps['runHook'] {
  const step = activity<HookRequest, HookAnswer<HookKind>>(
    async ({ hook, fleetDigest = fleet.digest, key, input }, { signal }) => {
      requireDigest(fleet, fleetDigest, { fleet: fleet.name });
      const body = JSON.stringify({ hook, fleet: fleet.name, key, ...checked(hook, input) });
      const resolved = await hooks.resolve(hook);
      if (resolved === undefined) throw missing(hook);
      const { call, secrets, timeoutMs, attempts } = resolved;
      const bytes = await answerOf(hook, attempts, signal, () => ask(call, { body, key, timeoutMs, signal }));
      return readHookAnswer(hook, bytes, secrets);
    },
  );
  return step as VaultSteps['runHook'];
}

function checked(hook: HookKind, input: unknown): object {
  const parsed = hookInputs[hook].safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path }) => path.map(String).join('.') || 'the input');
  throw new Failure('InvalidInput', `the hook ${hook} cannot be told this: ${fields.join(', ')}`, {
    field: `hooks.${hook}`,
  });
}

function missing(hook: HookKind): Failure {
  return new Failure('HookMissing', `fleet.yaml has no hooks.${hook}`, { field: `hooks.${hook}` });
}

function ask(call: CommandCall | HttpCall, question: HookQuestion): Promise<HookOutcome> {
  return call.way === 'command' ? runCommand(call, question) : callHttp(call, question);
}

async function answerOf(
  hook: HookKind,
  attempts: number,
  signal: AbortSignal,
  attempt: () => Promise<HookOutcome>,
): Promise<Buffer> {
  for (let tried = 1; ; tried += 1) {
    const outcome = await attempt();
    if (outcome.kind === 'answer') return outcome.bytes;
    if (outcome.kind === 'too-large') throw invalid(hook, `it is larger than ${limits.hookAnswerBytes} bytes`);
    if (!outcome.again || tried >= attempts) {
      const times = tried === 1 ? '' : ` in the last of ${tried} attempts`;
      throw new Failure('HookFailed', `the hook ${hook} ${outcome.reason}${times}`, { field: `hooks.${hook}` });
    }
    await pause(limits.hookPauseMs * 2 ** (tried - 1), signal);
  }
}
