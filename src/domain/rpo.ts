// Whether recovery points are as young as they are to be: judged by what lies in the stores, not by what has run, so that
// it is noticed too when nothing ran at all. Pure. Each lane and class is told of once, reminded of, and told again when it
// is met; what could not be told is told by the next look.

import type { DataClass } from './terms.ts';

export interface RpoRules {
  /** How much later than its objective a capture may be. */
  readonly graceMs: number;
  readonly remindEveryMs: number;
}

/** What a look saw of one lane and class. */
export interface RpoSight {
  readonly lane: string;
  readonly dataClass: DataClass;
  readonly objectiveMs: number;
  /** When the newest good bundle that holds the class was captured; null: there is none, or its store could not be read. */
  readonly capturedAtMs: number | null;
}

/** What is kept of one lane and class until the next look. */
export interface RpoMemory {
  readonly lane: string;
  readonly dataClass: DataClass;
  /** What the age counts from: the newest capture that is known of; where none ever was, the first look. */
  readonly fromMs: number;
  /** How often it was told that it is late; 0: it is not, or nobody knows yet. */
  readonly told: number;
  readonly toldAtMs: number;
}

export type RpoNews = 'missed' | 'still missed' | 'met again' | 'no longer watched';

export interface RpoVerdict {
  /** As the last look left it, which stays when the news cannot be told. */
  readonly before: RpoMemory | undefined;
  /** Undefined: nothing is to be remembered. */
  readonly after: RpoMemory | undefined;
  readonly news: RpoNews | null;
  /** Since when the objective is missed, or was. */
  readonly sinceMs: number;
  /** Of what was looked at; null for what is no longer watched. */
  readonly late: boolean | null;
}

/** @returns one verdict for each sight, then one for each memory that nothing was seen for: a lane that is gone */
export function judgeRpo(
  rules: RpoRules,
  sights: readonly RpoSight[],
  memory: readonly RpoMemory[],
  nowMs: number,
): RpoVerdict[] {
  const known = new Map(memory.map((one) => [keyOf(one), one]));
  const seen = new Set(sights.map(keyOf));
  const gone = memory.filter((one) => !seen.has(keyOf(one)) && one.told > 0);
  return [...sights.map((sight) => verdictOf(rules, sight, known.get(keyOf(sight)), nowMs)), ...gone.map(farewell)];
}

function keyOf({ lane, dataClass }: Pick<RpoSight, 'lane' | 'dataClass'>): string {
  return `${lane} ${dataClass}`;
}

/** A capture that is not seen any more, in a store that is silent or by a bundle that is lost, is none that is newer. */
function verdictOf(rules: RpoRules, sight: RpoSight, before: RpoMemory | undefined, nowMs: number): RpoVerdict {
  const { lane, dataClass, objectiveMs, capturedAtMs } = sight;
  const fromMs = capturedAtMs ?? before?.fromMs ?? nowMs;
  const late = nowMs - fromMs > objectiveMs + rules.graceMs;
  const told = before?.told ?? 0;
  const news = newsOf(late, told, nowMs - (before?.toldAtMs ?? 0) >= rules.remindEveryMs);
  const kept = { lane, dataClass, fromMs };
  const toldNow = late ? told + 1 : 0;
  const after =
    news === null ? { ...kept, told, toldAtMs: before?.toldAtMs ?? 0 } : { ...kept, told: toldNow, toldAtMs: nowMs };
  return { before, after, news, sinceMs: fromMs + objectiveMs, late };
}

function newsOf(late: boolean, told: number, isDue: boolean): RpoNews | null {
  if (!late) return told > 0 ? 'met again' : null;
  if (told === 0) return 'missed';
  return isDue ? 'still missed' : null;
}

/** Somebody was told of it, and is told that it is over. */
function farewell(before: RpoMemory): RpoVerdict {
  return { before, after: undefined, news: 'no longer watched', sinceMs: before.fromMs, late: null };
}
