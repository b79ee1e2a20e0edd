// A thread that checks one SQLite database in memory. It is told the bytes and says one word; what SQLite says of them
// stays here, for it quotes the content.

import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

export type DatabaseVerdict = 'sound' | 'dangling' | 'damaged';

/** Bytes 18 and 19 of the header say that it writes a log beside it (WAL): a database in memory has no beside. */
const journalMode = [18, 19];

function verdictOf(bytes: Uint8Array): DatabaseVerdict {
  const database = new DatabaseSync(':memory:');
  try {
    for (const at of journalMode) if (bytes[at] === 2) bytes[at] = 1;
    database.deserialize(bytes);
    const said = database.prepare('PRAGMA integrity_check(1)').all();
    const isWhole = said.length === 1 && Object.values(said[0] ?? {})[0] === 'ok';
    if (!isWhole) return 'damaged';
    return hasDangling(database) ? 'dangling' : 'sound';
  } catch {
    return 'damaged';
  } finally {
    database.close();
  }
}

/** A key to a column that is not unique makes the check itself fail: the schema is at fault, not the copy. */
function hasDangling(database: DatabaseSync): boolean {
  try {
    return database.prepare('PRAGMA foreign_key_check').get() !== undefined;
  } catch {
    return true;
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
parentPort?.postMessage(verdictOf(new Uint8Array(workerData as Uint8Array)));
