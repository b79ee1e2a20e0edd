// A consistent copy of a database that is in use: SQLite's online backup inside an open read transaction (without it,
// `.backup` restarts for ever beside a busy writer), then a check of the copy. Never the live file, its -wal or -shm.
// Only fixed names stand in SQLite's own commands: the shell changes into the folders.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { dialectOf } from './dialect.ts';
import type { FenceOption } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';
import { reportText } from './report.ts';

const goneStatus = 3;
const failedStatus = 66;
const damagedStatus = 67;
const noRoomStatus = 68;

/** How long `.backup` waits for a writer's lock, ms. */
const busyMs = 15_000;

function copyScript(shell: LaneShell, modeWords: string): string {
  const sqlite = quoteArgv([shell.tool('sqlite3')]);
  return `${reportText(shell)}[ -f "$1" ] || exit ${goneStatus}
mkdir -p "\${2%/*}" && cd "\${2%/*}" || exit ${failedStatus}
part=.copy.$$
trap 'rm -f "$complaints" "$complaints".* "$part" "$part"-*' EXIT
rm -f "$part" "$part"-*
give_up() { report sqlite <"$complaints"; grep -q 'disk is full' "$complaints" && exit ${noRoomStatus}; exit "$1"; }
${sqlite} -batch -init /dev/null -bail -readonly "$1" >/dev/null 2>"$complaints" <<EOF || give_up ${failedStatus}
.timeout ${busyMs}
BEGIN;
SELECT 1 FROM sqlite_master LIMIT 1;
.backup $part
COMMIT;
EOF
[ -s "$complaints" ] && give_up ${failedStatus}
[ -f "$part" ] || give_up ${failedStatus}
said=$(${sqlite} -batch -init /dev/null -bail "$part" 'PRAGMA quick_check(1)' 2>"$complaints")
[ "$said" = ok ] || { printf '%s\\n' "$said" >>"$complaints"; give_up ${damagedStatus}; }
rm -f "$part"-*
mode=$(${modeWords} "$1") && chmod "$mode" "$part" && touch -r "$1" "$part" && mv -f "$part" "$2" || give_up ${failedStatus}
`;
}

/**
 * Copies a database to a new file with the original's mode and time; folders are made, a former copy is replaced. A
 * database that is gone leaves nothing at `to`, and is no failure: the listing it came from is older.
 * @param request absolute paths
 * @returns whether it was there
 * @throws DatabaseBackupFailed when the copy cannot be made or is damaged; DiskTooFull; FenceLost
 */
export async function copyDatabase(
  shell: LaneShell,
  request: { from: string; to: string } & FenceOption,
): Promise<boolean> {
  const { lane, host } = shell.target;
  const { stat } = await dialectOf(shell);
  const mode = quoteArgv(stat === 'gnu' ? [shell.tool('stat'), '-c', '%a'] : [shell.tool('stat'), '-f', '%Lp']); // BSD: not yet seen on a Mac
  const { exitStatus } = await shell.script(copyScript(shell, mode), [request.from, request.to], {
    tool: 'sqlite3',
    fence: request.fence,
    signal: request.signal,
    timeoutMs: limits.streamBaseMs,
    okStatuses: [0, goneStatus, failedStatus, damagedStatus, noRoomStatus],
  });
  if (exitStatus === 0 || exitStatus === goneStatus) return exitStatus === 0;
  if (exitStatus === noRoomStatus)
    throw new Failure('DiskTooFull', `lane ${lane}: its volume had no room for the copy of a database`, {
      lane,
      host: host.name,
    });
  const what =
    exitStatus === damagedStatus
      ? 'the copy of a database does not pass quick_check'
      : 'a database could not be copied';
  throw new Failure('DatabaseBackupFailed', `lane ${lane}: ${what}`, { lane, host: host.name, exitStatus });
}
