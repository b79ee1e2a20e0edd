// A tree that a file system can hold, packed by the tars of this machine.

import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileEntry } from '../../../src/domain/file-entry.ts';
import { entry } from './entries.ts';

const hasAlien = Buffer.concat([Buffer.from('d/alien-'), Buffer.from([0xff, 0xfe])]);
const alienLong = Buffer.concat([hasAlien, Buffer.from('x'.repeat(150))]);
const longName = `d/${'long-'.repeat(30)}end`;

/** Names in the order in which they are packed. */
export const names: readonly Buffer[] = [
  Buffer.from('d/a'),
  hasAlien,
  alienLong,
  Buffer.from('d/empty'),
  Buffer.from('d/hard-link-of-a'),
  Buffer.from(longName),
  Buffer.from('d/new\nline'),
  Buffer.from('d/sparse'),
  Buffer.from('d/symlink'),
  Buffer.from('d/symlink-alien'),
  Buffer.from('d/z-link-of-long'),
  Buffer.from('d/é'),
  Buffer.from('d/sub'),
  Buffer.from('d'),
];

/** Makes the tree. @returns its folder, to be removed by the caller */
export function makeTree(): string {
  const root = mkdtempSync(join(tmpdir(), 'clawback-tar-'));
  const at = (name: string | Buffer): Buffer => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name as string)]);
  mkdirSync(at('d/sub'), { recursive: true, mode: 0o755 });
  writeFileSync(at('d/a'), 'content of a\n', { mode: 0o640 });
  linkSync(at('d/a'), at('d/hard-link-of-a'));
  writeFileSync(at('d/empty'), '');
  writeFileSync(at(longName), 'long');
  linkSync(at(longName), at('d/z-link-of-long'));
  for (const alien of [hasAlien, alienLong]) writeFileSync(at(alien), alien);
  writeFileSync(at('d/new\nline'), 'x'.repeat(5000));
  writeFileSync(at('d/é'), 'é');
  symlinkSync('a', at('d/symlink'));
  symlinkSync(Buffer.from([0x74, 0xfe]), at('d/symlink-alien'));
  writeSparse(join(root, 'd/sparse'));
  utimesSync(at('d/a'), 1_600_000_000.25, 1_600_000_000.25);
  return root;
}

function writeSparse(path: string): void {
  const file = openSync(path, 'w');
  writeSync(file, 'island', 4_000_000);
  closeSync(file);
  truncateSync(path, 9_000_000);
}

export const tars = {
  bsdtar: ['--format', 'pax', '--no-xattrs', '--no-fflags', '--numeric-owner', '-n'],
  tar: ['--format=pax', '--sparse', '--no-recursion', '--numeric-owner'],
} as const;

/** Packs the names with flags like those of the lane's tar. */
export function pack(tool: keyof typeof tars, root: string, wanted: readonly Buffer[] = names): Buffer {
  const list = Buffer.concat(wanted.flatMap((name) => [name, Buffer.of(0)]));
  return execFileSync(tool, ['-cf', '-', ...tars[tool], '-C', root, '--null', '-T', '-'], {
    input: list,
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1e8,
  });
}

/** The listing of the tree, as far as an audit looks at it. */
export function listed(wanted: readonly Buffer[] = names): FileEntry[] {
  return wanted.map((name) => entry(name));
}

export function removeTree(root: string): void {
  rmSync(root, { recursive: true, force: true });
}
