// Stands in for the sqlite3 shell where a machine has none: SQL and `.backup`, from arguments or stdin, by node:sqlite.

import { backup, DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';

const options = process.argv.slice(2);
const words: string[] = [];
let bail = false;
let readonly = false;
for (let at = 0; at < options.length; at += 1) {
  const option = options[at] ?? '';
  if (option === '-version' || option === '--version') {
    const row = new DatabaseSync(':memory:').prepare('SELECT sqlite_version() AS version').get() as { version: string };
    process.stdout.write(`${row.version} (node:sqlite)\n`);
    process.exit(0);
  }
  if (option === '-cmd') words.splice(1, 0, options[++at] ?? '');
  else if (option === '-init') at += 1;
  else if (option === '-bail') bail = true;
  else if (option === '-readonly') readonly = true;
  else if (!option.startsWith('-')) words.push(option);
}

const [path = ':memory:', ...given] = words;
const lines = (given.length > 0 ? given : [await text(process.stdin)]).flatMap((one) => one.split('\n'));
const database = new DatabaseSync(path, { readOnly: readonly });
let failed = false;

for (const line of statements(lines)) {
  try {
    if (line.startsWith('.')) await dotCommand(line);
    else select(line);
  } catch (error) {
    process.stderr.write(`Error: ${(error as Error).message}\n`);
    failed = true;
    if (bail || given.length > 0) break;
  }
}
process.exit(failed ? 1 : 0);

/** Dot commands are lines of their own; SQL goes on until a line ends in a semicolon. */
function statements(all: readonly string[]): string[] {
  const found: string[] = [];
  let pending = '';
  for (const line of all) {
    if (pending === '' && line.trim().startsWith('.')) found.push(line.trim());
    else pending += `${line}\n`;
    if (!pending.trim().endsWith(';')) continue;
    found.push(...pending.split(/;\s*/).filter((one) => one.trim() !== ''));
    pending = '';
  }
  return pending.trim() === '' ? found : [...found, ...pending.split(/;\s*/).filter((one) => one.trim() !== '')];
}

async function dotCommand(line: string): Promise<void> {
  const [name = '', ...args] = [...line.matchAll(/'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    (match) => match[1]?.replaceAll("''", "'") ?? match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? '',
  );
  if (name === '.backup') await backup(database, args.at(-1) ?? '');
  else if (name === '.timeout') database.exec(`PRAGMA busy_timeout = ${Number(args[0])}`);
  else if (name === '.quit' || name === '.exit') process.exit(failed ? 1 : 0);
  else if (name !== '.bail') throw new Error(`unknown command or invalid arguments: "${name.slice(1)}"`);
}

function select(sql: string): void {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  for (const row of statement.all() as unknown as unknown[][])
    process.stdout.write(`${row.map((value) => (value === null ? '' : String(value))).join('|')}\n`);
}
