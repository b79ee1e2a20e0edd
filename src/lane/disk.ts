// Room on a volume, by `df -Pk`: the one form that BSD and GNU share (macos-notes, 7). On APFS volumes share their
// container's room, so only free and total are told, never sums.

import { Failure } from '../domain/failure.ts';
import type { LaneShell } from './lane-shell.ts';

export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The last line: `name blocks used available 42% /mount point`; name and mount point may hold blanks. */
export function parseDf(text: string): DiskRoom | undefined {
  const row = /\s(\d+)\s+(-?\d+)\s+(-?\d+)\s+\d+%\s+\/.*$/.exec(text.trimEnd().split('\n').at(-1) ?? '');
  if (row === null) return undefined;
  return { totalBytes: Number(row[1]) * 1024, freeBytes: Math.max(0, Number(row[3])) * 1024 };
}

/**
 * Room on the volume that holds a path, as its user may use it.
 * @param path absolute, on the host; must be there
 * @throws HostOutputUnexpected, HostCommandFailed
 */
export async function diskOf(shell: LaneShell, path: string): Promise<DiskRoom> {
  const { stdout } = await shell.run([shell.tool('df'), '-Pk', path], { tool: 'df' });
  const room = parseDf(stdout.toString());
  if (room === undefined)
    throw new Failure('HostOutputUnexpected', `df on ${shell.target.host.name} printed an unknown form`, {
      host: shell.target.host.name,
      tool: 'df',
    });
  return room;
}
