// Room on a volume, by `df -Pk`: the one form that BSD and GNU share (macos-notes, 7). On APFS volumes share their
// container's room, so only free and total are told, never sums.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { DiskUse } from '../domain/quantity.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';

export interface DiskRoom extends DiskUse {
  readonly totalBytes: number;
}

/** The last line: `name blocks used available 42% /mount point`; name and mount point may hold blanks. */
export function parseDf(text: string): DiskRoom | undefined {
  const row = /\s(\d+)\s+(-?\d+)\s+(-?\d+)\s+\d+%\s+\/.*$/.exec(text.trimEnd().split('\n').at(-1) ?? '');
  if (row === null) return undefined;
  const [total, used, free] = row.slice(1).map((blocks) => Math.max(0, Number(blocks)) * 1024);
  return { totalBytes: total ?? 0, usedBytes: used ?? 0, freeBytes: free ?? 0 };
}

/**
 * Room on the volume that holds a path, as its user may use it.
 * @param path absolute, on the host; must be there
 * @throws HostOutputUnexpected, HostCommandFailed
 */
export async function diskOf(shell: LaneShell, path: string): Promise<DiskRoom> {
  const { volume: _, ...room } = await volumeOf(shell, path);
  return room;
}

/**
 * The same with the name of what the room is shared in: the volume's device, on APFS its container.
 * @throws HostOutputUnexpected, HostCommandFailed
 */
export async function volumeOf(shell: LaneShell, path: string): Promise<DiskRoom & { readonly volume: string }> {
  const { stdout } = await shell.run([shell.tool('df'), '-Pk', path], { tool: 'df' });
  const room = parseDf(stdout.toString());
  if (room === undefined)
    throw new Failure('HostOutputUnexpected', `df on ${shell.target.host.name} printed an unknown form`, {
      host: shell.target.host.name,
      tool: 'df',
    });
  return { ...room, volume: containerOf(stdout.toString()) };
}

/** `/dev/disk3s5` and `/dev/disk3s1s1` are volumes and snapshots of the container `/dev/disk3`. */
export function containerOf(df: string): string {
  const row = df.trimEnd().split('\n').at(-1) ?? '';
  const name = /^(.*?)\s+\d+\s+-?\d+\s+-?\d+\s+\d+%/.exec(row)?.[1] ?? '';
  return /^(\/dev\/disk\d+)(?:s\d+)+$/.exec(name)?.[1] ?? name;
}

const strayText = (df: string): string => `volume() { ${df} -Pk "$1" | awk 'END { print $1 }'; }
own=$(volume "$1"); shift
for path do
  if [ -L "$path" ]; then echo link
  elif [ -e "$path" ] && [ "$(volume "$path")" != "$own" ]; then echo volume
  fi
done`;

/**
 * Refuses paths that are links, or lie on another volume than `base`; absent ones are fine.
 * @param base absolute, on the host, as the paths
 * @throws TreeUnusable
 */
export async function requireOwnVolume(shell: LaneShell, base: string, paths: readonly string[]): Promise<void> {
  const { stdout } = await shell.script(strayText(quoteArgv([shell.tool('df')])), [base, ...paths], { tool: 'df' });
  const [stray] = stdout.toString().split('\n');
  if (stray === '' || stray === undefined) return;
  const { lane, host } = shell.target;
  const what = stray === 'link' ? 'is a symbolic link' : 'lies on another volume than the home';
  throw new Failure('TreeUnusable', `lane ${lane}: a tree that is to be replaced ${what}`, { lane, host: host.name });
}

/** Brings what was written to a path's volume to the medium (GNU's sync), or all there is (BSD's). */
export async function syncVolume(shell: LaneShell, path: string): Promise<void> {
  await shell.script('sync -f "$1" 2>/dev/null || sync', [path], { tool: 'sync', timeoutMs: limits.streamBaseMs });
}
