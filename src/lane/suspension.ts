// Asks a lane's gateway to hold still, and to go on. It is asked by its own command, as the lane's user; nothing is
// stopped. What it grants is a lease that ends by itself, so that whoever dies inside it leaves no silent gateway.

import { isFailure } from '../domain/failure.ts';
import type { Profile } from '../domain/profile.ts';
import type { FenceOption } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';

export type SuspensionCommands = NonNullable<Profile['suspension']>;

/** The CLI lies where a lane's user keeps programs; its port is the lane's own, whatever the configuration says. */
const callText = `PATH="$PATH:$HOME/.local/bin:/opt/homebrew/bin:/usr/local/bin"
OPENCLAW_GATEWAY_PORT=$1
export OPENCLAW_GATEWAY_PORT
shift
exec "$@" </dev/null
`;

const anyStatus = Array.from({ length: 256 }, (_, status) => status);

async function call(
  shell: LaneShell,
  argv: readonly string[],
  options: FenceOption,
): Promise<{ exitStatus: number; stdout: string }> {
  const args = [String(shell.target.port), ...argv];
  const { exitStatus, stdout } = await shell.script(callText, args, {
    ...options,
    tool: argv[0] ?? 'openclaw',
    okStatuses: anyStatus,
  });
  return { exitStatus, stdout: stdout.toString('utf8') };
}

/**
 * Suspends the gateway, or renews the lease that was granted to this request.
 * @returns the suspension's id; undefined when it was refused: busy, not running, no such command, or no answer in time
 * @throws FenceLost, HostConnectionLost and what else {@link LaneShell.run} throws
 */
export async function suspendGateway(
  shell: LaneShell,
  { suspend }: SuspensionCommands,
  options: FenceOption & { requestId: string },
): Promise<string | undefined> {
  const { requestId, ...more } = options;
  try {
    const { exitStatus, stdout } = await call(shell, [...suspend, requestId], more);
    return exitStatus === 0 ? suspensionId(stdout) : undefined;
  } catch (error) {
    if (isFailure(error, 'HostCommandTimeout')) return undefined;
    throw error;
  }
}

/**
 * Ends a suspension; no error when it has ended by itself.
 * @returns whether the gateway's command said so
 */
export async function resumeGateway(
  shell: LaneShell,
  { resume }: SuspensionCommands,
  id: string,
  options: FenceOption,
): Promise<boolean> {
  return (await call(shell, [...resume, id], options)).exitStatus === 0;
}

/** Of a `ready` answer; the CLI may say other things before its JSON. An id is handed back as a word of a command. */
function suspensionId(stdout: string): string | undefined {
  try {
    const answer = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { status?: unknown; suspensionId?: unknown };
    const { status, suspensionId: id } = answer;
    return status === 'ready' && typeof id === 'string' && /^[\w.:-]{1,128}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
