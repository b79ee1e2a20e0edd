// From one look at the fleet, and what the run before remembered, to what is to be opened and what has cleared. Pure. What
// was remembered too long ago, or not at all, starts over: a signal needs its whole time under the watch's eyes.

import { limits } from './limits.ts';
import { findSignals } from './signal-findings.ts';
import {
  type FleetSample,
  type Finding,
  isCutOff,
  type SignalMemory,
  type SignalRules,
  type Verdict,
  type WatchMemory,
} from './signals.ts';

/** @param earlier what the last run remembered; undefined: there was none, or it cannot be read */
export function judgeSignals(rules: SignalRules, sample: FleetSample, earlier: WatchMemory | undefined): Verdict {
  const before = stillKnown(sample.atMs, earlier);
  if (isCutOff(sample)) return cutOff(sample.atMs, before);
  const raised = new Set(before.signals.filter(({ cleared }) => cleared !== true).map(keyOf));
  const { looked, findings } = findSignals(rules, sample, before, (of) => raised.has(keyOf(of)));
  const present: Finding[] = [];
  const open: Finding[] = [];
  const cleared: Verdict['cleared'][number][] = [];
  const signals: SignalMemory[] = [];
  const known = new Map(before.signals.map((signal) => [keyOf(signal), signal]));
  const seen = new Map(findings.map((finding) => [keyOf(finding), finding]));
  for (const key of [...new Set([...known.keys(), ...seen.keys()])].toSorted()) {
    const was = known.get(key);
    const finding = seen.get(key);
    const now = next(rules, sample.atMs, was, finding);
    if (now === undefined) continue;
    if (now.cleared !== true && now.goneSinceMs === undefined && finding)
      present.push({ ...finding, sinceMs: now.sinceMs });
    if (now.cleared === true && was?.cleared !== true)
      cleared.push({ scenario: now.scenario, subject: now.subject, sinceMs: now.sinceMs });
    const opens = finding?.state === 'on' && mayOpen(rules, sample.atMs, now);
    if (opens) open.push({ ...finding, sinceMs: now.sinceMs });
    signals.push(opens ? { ...now, openedAtMs: sample.atMs } : now);
  }
  const memory = { format: 1, atMs: sample.atMs, ...looked, signals: signals.slice(0, limits.watchSignals) } as const;
  return { memory, present, open, cleared, cutOff: false };
}

function keyOf({ scenario, subject }: Pick<Finding, 'scenario' | 'subject'>): string {
  return `${scenario} ${subject}`;
}

/** Incidents that go on: until one is opened again for the same signal is counted from when it was seen last. */
export function seenOpen(
  earlier: WatchMemory,
  atMs: number,
  isOpen: (of: Pick<SignalMemory, 'scenario' | 'subject'>) => boolean,
): WatchMemory {
  const signals = earlier.signals.map((signal) => (isOpen(signal) ? { ...signal, openedAtMs: atMs } : signal));
  return { ...earlier, signals };
}

/** Timers count only what was looked at without a gap; which incidents were opened is known longer. */
function stillKnown(atMs: number, earlier: WatchMemory | undefined): WatchMemory {
  const nothing = { format: 1, atMs, lanes: {}, hosts: {}, regions: {}, signals: [] } as const;
  if (earlier === undefined || earlier.atMs > atMs) return nothing;
  return atMs - earlier.atMs <= limits.watchGapMs ? earlier : { ...nothing, signals: earlier.signals };
}

function cutOff(atMs: number, before: WatchMemory): Verdict {
  const memory = { format: 1, atMs, lanes: {}, hosts: {}, regions: {}, signals: before.signals } as const;
  return { memory, present: [], open: [], cleared: [], cutOff: true };
}

function mayOpen({ againMs }: SignalRules, atMs: number, { openedAtMs }: SignalMemory): boolean {
  return openedAtMs === undefined || atMs - openedAtMs >= againMs;
}

/** One signal a look later; undefined: it is nothing any more. */
function next(
  rules: SignalRules,
  atMs: number,
  was: SignalMemory | undefined,
  finding: Finding | undefined,
): SignalMemory | undefined {
  if (finding?.state === 'on') {
    const { scenario, subject } = finding;
    const opened = was?.openedAtMs === undefined ? {} : { openedAtMs: was.openedAtMs };
    return { scenario, subject, sinceMs: was && was.cleared !== true ? was.sinceMs : finding.sinceMs, ...opened };
  }
  if (was === undefined) return undefined;
  if (was.cleared === true) return mayOpen(rules, atMs, was) ? undefined : was;
  // a subject that is no longer in the fleet is gone for good
  if (finding?.state === 'held') return was;
  const goneSinceMs = was.goneSinceMs ?? atMs;
  return atMs - goneSinceMs >= rules.clearMs ? { ...was, goneSinceMs, cleared: true } : { ...was, goneSinceMs };
}
