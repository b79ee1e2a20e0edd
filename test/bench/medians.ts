// What the rounds come to: medians, and the aims as ratios of them, which hold where seconds do not.

import type { Run, What } from './compare.ts';

export interface Median {
  readonly what: What;
  readonly by: string;
  readonly seconds: number;
  /** Of the whole machine: host, worker, servers and store together. */
  readonly cpuSecondsPerGb: number;
  /** Of the largest process. */
  readonly peakRssBytes: number;
  readonly storedBytes: number | null;
}

export interface Aim {
  readonly aim: string;
  readonly ratio: number;
  readonly atMost: number;
  readonly met: boolean;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** @param bytes of the lane's data, before compression */
export function mediansOf(runs: readonly Run[], bytes: number): Median[] {
  const groups = Map.groupBy(runs, ({ what, by }) => `${what}\0${by}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const of = (pick: (run: Run) => number): number => median(group.map(pick));
    return {
      what: first.what,
      by: first.by,
      seconds: of(({ seconds }) => seconds),
      cpuSecondsPerGb: of(({ cpuSeconds }) => cpuSeconds) / (bytes / 1e9),
      peakRssBytes: of(({ peakRssBytes }) => peakRssBytes),
      storedBytes: first.storedBytes === null ? null : of(({ storedBytes }) => storedBytes ?? 0),
    };
  });
}

/** What docs/performance.md promises. */
export function aimsOf(medians: readonly Median[], ours: readonly string[]): Aim[] {
  const seconds = (what: What, by: string): number =>
    medians.find((row) => row.what === what && row.by === by)?.seconds ?? Number.NaN;
  const aim = (by: string, what: What, peer: string, atMost: number): Aim => {
    const ratio = seconds(what, by) / seconds(what, peer);
    return { aim: `${what}: ${by} against ${peer}`, ratio, atMost, met: ratio <= atMost };
  };
  return ours.flatMap((by) => [
    aim(by, 'first backup', 'script', 0.3),
    aim(by, 'first backup', 'raw floor', 1.5),
    aim(by, 'full restore', 'script', 0.9),
  ]);
}
