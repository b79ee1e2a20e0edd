// The mark of a lane that a playbook has stopped on purpose, `~/.clawback/held.json`: nothing but its next restore starts its
// gateway. It is no journal, for there is nothing to put right: the stop is what protects the lane. launchd keeps it down,
// by its override of the job; the mark says who wanted it, and is there before anything is stopped.

import type { Fence } from './fence-script.ts';
import { removeLaneTree, writeLaneFile } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';

export const heldFile = 'held.json';

/** Says who holds it down. May be repeated. @param by a workflow's id @throws FenceLost, and what {@link writeLaneFile} throws */
export async function markHeld(
  shell: LaneShell,
  by: string,
  options: { readonly fence: Fence; readonly signal: AbortSignal },
): Promise<void> {
  const mark = { format: 1, by, since: new Date().toISOString() };
  await writeLaneFile(shell, heldFile, Buffer.from(`${JSON.stringify(mark)}\n`), options);
}

/** No error when it is not held. @throws FenceLost */
export async function unmarkHeld(shell: LaneShell, fence: Fence): Promise<void> {
  await removeLaneTree(shell, heldFile, { fence });
}
