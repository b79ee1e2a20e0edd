// Small words that all kinds of restore share.

import type { Operation } from '../contract/inputs.ts';
import type { RestorePlan } from '../contract/results.ts';
import type { ChosenBundles } from '../contract/step-types.ts';
import { limits } from '../domain/limits.ts';
import type { Component } from '../domain/terms.ts';

export type Restore = Extract<Operation, { kind: 'restore' }>;

/** What is restored, and what that will cost. */
export interface Planned {
  readonly chosen: ChosenBundles;
  readonly plan: RestorePlan;
}

export function wants(chosen: ChosenBundles, component: Component): boolean {
  return chosen.segments.some((segment) => segment.component === component);
}

/** How full the volume may be is judged after the restore; over it is a warning that names the ratio. */
export function diskWarning(usedRatio: number): string[] {
  if (usedRatio < limits.diskFullRatio) return [];
  return [`the lane's volume is ${Math.round(usedRatio * 100)} % full, the mark is ${limits.diskFullRatio * 100} %`];
}
