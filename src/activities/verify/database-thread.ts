// A thread that checks one SQLite database: its bytes, or those of a file in memory (memory-file.ts), which is unlinked as
// soon as it is open. It says one word; what SQLite says stays here, for it quotes the content.

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

export type DatabaseVerdict = 'sound' | 'dangling' | 'damaged';

/** Bytes 18 and 19 of the header say that it writes a log beside it (WAL, 2): a copy has no beside. */
const journalMode = [18, 19];
const noLog = 1;

function opened(source: Uint8Array | string): DatabaseSync {
  if (typeof source === 'string') return openedFile(source);
  const database = new DatabaseSync(':memory:');
  for (const at of journalMode) if (source[at] === 2) source[at] = noLog;
  database.deserialize(source);
  return database;
}

function openedFile(path: string): DatabaseSync {
  const file = openSync(path, 'r+');
  for (const at of journalMode) writeSync(file, Uint8Array.of(noLog), 0, 1, at);
  closeSync(file);
  const database = new DatabaseSync(path, { readOnly: true });
  rmSync(path);
  return database;
}

function verdictOf(source: Uint8Array | string): DatabaseVerdict {
  let database: DatabaseSync | undefined;
  try {
    database = opened(source);
    const said = database.prepare('PRAGMA integrity_check(1)').all();
    const isWhole = said.length === 1 && Object.values(said[0] ?? {})[0] === 'ok';
    if (!isWhole) return 'damaged';
    return hasDangling(database) ? 'dangling' : 'sound';
  } catch {
    return 'damaged';
  } finally {
    database?.close();
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
parentPort?.postMessage(verdictOf(workerData as Uint8Array | string));
