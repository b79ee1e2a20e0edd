// What a restored database must not bring along: tables of leases and queues, emptied before the database is live.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { FenceOption } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';

const tableName = /^[a-z_]+$/;

/**
 * Empties tables of a SQLite database that nobody has open; tables that it does not have are passed over. May be repeated.
 * @param database absolute
 * @param tables lower-case names
 * @throws HostCommandFailed when it is no database; FenceLost
 */
export async function emptyTables(
  shell: LaneShell,
  database: string,
  tables: readonly string[],
  options: FenceOption,
): Promise<void> {
  const wrong = tables.find((table) => !tableName.test(table));
  if (wrong !== undefined)
    throw new Failure('InvalidInput', 'a table of a profile has an odd name', { field: 'emptiedTables' });
  const sqlite = quoteArgv([shell.tool('sqlite3'), '-batch', '-init', '/dev/null', '-bail']);
  const text = `for table in ${tables.join(' ')}; do
  there=$(${sqlite} "$1" "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '$table'") || exit 1
  [ "$there" = 0 ] || ${sqlite} "$1" "DELETE FROM $table" || exit 1
done`;
  await shell.script(text, [database], { ...options, tool: 'sqlite3', timeoutMs: limits.streamBaseMs });
}
