// Files of the host, outside the lane's home, that the profile names by glob: plists and logs. The shell on the
// host expands the globs as the lane's user; what that user may not read is not there for us.

import type { FileEntry } from '../domain/file-entry.ts';
import type { FenceOption } from './lane-files.ts';
import { clawbackFile, writeLaneFile } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { statFiles } from './listing.ts';

/** Globs without a match stay as they are, and are no readable file. `IFS=` keeps names with blanks whole. */
const expandText = `cd "$1" || exit 0
shift
IFS=
for glob do
  for file in $glob; do
    if [ -f "$file" ] && [ -r "$file" ]; then printf '%s\\0' "$file"; fi
  done
done`;

/**
 * @param globs absolute on a Mac; `~` is the lane's home
 * @returns readable regular files, their paths relative to the host's root
 */
export async function hostFiles(
  shell: LaneShell,
  globs: readonly string[],
  listFile: string,
  options: FenceOption = {},
): Promise<FileEntry[]> {
  const { root } = shell.target.host;
  const home = root === '/' ? shell.target.home : shell.target.home.slice(root.length);
  const relative = globs.map((glob) => glob.replace(/^~/, home).replace(/^\/+/, ''));
  const { stdout } = await shell.script(expandText, [root, ...relative], { tool: 'sh' });
  await writeLaneFile(shell, listFile, stdout, options);
  return statFiles(shell, { base: root, listPath: clawbackFile(shell, listFile) });
}
