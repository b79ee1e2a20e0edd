import { Failure } from '../domain/failure.ts';
import { decodeUtf8 } from './utf8.ts';
import type { LaneShell } from './lane-shell.ts';

const absentStatus = 3;

/**
 * Names in a folder, without `.` and `..`; undefined when it is absent or no folder.
 * @throws HostOutputUnexpected for a name that is not UTF-8: such a name cannot be renamed alone
 */
export async function folderChildren(shell: LaneShell, path: string): Promise<string[] | undefined> {
  const text = `[ -d "$1" ] && [ ! -L "$1" ] || exit ${absentStatus}
cd "$1" && for name in * .[!.]* ..?*; do
  if [ -e "$name" ] || [ -L "$name" ]; then printf '%s\\0' "$name"; fi
done
exit 0`;
  const { exitStatus, stdout } = await shell.script(text, [path], { tool: 'ls', okStatuses: [0, absentStatus] });
  if (exitStatus === absentStatus) return undefined;
  const names = decodeUtf8(stdout);
  if (names === undefined) {
    throw new Failure(
      'HostOutputUnexpected',
      `lane ${shell.target.lane} has a name that is not UTF-8 directly below a tree that is swapped in parts`,
      { lane: shell.target.lane },
    );
  }
  return names.split('\0').filter((name) => name !== '');
}
