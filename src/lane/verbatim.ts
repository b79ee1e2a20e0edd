// Secrets that stand in the clear in a lane's files: looked for on the lane, with the values on stdin, never on a
// command line. The names go to the lane's report; only their number leaves it.

import { limits } from '../domain/limits.ts';
import type { LaneShell } from './lane-shell.ts';
import { reportText } from './report.ts';

/** Shorter ones are words that stand in many files. */
const telling = 8;

/**
 * @param values of Keychain items; those of several lines or under 8 characters are passed over
 * @param folders absolute; absent ones are passed over
 * @returns how many files below the folders hold one of the values verbatim
 */
export async function findVerbatim(
  shell: LaneShell,
  values: readonly Buffer[],
  folders: readonly string[],
): Promise<number> {
  const patterns = values
    .map((value) => value.toString('utf8'))
    .filter((text) => text.length >= telling && !/[\n\r\0]/.test(text));
  if (patterns.length === 0 || folders.length === 0) return 0;
  const text = `${reportText(shell)}found="$complaints.found"
for folder do shift; [ -e "$folder" ] && set -- "$@" "$folder"; done
[ $# -gt 0 ] || { echo 0; exit 0; }
grep -rlF -f - -- "$@" >"$found" 2>/dev/null
wc -l <"$found"
[ -s "$found" ] && report 'a Keychain value stands verbatim in' <"$found"
exit 0`;
  const { stdout } = await shell.script(text, folders, {
    stdin: `${patterns.join('\n')}\n`,
    tool: 'grep',
    timeoutMs: limits.streamBaseMs,
  });
  return Number(stdout.toString().trim());
}
