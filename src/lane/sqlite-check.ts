// A database that was copied while it was in use: its main file and its log are of two moments. SQLite plays the log in,
// as after a power cut, and then looks whether a database came of it.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { FenceOption } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';
import { reportText } from './report.ts';

const damagedStatus = 67;

/**
 * Plays in the log beside a database that nobody has open, and checks it. Its shared memory, if copied, is dropped:
 * SQLite makes it anew. A damaged one is named in the report on the lane. May be repeated.
 * @param database absolute
 * @returns whether it is whole
 * @throws HostCommandFailed, FenceLost
 */
export async function recoverDatabase(shell: LaneShell, database: string, options: FenceOption): Promise<boolean> {
  const sqlite = quoteArgv([shell.tool('sqlite3'), '-batch', '-init', '/dev/null', '-bail']);
  const text = `${reportText(shell)}rm -f "$1-shm"
damaged() { { printf '%s: ' "$1"; cat "$complaints"; } | report 'damaged database'; exit ${damagedStatus}; }
${sqlite} "$1" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null 2>"$complaints" || damaged "$1"
said=$(${sqlite} "$1" 'PRAGMA integrity_check(1)' 2>"$complaints")
[ "$said" = ok ] || { printf '%s\\n' "$said" >>"$complaints"; damaged "$1"; }
rm -f "$1-shm"
`;
  const { exitStatus } = await shell.script(text, [database], {
    ...options,
    tool: 'sqlite3',
    timeoutMs: limits.streamBaseMs,
    okStatuses: [0, damagedStatus],
  });
  return exitStatus === 0;
}

export function databasesDamaged(shell: LaneShell, damaged: number, all: number): Failure {
  const { lane } = shell.target;
  return new Failure('DatabaseDamaged', `lane ${lane}: ${damaged} of ${all} databases of the archive are damaged`, {
    lane,
    count: damaged,
  });
}
