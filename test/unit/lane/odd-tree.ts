// A tree with everything that a file system can hold short of devices: names that are not UTF-8, of two normal forms,
// with newlines, dashes, globs; links, modes, nanosecond times, a sparse file, deep paths.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  closeSync,
  symlinkSync,
  linkSync,
  ftruncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

const slash = Buffer.from('/');

export const oddNames: readonly Buffer[] = [
  ...[
    '-x',
    '--version',
    '@foo',
    '-C',
    'plain',
    'sp ace',
    'back\\slash',
    'new\nline',
    'tab\t',
    '"quoted"',
    "it's",
    '$(id)',
    'star*[x]?',
    ' ',
    '~',
    '#',
    'a'.repeat(200),
    'café',
    'cafe\u0301',
    '\u{1F980}',
  ].map((name) => Buffer.from(name)),
  Buffer.from([0xff, 0xfe, 0x20, 0x72]),
  Buffer.from([0x01, 0x7f, 0x80, 0x81, 0x88]),
  Buffer.from(Array.from({ length: 120 }, (_, index) => (index % 2 === 0 ? 0xc3 : 0xff))),
];

export const sparseBytes = 40_000_000;

function under(folder: string | Buffer, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(folder), slash, Buffer.from(name)]);
}

/** Fills `folder`, owned by `owner` (a user's name) if given. */
export function makeOddTree(folder: string, owner?: string): void {
  mkdirSync(`${folder}/deep/er/${'d'.repeat(120)}/${'e'.repeat(120)}`, { recursive: true });
  mkdirSync(`${folder}/empty`);
  for (const name of oddNames) writeFileSync(under(folder, name), Buffer.concat([name, Buffer.from(' content')]));
  writeFileSync(`${folder}/deep/er/${'d'.repeat(120)}/${'e'.repeat(120)}/leaf`, 'leaf');
  symlinkSync(Buffer.from([0xff, 0x20]), under(folder, 'link'));
  linkSync(`${folder}/plain`, `${folder}/deep/hard`);
  const sparse = openSync(`${folder}/sparse`, 'w');
  ftruncateSync(sparse, sparseBytes);
  writeSync(sparse, 'middle', 20_000_000);
  closeSync(sparse);
  writeFileSync(`${folder}/empty-file`, '');
  chmodSync(`${folder}/empty-file`, 0o4751);
  chmodSync(`${folder}/empty`, 0o1777);
  lutimesSync(`${folder}/plain`, 1_700_000_000.123, 1_700_000_000.123);
  execFileSync('touch', ['-d', '2001-09-09T01:46:40.123456789Z', `${folder}/deep/er`]);
  if (owner !== undefined) execFileSync('chown', ['-Rh', owner, folder]);
}

function digest(path: Buffer, stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path, 'buffer').toString('hex')}`;
  return stats.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}

/** One line per entry: name in hex, mode, mtime, size, hard-linked or not, content's digest. Sorted. */
export function describeTree(folder: string, parts: Buffer = Buffer.alloc(0)): string[] {
  const here = parts.length === 0 ? Buffer.from(folder) : under(folder, parts);
  return readdirSync(here, { encoding: 'buffer' })
    .flatMap((name) => {
      const relative = parts.length === 0 ? Buffer.from(name) : under(parts, name);
      const path = under(folder, relative);
      const stats = lstatSync(path, { bigint: true });
      const size = stats.isDirectory() ? '' : String(stats.size);
      const line = [
        relative.toString('hex'),
        Number(stats.mode).toString(8),
        stats.mtimeNs,
        size,
        stats.isFile() ? stats.nlink : '',
        digest(path, stats),
      ].join(' ');
      return [line, ...(stats.isDirectory() ? describeTree(folder, relative) : [])];
    })
    .toSorted();
}
