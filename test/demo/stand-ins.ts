// The demo's guard: it goes on only when every tool that could touch something real answers as a stand-in, and
// every home lies in the demo's own folder. On a laptop it must never reach the real launchd, Keychain or sudo.

import { Failure } from '../../src/domain/failure.ts';
import type { Tool } from '../../src/domain/lane-target.ts';
import type { Bed, BedHost } from '../bed/bed-types.ts';
import { onHost } from '../rig/wreck.ts';

/** All but what only lists and reads (find, xargs, stat, df) and the shell itself. */
const guarded: readonly Tool[] = ['sudo', 'launchctl', 'security', 'tar', 'sqlite3', 'curl', 'pgrep', 'ps'];

type Guarded = Pick<Bed, 'dir' | 'host' | 'sshKey'> & {
  readonly hosts: readonly Pick<BedHost, 'name' | 'tools' | 'realRoot'>[];
  readonly lanes: readonly Pick<Bed['lanes'][number], 'lane' | 'realHome'>[];
};

/** Throws Unexpected when something real would be used; asks every tool over the SSH connection that the demo uses. */
export async function requireStandIns(bed: Guarded): Promise<void> {
  for (const host of bed.hosts) {
    requireInside(bed.dir, `the root of host ${host.name}`, host.realRoot);
    for (const tool of guarded) await requireStandIn(bed, host, tool);
  }
  for (const { lane, realHome } of bed.lanes) requireInside(bed.dir, `the home of ${lane}`, realHome);
}

async function requireStandIn(bed: Guarded, host: Guarded['hosts'][number], tool: Tool): Promise<void> {
  const path = host.tools[tool];
  const answer = path === undefined ? undefined : await onHost(bed as Bed, host.name, `'${path}' --clawback-stand-in`);
  if (answer?.status === 0 && answer.output.trim() === `clawback-bed ${tool}`) return;
  throw new Failure('Unexpected', `the demo's host ${host.name} would use a real ${tool}; nothing was started`, {
    host: host.name,
  });
}

function requireInside(dir: string, what: string, path: string): void {
  if (path.startsWith(`${dir}/`)) return;
  throw new Failure('Unexpected', `${what} lies outside the demo's folder; nothing was started`);
}
