// Where an operation under fault takes place, and what is known of it once it has been started.

import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { toFailure } from '../../src/client/failures.ts';
import { laneSectionId } from '../../src/contract/names.ts';
import type { BedLane } from '../bed/bed.ts';
import type { FaultRig } from './fault-rig.ts';

export interface Running {
  readonly workflowId: string;
  /** The first of its runs, where it goes on in others. */
  readonly runId?: string;
  /** `completed`, or `failed:<code>`. Asked over the rig's present connection: the server may have been another one. */
  outcome(): Promise<string>;
  /** Where the lane is once it has ended; left out: where it was. */
  lane?(): BedLane;
  /** What it promises beside what everything does, a line each that is broken; asked once it has ended. */
  broken?(): Promise<readonly string[]>;
}

export interface Stage {
  readonly rig: FaultRig;
  readonly lane: BedLane;
  /** The bundle that restores take. */
  readonly bundle: string;
}

export function sectionOf({ lane }: Pick<Stage, 'lane'>): string {
  return laneSectionId('bed', lane.lane);
}

/** @param complaint what is wrong with an answer although the workflow completed */
export async function running<R>(
  rig: FaultRig,
  started: Promise<WorkflowHandle<() => Promise<R>>>,
  complaint: (result: R) => string | undefined = () => undefined,
): Promise<Running> {
  const { workflowId } = await started;
  const outcome = (): Promise<string> => outcomeOf(rig.rig.client.workflow.getHandle(workflowId), complaint);
  return { workflowId, outcome };
}

export async function outcomeOf<R>(
  handle: WorkflowHandle<() => Promise<R>>,
  complaint: (result: R) => string | undefined,
): Promise<string> {
  try {
    return complaint(await handle.result()) ?? 'completed';
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return `failed:${toFailure(error).code}`;
  }
}
