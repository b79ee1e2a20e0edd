// What a run's receipt will say, noted while it happens: each part with its times, and where it stands in the history,
// by which the activity that writes the receipt finds how often its activities had to be tried.

import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { BundleUse, RecordedStep } from '../contract/receipt-types.ts';
import type { ChosenBundles, Survey } from '../contract/step-types.ts';
import type { ClassRpo } from '../contract/results.ts';

export interface Part {
  readonly step: string;
  readonly phase: string;
  /** Of the whole step. */
  readonly budgetMs?: number;
}

export class Evidence {
  readonly steps: RecordedStep[] = [];
  bundles: readonly BundleUse[] = [];
  rpo: readonly ClassRpo[] = [];
  survey: Survey | undefined;
  /** OpenClaw's version as the newest bundle has it. */
  bundleVersion: string | null = null;
  warnings: readonly string[] = [];
  messageAnswered = false;
  /** From the section's start to the answered message. */
  rtoMs: number | undefined;
  /** Was the commit begun? From then on a lane that is not rolled back is restored. */
  committing = false;
  /** May an upgrade hook have changed the lane? */
  upgrading = false;
  /** Is what the last restore replaced back? */
  undone = false;

  choose({ used, openclawVersion, captured }: ChosenBundles, startedMs: number): void {
    this.bundles = used;
    this.bundleVersion = openclawVersion;
    this.rpo = captured.map((one) => ({ ...one, rpoMs: startedMs - Date.parse(one.capturedAt) }));
  }

  /** Does the work, and notes how it went. */
  async part<T>({ step, phase, budgetMs }: Part, work: () => Promise<T>): Promise<T> {
    const startedAt = now();
    const afterEvent = workflowInfo().historyLength;
    const note = (outcome: RecordedStep['outcome']): void => {
      const untilEvent = workflowInfo().historyLength;
      this.steps.push({
        step,
        phase,
        budgetMs: budgetMs ?? null,
        startedAt,
        endedAt: now(),
        afterEvent,
        untilEvent,
        outcome,
      });
    };
    try {
      const answer = await work();
      note('passed');
      return answer;
    } catch (error) {
      note(isCancellation(error) ? 'cancelled' : 'failed');
      throw error;
    }
  }
}

function now(): string {
  return new Date(Date.now()).toISOString();
}
