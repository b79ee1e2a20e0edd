// Removes from the store what no manifest of the lane names. In the lane's section, so that no backup is
// under way whose segments have no manifest yet.

import type { SweepResult } from '../contract/results.ts';
import type { Section } from './section.ts';
import { vaultLong } from './steps.ts';

export async function sweep(section: Section, minAgeMs: number): Promise<SweepResult> {
  const { fleet, lane, store } = section.spec;
  section.progress.update({ phase: 'sweeping the store' });
  return vaultLong.sweepLane({ fleet, lane, store, minAgeMs });
}
