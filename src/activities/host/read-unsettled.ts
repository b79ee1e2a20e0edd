// Does a journal lie on the lane? Asked by the watch for every lane each minute; a host that does not answer
// is no error here, for there is nothing to settle while it is down.

import type { HostSteps } from '../../contract/steps.ts';
import { Failure, isRetryable } from '../../domain/failure.ts';
import { readJournal } from '../../lane/journal.ts';
import type { Deps } from '../deps.ts';
import { activity, reach } from '../step.ts';

export function readUnsettledStep(deps: Deps): HostSteps['readUnsettled'] {
  return activity(async ({ target }, run) => {
    try {
      const shell = await reach(deps, target, run);
      return (await readJournal(shell)) !== undefined;
    } catch (error) {
      if (error instanceof Failure && isRetryable(error.code)) return null;
      throw error;
    }
  });
}
