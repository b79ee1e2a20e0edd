// Removes from the store, then from its replica, what no manifest of the lane names. In the lane's section, so that no backup is
// under way whose segments have no manifest yet.

import type { SweepResult } from '../contract/results.ts';
import type { Section } from './section.ts';
import { vaultLong } from './steps.ts';

export async function sweep(section: Section, minAgeMs: number): Promise<SweepResult> {
  const { fleet, lane, store, replica } = section.spec;
  section.progress.update({ phase: `sweeping store ${store}` });
  const swept = { store, ...(await vaultLong.sweepLane({ fleet, lane, store, minAgeMs })) };
  if (replica === undefined) return { ...swept, replica: null };
  section.progress.update({ phase: `sweeping the replica ${replica}` });
  const there = await vaultLong.sweepLane({ fleet, lane, store: replica, primary: store, minAgeMs });
  return { ...swept, replica: { store: replica, ...there } };
}
