// Fences: no zombie of an earlier attempt writes beside its successor (design, "Lanes under way"). Each attempt of a
// mutating activity takes one; a command under a lost fence does nothing and fails FenceLost.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { type Fence, holdersRemainMarker, holdersRemainStatus, takeText } from './fence-script.ts';
import type { LaneShell } from './lane-shell.ts';

export { type Fence, fenceName } from './fence-script.ts';

/**
 * Takes the fence and ends every process that smaller fences registered, with its whole process group, first. May be
 * called again with the same fence.
 * @throws FenceLost when a larger one is there; HostCommandFailed (retryable) when a process outlives KILL or is root's and goes on
 */
export async function takeFence(shell: LaneShell, fence: Fence, signal?: AbortSignal): Promise<void> {
  const { exitStatus, stderr } = await shell.script(takeText(shell.target, fence), [], {
    tool: 'fence',
    signal,
    okStatuses: [0, holdersRemainStatus],
    timeoutMs: limits.commandTimeoutMs + limits.fenceTermMs + limits.fenceKillMs,
  });
  if (exitStatus === 0) return;
  const why = stderr.includes(holdersRemainMarker)
    ? 'processes of an earlier attempt do not end'
    : `the fence script ended with status ${exitStatus}`;
  throw new Failure('HostCommandFailed', `lane ${shell.target.lane}: ${why}`, {
    lane: shell.target.lane,
    host: shell.target.host.name,
    exitStatus,
  });
}
