// Small words that all kinds of restore share.

import type { Copies } from '../contract/copies.ts';
import type { Operation } from '../contract/inputs.ts';
import type { RestorePlan, RestoreResult } from '../contract/results.ts';
import type { ChosenBundles } from '../contract/step-types.ts';
import { limits } from '../domain/limits.ts';
import type { Component } from '../domain/terms.ts';

export type Restore = Extract<Operation, { kind: 'restore' }>;

/** The stores that a restore reads: the one that gave the last segment is asked first, so that a dead one is waited for once. */
export class Sources {
  #copies: Copies;
  readonly #segments = new Map<string, number>();

  constructor(copies: Copies) {
    this.#copies = copies;
  }

  get copies(): Copies {
    return this.#copies;
  }

  gave(store: string): void {
    this.#segments.set(store, (this.#segments.get(store) ?? 0) + 1);
    if (store === this.#copies.replica) this.#copies = { store, replica: this.#copies.store };
  }

  get stores(): RestoreResult['stores'] {
    return [...this.#segments].map(([store, segments]) => ({ store, segments }));
  }
}

/** What is restored, and what that will cost. */
export interface Planned {
  readonly chosen: ChosenBundles;
  readonly sources: Sources;
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
