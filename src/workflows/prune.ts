// Removes class 3 of a lane, in its section: no backup lists meanwhile what goes.

import type { PruneResult } from '../contract/incident-state.ts';
import type { Section } from './section.ts';
import { hostLong } from './steps.ts';

export async function prune(section: Section): Promise<PruneResult> {
  section.progress.update({ phase: 'removing class 3' });
  return hostLong.pruneLane(section.mutating());
}
