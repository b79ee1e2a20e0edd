// The hooks of a fleet, each made ready when it is needed: paths made absolute, references resolved. Failures name the
// reference; no value, and no part of one, is in a message.

import { hookPresets, refuseHookUrl } from '../contract/fleet-hooks.ts';
import { type HookKind, hookKinds } from '../contract/hooks.ts';
import { describeSecretRef, type SecretRef } from '../contract/secret-ref.ts';
import { Failure } from '../domain/failure.ts';
import type { FleetFile } from './fleet-file.ts';
import { resolvePath } from './private-path.ts';
import { resolveSecret } from './resolve-secret.ts';

type Variables = Readonly<Record<string, string>>;

/** A hook as src/hook takes it. It holds secrets: never to be written anywhere. */
interface ResolvedHook {
  readonly call:
    | {
        readonly way: 'command';
        readonly argv: readonly [string, ...string[]];
        readonly cwd: string;
        readonly env: Variables;
      }
    | { readonly way: 'http'; readonly url: string; readonly headers: Variables };
  /** All that was resolved: no answer may hold one of them. */
  readonly secrets: readonly string[];
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

export function configuredHooks({ fleet }: FleetFile): readonly HookKind[] {
  return hookKinds.filter((kind) => fleet.hooks[kind] !== undefined);
}

/**
 * Undefined when the fleet file has none of that kind.
 * @throws Failure SecretUnavailable
 */
export async function resolveHook(file: FleetFile, kind: HookKind): Promise<ResolvedHook | undefined> {
  const hook = file.fleet.hooks[kind];
  if (hook === undefined) return undefined;
  const { baseDir } = file;
  const secrets: string[] = [];
  const resolve = async (value: string | SecretRef): Promise<string> => {
    if (typeof value === 'string') return value;
    const text = (await resolveSecret(value, baseDir)).toString('utf8');
    secrets.push(text);
    return text;
  };
  const { timeoutMs, attempts } = hookPresets[kind];
  const call = await callOf(hook, baseDir, resolve);
  return { call, secrets, timeoutMs: hook.timeout ?? timeoutMs, attempts: hook.attempts ?? attempts };
}

type Resolve = (value: string | SecretRef) => Promise<string>;
type Hook = NonNullable<FleetFile['fleet']['hooks'][HookKind]>;

async function callOf({ command, env, http }: Hook, baseDir: string, resolve: Resolve): Promise<ResolvedHook['call']> {
  if (http !== undefined) {
    const url = await resolve(http.url);
    const headers = await resolveAll(http.headers ?? {}, resolve);
    requireUrl(http.url, url);
    requireHeaders(http.headers ?? {}, headers);
    return { way: 'http', url, headers };
  }
  const [program = '', ...args] = command ?? [];
  return {
    way: 'command',
    argv: [resolvePath(baseDir, program), ...args],
    cwd: baseDir,
    env: { ...inherited(), ...(await resolveAll(env ?? {}, resolve)) },
  };
}

async function resolveAll(values: Readonly<Record<string, string | SecretRef>>, resolve: Resolve): Promise<Variables> {
  const resolved: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) resolved[name] = await resolve(value);
  return resolved;
}

/** The worker's own environment holds the secrets of the fleet: a hook gets three plain variables of it. */
function inherited(): Variables {
  return Object.fromEntries(
    ['PATH', 'HOME', 'LANG'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function unfit(ref: string | SecretRef, reason: string): Failure {
  const name = typeof ref === 'string' ? 'of the fleet file' : `of ${describeSecretRef(ref)}`;
  return new Failure('SecretUnavailable', `the value ${name} does not fit: ${reason}`);
}

function requireUrl(ref: string | SecretRef, url: string): void {
  const refusal = refuseHookUrl(url);
  if (refusal !== undefined) throw unfit(ref, refusal);
}

function requireHeaders(refs: Readonly<Record<string, string | SecretRef>>, headers: Variables): void {
  for (const [name, value] of Object.entries(headers))
    if (!/^[\x20-\x7e]*$/.test(value))
      throw unfit(refs[name] ?? '', `header ${name} takes one line of plain characters`);
}
