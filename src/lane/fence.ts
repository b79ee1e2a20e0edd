// Fences: no zombie of an earlier attempt writes beside its successor (design, "Lanes under way"). Each attempt of a
// mutating activity takes one; a command under a lost fence does nothing and fails FenceLost.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import {
  type Fence,
  holdersRemainMarker,
  holdersRemainStatus,
  noRoomMarker,
  noRoomStatus,
  takeText,
  type Turn,
} from './fence-script.ts';
import type { LaneShell } from './lane-shell.ts';

export { type Fence, fenceName } from './fence-script.ts';

/**
 * Takes the fence and ends every process that smaller fences registered, with its whole process group, first. May be
 * called again with the same fence.
 * @throws FenceLost when a larger one is there; HostCommandFailed (retryable) when a process outlives KILL or is root's and
 * goes on, and when the volume has no room for a fence
 */
export async function takeFence(shell: LaneShell, fence: Fence, signal?: AbortSignal): Promise<void> {
  const { turn: _, ...whole } = fence;
  await take(shell, whole, { signal });
}

/**
 * Takes one stream's turn under a fence that it shares with others, and ends what earlier attempts of that stream
 * registered: one whose worker was only paused would go on writing beside, and break off in the middle of a file.
 * @returns the fence to run the stream's commands under
 * @throws as {@link takeFence}; FenceLost also when the fence itself is lost
 */
export async function takeTurn(shell: LaneShell, fence: Fence, turn: Turn, signal?: AbortSignal): Promise<Fence> {
  if (!/^[A-Za-z0-9.-]{1,100}$/.test(turn.name))
    throw new Failure('InvalidInput', 'the name of a stream is letters, digits, dots and dashes');
  await take(shell, { ...fence, turn }, { signal, fence });
  return { ...fence, turn };
}

async function take(
  shell: LaneShell,
  fence: Fence,
  options: { signal: AbortSignal | undefined; fence?: Fence },
): Promise<void> {
  const { exitStatus, stderr } = await shell.script(takeText(shell.target, fence), [], {
    ...options,
    tool: 'fence',
    okStatuses: [0, holdersRemainStatus, noRoomStatus],
    timeoutMs: limits.commandTimeoutMs + limits.fenceTermMs + limits.fenceKillMs,
  });
  if (exitStatus === 0) return;
  const { lane, host } = shell.target;
  throw new Failure('HostCommandFailed', `lane ${lane} on ${host.name}: ${whyNot(exitStatus, stderr)}`, {
    lane,
    host: host.name,
    exitStatus,
  });
}

function whyNot(exitStatus: number, stderr: string): string {
  if (stderr.includes(holdersRemainMarker)) return 'processes of an earlier attempt do not end';
  if (stderr.includes(noRoomMarker))
    return 'no step can begin, for its volume is full; free some MB on it, and what is under way goes on by itself';
  return `the fence script ended with status ${exitStatus}`;
}
