// Starts the settling of a lane whose section is dead; a lane whose section lives is left to that.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { laneSectionId, searchAttributes, workflowNames } from '../contract/names.ts';
import type { ResolvedLaneName } from '../contract/step-types.ts';

/** @returns false: a section lives */
export async function settleLeftLane({ lane, fleetDigest, target }: ResolvedLaneName): Promise<boolean> {
  try {
    await startChild(workflowNames.laneSection, {
      workflowId: laneSectionId(target.fleet, lane),
      args: [{ lane, fleetDigest, operation: { kind: 'settle' } }],
      memo: { operation: 'settle' },
      staticSummary: `settle ${lane}`,
      typedSearchAttributes: [
        { key: searchAttributes.host, value: target.host.name },
        { key: searchAttributes.lane, value: lane },
      ],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: '5s',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
