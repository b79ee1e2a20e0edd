// What the parts of one section share: the lane's specification, the order of fences, and progress.

import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { LaneSpec } from '../contract/lane-spec.ts';
import { type Progress, progressQuery } from '../contract/results.ts';
import type { Mutating } from '../contract/step-types.ts';
import type { LaneTarget } from '../domain/lane-target.ts';
import { progressDetails } from './details.ts';
import { Evidence } from './evidence.ts';

export const progressOf = defineQuery<Progress>(progressQuery);

/** How far a section is: answered to the query, and shown as current details in the Temporal UI. */
export class ProgressBoard {
  #now: Progress;

  constructor(phase: string) {
    this.#now = {
      phase,
      startedAt: new Date(Date.now()).toISOString(),
      segmentsDone: 0,
      segmentsTotal: 0,
      bytesDone: 0,
      bytesTotal: 0,
      reusedBytes: 0,
      step: null,
      overBudget: [],
    };
    setHandler(progressOf, () => this.#now);
  }

  get overBudget(): readonly string[] {
    return this.#now.overBudget;
  }

  update(change: Partial<Progress>): void {
    this.#now = { ...this.#now, ...change };
    setCurrentDetails(progressDetails(this.#now));
  }

  /** One more segment, or several, have come through. */
  advance(bytes: number, segments = 1): void {
    this.update({ segmentsDone: this.#now.segmentsDone + segments, bytesDone: this.#now.bytesDone + bytes });
  }
}

export class Section {
  readonly spec: LaneSpec;
  readonly startedMs: number;
  readonly progress: ProgressBoard;
  readonly evidence = new Evidence();
  /** Has anything been stopped or journalled? Then the section may not end before the lane is settled. */
  journalled = false;
  /** The run whose staging tree may lie on the lane. */
  staged: string | undefined;
  #order = 0;

  constructor(spec: LaneSpec, startedMs: number, progress: ProgressBoard) {
    this.spec = spec;
    this.startedMs = startedMs;
    this.progress = progress;
  }

  get target(): LaneTarget {
    return this.spec.target;
  }

  /** The lane and the next fence: each mutating step comes after all before it. */
  mutating(): Mutating {
    this.#order += 1;
    return { target: this.target, fence: { sectionStartMs: this.startedMs, order: this.#order } };
  }
}
