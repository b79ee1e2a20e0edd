// Whole trees of a lane, moved and measured as the lane's user. A move is one rename: it never copies and never lands
// inside a folder that is there already.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { FenceOption } from './lane-files.ts';
import { removeText } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';

const sourceGoneStatus = 3;
const targetThereStatus = 4;
const otherVolumeStatus = 5;

/** Runs a shell text over paths that come on stdin: a command line holds 128 KiB, a list may be longer. One line of output each. */
async function overPaths(
  shell: LaneShell,
  text: string,
  paths: readonly string[],
  options: { tool: string; timeoutMs?: number },
): Promise<string[]> {
  if (paths.length === 0) return [];
  const stdin = Buffer.from(paths.map((path) => `${path}\0`).join(''));
  const argv = [shell.tool('xargs'), '-0', shell.tool('sh'), '-c', text, 'sh'];
  const { stdout } = await shell.run(argv, { stdin, ...options });
  const lines = stdout.toString().split('\n').slice(0, -1);
  if (lines.length !== paths.length)
    throw new Failure('HostOutputUnexpected', `asked for ${paths.length} paths, ${lines.length} were answered`);
  return lines;
}

/** Which of the absolute paths are there (a dangling link counts), in their order. */
export async function pathsExist(shell: LaneShell, paths: readonly string[]): Promise<boolean[]> {
  const text = `for path do [ -e "$path" ] || [ -L "$path" ] && echo y || echo n; done`;
  return (await overPaths(shell, text, paths, { tool: 'test' })).map((answer) => answer === 'y');
}

/** GNU has `mv -T`; BSD's mv gets no chance to move into a folder, for the script looks first. */
const moveText = (df: string) => `there() { [ -e "$1" ] || [ -L "$1" ]; }
there "$1" || { there "$2" && exit 0; exit ${sourceGoneStatus}; }
there "$2" && exit ${targetThereStatus}
mkdir -p "\${2%/*}" || exit 1
volume() { ${df} -Pk "$1" | awk 'END { print $1 }'; }
[ -L "$1" ] || [ "$(volume "$1")" = "$(volume "\${2%/*}")" ] || exit ${otherVolumeStatus}
mv "$1" "$2"
`;

/**
 * Renames a tree; no error when it has been renamed already (source gone, target there).
 * @param from absolute @param to absolute, on the same volume; its folder is made (0700) when it is absent
 * @throws HostCommandFailed when both are there, or neither, or the volumes differ; FenceLost
 */
export async function moveTree(shell: LaneShell, from: string, to: string, options: FenceOption): Promise<void> {
  const { lane, host } = shell.target;
  const { exitStatus } = await shell.script(moveText(quoteArgv([shell.tool('df')])), [from, to], {
    ...options,
    tool: 'mv',
    okStatuses: [0, sourceGoneStatus, targetThereStatus, otherVolumeStatus],
  });
  if (exitStatus === 0) return;
  const reasons: Record<number, string> = {
    [sourceGoneStatus]: 'neither the old name nor the new one is there',
    [targetThereStatus]: 'the new name is taken',
    [otherVolumeStatus]: 'the two names are on different volumes',
  };
  throw new Failure('HostCommandFailed', `lane ${lane}: a tree cannot be renamed: ${reasons[exitStatus]}`, {
    lane,
    host: host.name,
    exitStatus,
  });
}

/** What trees occupy, bytes, in their order; 0 for an absent one. Hard links inside one tree count once. */
export async function treeSizes(shell: LaneShell, paths: readonly string[]): Promise<number[]> {
  const text = `for path do
  size=$(du -sk "$path" 2>/dev/null | awk 'END { print $1 }')
  echo "\${size:-0}"
done`;
  return (await overPaths(shell, text, paths, { tool: 'du', timeoutMs: limits.streamBaseMs })).map(
    (line) => Number(line) * 1024,
  );
}

/** Makes private folders (0700) and their parents. */
export async function makeFolders(
  shell: LaneShell,
  paths: readonly string[],
  options: FenceOption = {},
): Promise<void> {
  await shell.script('mkdir -p "$@" && chmod 700 "$@"', paths, { ...options, tool: 'mkdir' });
}

/** Removes those of the folders that are there and empty. May be repeated. @throws FenceLost */
export async function removeEmptyFolders(
  shell: LaneShell,
  paths: readonly string[],
  options: FenceOption,
): Promise<void> {
  if (paths.length === 0) return;
  await shell.script('for path do rmdir "$path" 2>/dev/null; done\nexit 0', paths, { ...options, tool: 'rmdir' });
}

/**
 * Removes a tree of the lane's home, folders without write permission too; no error when it is absent.
 * @throws InvalidInput for a path that is not strictly inside the lane's home
 */
export async function removeTree(shell: LaneShell, path: string, options: FenceOption): Promise<void> {
  const { home } = shell.target;
  const parts = path.slice(home.length + 1).split('/');
  if (!path.startsWith(`${home}/`) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Failure('InvalidInput', "only a tree inside the lane's home is ever removed");
  }
  await shell.script(removeText, [path], { ...options, tool: 'rm', timeoutMs: limits.streamBaseMs });
}
