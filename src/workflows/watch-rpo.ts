// A short run every ten minutes, by a schedule of its own: are the newest captures in the stores as young as they are to
// be? It is no part of the watch over hosts, so that a slow store never delays the settling of a lane. What it remembers is
// its result; what could not be told is told by the next run.

import { isCancellation, log, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { searchAttributes } from '../contract/names.ts';
import { type RpoLook, RpoMemories, WatchRpoInput, type WatchRpoResult } from '../contract/rpo.ts';
import { formatDuration } from '../domain/quantity.ts';
import { judgeRpo, type RpoMemory, type RpoNews, type RpoVerdict } from '../domain/rpo.ts';
import { asOwnFailure, codeOf } from './failures.ts';
import { parseInput } from './input.ts';
import { hooks, vault } from './steps.ts';

const runbook = 'docs/schedules.md';

export async function watchRpo(raw: unknown): Promise<WatchRpoResult> {
  parseInput(WatchRpoInput, raw ?? {});
  const look = await vault.lookAtRpo({}).catch((error: unknown) => {
    throw asOwnFailure(error);
  });
  const verdicts = judgeRpo(look.rules, look.sights, remembered(), Date.now());
  const told = await tellAll(look, verdicts);
  const missed = verdicts.filter(({ late }) => late === true).map(nameOf);
  upsertSearchAttributes([{ key: searchAttributes.verdict, value: missed.length > 0 ? 'rpo-missed' : 'ok' }]);
  return { missed, ...told, unseen: look.unseen };
}

function remembered(): readonly RpoMemory[] {
  const { lastResult } = workflowInfo();
  const memory = (lastResult as { readonly memory?: unknown } | undefined)?.memory;
  return RpoMemories.safeParse(memory).data ?? [];
}

/** One after the other: there is one hook, and a missed objective is no matter of seconds. */
async function tellAll(
  look: RpoLook,
  verdicts: readonly RpoVerdict[],
): Promise<Pick<WatchRpoResult, 'told' | 'untold' | 'memory'>> {
  const [told, untold]: string[][] = [[], []];
  const memory: (RpoMemory | undefined)[] = [];
  for (const verdict of verdicts) {
    const { news, before, after } = verdict;
    const code = news === null ? null : await tell(look, verdict, news);
    memory.push(code === null ? after : before);
    if (news === null) continue;
    if (code === null) told?.push(`${nameOf(verdict)}: ${news}`);
    else untold?.push(`${nameOf(verdict)}: ${news} (${code})`);
  }
  return { told: told ?? [], untold: untold ?? [], memory: memory.filter((one) => one !== undefined) };
}

function nameOf({ after, before }: RpoVerdict): string {
  const of = after ?? before;
  return `${of?.lane} class ${of?.dataClass}`;
}

/** Without an alert hook the log and this run's result say it. @returns the code of what kept it from being told, or null */
async function tell({ fleet, alerts }: RpoLook, verdict: RpoVerdict, news: RpoNews): Promise<string | null> {
  const { sinceMs, before, after } = verdict;
  const subject = nameOf(verdict);
  const message = textOf(verdict, news);
  log.warn(message, { code: 'RpoMissed', subject, news });
  if (!alerts) return null;
  const isOver = news === 'met again' || news === 'no longer watched';
  const count = isOver ? `over-${before?.toldAtMs}` : `${after?.told}`;
  try {
    await hooks.runHook({
      hook: 'alert',
      key: `rpo/${fleet}/${subject.replaceAll(' ', '-')}/${after?.fromMs ?? before?.fromMs}/${count}`,
      input: {
        severity: isOver ? 'resolved' : 'critical',
        code: 'RpoMissed',
        subject,
        message,
        since: new Date(sinceMs).toISOString(),
        runbook,
      },
    });
    return null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return codeOf(error) ?? 'Unexpected';
  }
}

function textOf(verdict: RpoVerdict, news: RpoNews): string {
  const what = `the recovery point objective of ${nameOf(verdict)}`;
  if (news === 'no longer watched') return `${what} is no longer watched: the lane or its schedule is gone`;
  if (news === 'met again') return `${what} is met again`;
  const from = new Date(verdict.after?.fromMs ?? 0).toISOString();
  const age = formatDuration(Date.now() - (verdict.after?.fromMs ?? 0));
  return `${what} is ${news}: no good bundle is newer than ${from} (${age} ago)`;
}
