// The 7-day gate before a monthly rent is signed (procedure, "The 7-day gate"): its table, and its pure rules. When a day
// begins is calendar arithmetic, and not here (calendar.ts).

import { gateLimits } from './gate-limits.ts';
import { limits } from './limits.ts';
import { formatBytes, formatDuration } from './quantity.ts';

const dayMs = 24 * 3600 * 1000;

/** Day 0 is the look before day 1. */
export interface GateDayPlan {
  readonly day: number;
  readonly action: string;
  readonly passes: string;
}

/** Rows as the procedure has them. */
export const gateTable: readonly GateDayPlan[] = [
  {
    day: 0,
    action: 'readiness',
    passes: 'OpenClaw is installed and answers; memory and disk are inside their budgets; workers and keys are there',
  },
  {
    day: 1,
    action: 'daily tier A enabled, and run once',
    passes: 'the archive is off-host and its checksum logged on the node',
  },
  { day: 2, action: 'first 72-hour guardrails', passes: 'disk watermarks are stable' },
  {
    day: 3,
    action: 'simulated restore into /tmp/restore-test',
    passes: 'the configuration parses, each secret opens',
  },
  { day: 4, action: 'full tier B', passes: 'it completes in under 60 minutes' },
  { day: 5, action: 'live restore drill', passes: 'health 200, test message answered, under 90 minutes' },
  { day: 6, action: 'tier C of all lanes in parallel', passes: "every lane's archive is distinct" },
  { day: 7, action: 'RTO/RPO receipt signed', passes: 'somebody signs: the rent may go monthly' },
];

export const lastGateDay = 7;
/** The day whose verdict comes days after it began, and holds up the signature alone. */
export const guardrailDay = 2;

export const gateDayStates = ['waiting', 'running', 'passed', 'failed', 'not-applicable'] as const;
export type GateDayState = (typeof gateDayStates)[number];

export const gatePhases = ['running', 'signed', 'abandoned', 'cancelled'] as const;
export type GatePhase = (typeof gatePhases)[number];

interface DayStanding {
  readonly day: number;
  readonly state: GateDayState;
}

/**
 * Why it may not be signed now; undefined when it may: never early, never over a failed day.
 * @param rows of all days, 0 to 7
 */
export function signingFault(rows: readonly DayStanding[]): string | undefined {
  const failed = rows.filter(({ state }) => state === 'failed');
  if (failed.length > 0) return `${daysText(failed)} failed`;
  const open = rows.filter(
    ({ day, state }) => day < lastGateDay && state !== 'passed' && !(state === 'not-applicable' && day === 6),
  );
  if (open.length > 0) return `${daysText(open)} ${open.length === 1 ? 'has' : 'have'} not passed yet`;
  if (rows.find(({ day }) => day === lastGateDay)?.state !== 'running') return 'day 7 has not begun';
  return undefined;
}

function daysText(rows: readonly DayStanding[]): string {
  return `day${rows.length === 1 ? '' : 's'} ${rows.map(({ day }) => day).join(', ')}`;
}

/** What a gate is of. Another one has to show all of it anew. */
export interface GateIdentity {
  readonly host: string;
  readonly hostKey: string;
  readonly lanes: readonly { readonly lane: string; readonly openclaw: string | null }[];
}

/** What has changed since the gate began, in words; undefined when nothing that counts has. */
export function identityChange(before: GateIdentity, now: GateIdentity): string | undefined {
  if (before.hostKey !== now.hostKey) return `host ${now.host} is another machine: its host key has changed`;
  const names = ({ lanes }: GateIdentity): string => lanes.map(({ lane }) => lane).join(', ');
  if (names(before) !== names(now)) return `the lanes were ${names(before)}, and are ${names(now)}`;
  const updated = now.lanes.find(({ lane, openclaw }) => versionIn(before, lane) !== openclaw);
  if (updated === undefined) return undefined;
  const was = versionIn(before, updated.lane) ?? 'unknown';
  return `OpenClaw of ${updated.lane} was ${was}, and is ${updated.openclaw ?? 'unknown'}`;
}

function versionIn({ lanes }: GateIdentity, name: string): string | null | undefined {
  return lanes.find(({ lane }) => lane === name)?.openclaw;
}

/** How often the disk is looked at, for how long, and for how long its trend must hold. */
export interface GuardrailPlan {
  readonly everyMs: number;
  readonly windowMs: number;
  readonly aheadMs: number;
  /** Of a demonstration: worker and server are killed under it, and looks that were missed are told, not held against it. */
  readonly missingAllowed: boolean;
}

/**
 * The procedure's first 72 hours, at 15 minutes, and 7 days ahead; of a demonstration three of its short days.
 * @param dayLengthMs null: the calendar's days
 */
export function guardrailPlan(dayLengthMs: number | null): GuardrailPlan {
  const ofDay = dayLengthMs ?? dayMs;
  return {
    everyMs: dayLengthMs === null ? gateLimits.sampleMs : Math.max(Math.ceil(dayLengthMs / 8), 1000),
    windowMs: 3 * ofDay,
    aheadMs: 7 * ofDay,
    missingAllowed: dayLengthMs !== null,
  };
}

/** How many looks a window has. */
export function samplesExpected({ everyMs, windowMs }: GuardrailPlan): number {
  return Math.max(Math.floor(windowMs / everyMs), 1);
}

/** Of the fullest volume of the host's lanes, per mille by slot; null where there was no answer. */
export type DiskSamples = readonly (number | null)[];

export interface GuardrailVerdict {
  readonly ok: boolean;
  /** What was seen, whatever the verdict. */
  readonly evidence: readonly string[];
  /** What is wrong, and what to change by how much; empty when it is in order. */
  readonly advice: readonly string[];
}

const percent = (permille: number): string => `${(permille / 10).toFixed(1)} %`;

/**
 * Judges a whole window. No look at 80 % or more, the trend under 90 % for seven more days, at most a tenth missing.
 * @param totalBytes of the volume, for the advice
 */
export function judgeGuardrails(plan: GuardrailPlan, samples: DiskSamples, totalBytes: number): GuardrailVerdict {
  const expected = samplesExpected(plan);
  const seen = samples.slice(0, expected).flatMap((used, at) => (used === null ? [] : [{ at, used }]));
  const missing = expected - seen.length;
  const tooMany = missing > expected * gateLimits.missingRatio && !(plan.missingAllowed && seen.length > 0);
  const worst = Math.max(0, ...seen.map(({ used }) => used));
  const ahead = projected(plan, seen, expected);
  const full = limits.diskFullRatio * 1000;
  const brim = gateLimits.diskBrimRatio * 1000;
  const freed = (permille: number): string => formatBytes(Math.ceil((permille / 1000) * totalBytes));
  const advice = [
    ...(worst >= full
      ? [
          `the disk was ${percent(worst)} full, under ${percent(full)} is asked: free ${freed(worst - full + 1)}, or add NVMe`,
        ]
      : []),
    ...(ahead !== null && ahead >= brim
      ? [
          `its trend leads to ${percent(ahead)} within ${formatDuration(plan.aheadMs)}, under ${percent(brim)} is asked: free ${freed(ahead - brim + 1)}, slow what grows, or add NVMe`,
        ]
      : []),
    ...(tooMany
      ? [
          `${missing} of ${expected} looks are missing, at most ${Math.floor(expected * gateLimits.missingRatio)} may be: keep worker and host up`,
        ]
      : []),
  ];
  const trend =
    ahead === null ? '' : `, ${percent(Math.max(ahead, 0))} in ${formatDuration(plan.aheadMs)} by the trend`;
  const held = missing > 0 && plan.missingAllowed ? ' (a demonstration: not held against it)' : '';
  const evidence = [
    `${seen.length} of ${expected} looks, ${missing} missing${held}; at most ${percent(worst)} full${trend}`,
  ];
  return { ok: advice.length === 0, evidence, advice };
}

/** Per mille, where the least-squares line through the looks is `aheadMs` after the window; null for fewer than two. */
function projected(
  { everyMs, aheadMs }: GuardrailPlan,
  seen: readonly { readonly at: number; readonly used: number }[],
  expected: number,
): number | null {
  const line = leastSquares(seen.map(({ at, used }) => ({ x: at, y: used })));
  return line === undefined ? null : line.from + line.slope * (expected - 1 + aheadMs / everyMs);
}

/** The line with the smallest sum of squared distances in y; undefined when its x are not at least two different ones. */
export function leastSquares(
  points: readonly { readonly x: number; readonly y: number }[],
): { readonly from: number; readonly slope: number } | undefined {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (count < 2 || spread === 0) return undefined;
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  return { from: meanY - slope * meanX, slope };
}

/** What to change when work on so much data took too long: it is taken to be in proportion to the data. */
export function tooSlowAdvice(elapsedMs: number, budgetMs: number, sizeBytes: number): string {
  const share = Math.min(Math.ceil(100 * (1 - budgetMs / elapsedMs)), 100);
  const bytes = Math.ceil((sizeBytes * share) / 100);
  return `it took ${formatDuration(elapsedMs)} of ${formatDuration(budgetMs)}: take ${share} % (${formatBytes(bytes)} of ${formatBytes(sizeBytes)}) out of class 2 (\`exclude\` of the lane), or add NVMe`;
}

export interface GateArchive {
  readonly lane: string;
  readonly bundle: string;
  /** Of its manifest in the store. */
  readonly key: string;
  readonly manifestSha256: string;
}

/** The object that makes an archive one: its manifest's key below the store's prefix (bundle/object-keys.ts). */
export function archiveKey(lane: string, bundle: string): string {
  return `${lane}/manifests/${bundle}.json`;
}

/** What two lanes' archives share that they may not; undefined when all are distinct. */
export function sharedBetween(archives: readonly GateArchive[]): string | undefined {
  const fields = ['bundle', 'key', 'manifestSha256'] as const;
  for (const field of fields) {
    const seen = new Map<string, string>();
    for (const archive of archives) {
      const other = seen.get(archive[field]);
      if (other !== undefined) return `${other} and ${archive.lane} have the same ${field} ${archive[field]}`;
      seen.set(archive[field], archive.lane);
    }
  }
  return undefined;
}
