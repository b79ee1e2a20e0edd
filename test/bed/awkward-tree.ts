// Everything that a file system can hold and a backup can trip over.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const awkwardNames: readonly Buffer[] = [
  'new\nline',
  'two\n\nlines\n',
  "quote's",
  'double "quotes"',
  'back\\slash',
  'back\\ntick`',
  '-rf',
  '--help',
  ' leading and trailing ',
  '$HOME',
  '$(touch pwned)',
  ';ls',
  '*',
  '?[a]',
  'tab\there',
  'carriage\rreturn',
  'bell\x07',
  '~',
  '...',
  '.hidden',
  'emoji 🦀',
  'é composed',
  'e\u0301 decomposed',
  '東京',
  'a'.repeat(255),
  '%s%n',
  '\u202Eright to left',
].map((name) => Buffer.from(name));

/** Not UTF-8: APFS refuses such names, so on macOS they are left out. */
const bareBytes: readonly Buffer[] = [
  Buffer.from([0x66, 0xff, 0xfe]),
  Buffer.from([0xc3]),
  Buffer.from([0x80, 0x0a, 0x81]),
];

/**
 * Makes the tree in an existing or new folder. Returns what is neither file, directory nor link: a bundle leaves it out
 * and says why. Run twice on different folders it gives the same tree.
 */
export async function awkwardTree(dir: string): Promise<{ readonly leftOut: readonly string[] }> {
  mkdirSync(dir, { recursive: true });
  makeNames(dir);
  makeLinks(join(dir, 'links'));
  makeModes(join(dir, 'modes'));
  makeSizes(join(dir, 'sizes'));
  makeDeep(join(dir, 'deep'));
  await makeSpecial(join(dir, 'special'));
  makeTimes(join(dir, 'times'));
  setTimes(dir);
  return { leftOut: ['special/fifo', 'special/socket'] };
}

function makeNames(dir: string): void {
  const names = process.platform === 'darwin' ? awkwardNames : [...awkwardNames, ...bareBytes];
  for (const folder of ['names', 'named directories']) mkdirSync(join(dir, folder), { recursive: true });
  for (const name of names) {
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/names/`), name]), name);
    const folder = Buffer.concat([Buffer.from(`${dir}/named directories/`), name]);
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from('/inner')]), 'inner\n');
  }
}

function makeLinks(dir: string): void {
  mkdirSync(join(dir, 'far'), { recursive: true });
  writeFileSync(join(dir, 'original'), 'one inode, three names\n');
  linkSync(join(dir, 'original'), join(dir, 'second'));
  linkSync(join(dir, 'original'), join(dir, 'far/third'));
  symlinkSync('original', join(dir, 'to-file'));
  symlinkSync('far', join(dir, 'to-directory'));
  symlinkSync('nowhere/at all', join(dir, 'dangling'));
  symlinkSync('/etc/passwd', join(dir, 'absolute'));
  symlinkSync('../../../../../outside', join(dir, 'outwards'));
  symlinkSync('loop', join(dir, 'loop'));
  symlinkSync('x'.repeat(1000), join(dir, 'long target'));
}

function makeModes(dir: string): void {
  mkdirSync(dir, { recursive: true });
  for (const mode of [0o400, 0o440, 0o600, 0o644, 0o700, 0o755, 0o777, 0o2755, 0o1644]) {
    const path = join(dir, `file-${mode.toString(8)}`);
    writeFileSync(path, `${mode}\n`);
    chmodSync(path, mode);
  }
  for (const mode of [0o500, 0o700, 0o755, 0o1777, 0o2750]) {
    const path = join(dir, `directory-${mode.toString(8)}`);
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'inside\n');
    chmodSync(path, mode);
  }
}

function makeSizes(dir: string): void {
  mkdirSync(join(dir, 'empty directory'), { recursive: true });
  for (const size of [0, 1, 511, 512, 513, 10_240, 1 << 20])
    writeFileSync(join(dir, `size-${size}`), Buffer.alloc(size, 'x'));
  const sparse = openSync(join(dir, 'sparse'), 'w');
  writeSync(sparse, 'head', 0);
  writeSync(sparse, 'middle', 32 << 20);
  ftruncateSync(sparse, 64 << 20);
  closeSync(sparse);
}

/** Past ustar's 255 and 100 bytes, below PATH_MAX. */
function makeDeep(dir: string): void {
  const path = join(dir, ...Array.from({ length: 14 }, (_, at) => `${at}-${'d'.repeat(120)}`));
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'bottom'), 'bottom\n');
}

async function makeSpecial(dir: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  spawnSync('mkfifo', [join(dir, 'fifo')]);
  // a socket's path is short: bound relative to its folder, by a process that leaves it behind
  const bind =
    "process.chdir(process.argv[1]); require('node:net').createServer().listen('socket', () => process.kill(process.pid, 'SIGKILL'))";
  spawnSync(process.execPath, ['-e', bind, dir]);
}

function makeTimes(dir: string): void {
  mkdirSync(dir, { recursive: true });
  const times: Record<string, string> = {
    epoch: '1970-01-01 00:00:00 UTC',
    nanoseconds: '2024-02-29 12:34:56.123456789 UTC',
    'last nanosecond': '2025-06-01 00:00:00.999999999 UTC',
    future: '2037-12-31 23:59:59 UTC',
    'far future': '2100-01-01 00:00:00.000000001 UTC',
  };
  for (const [name, time] of Object.entries(times)) {
    const path = join(dir, name);
    writeFileSync(path, `${time}\n`);
    // only touch knows nanoseconds; BSD's does not take this form, there milliseconds must do
    if (spawnSync('touch', ['-d', time, path]).status !== 0)
      utimesSync(path, Date.parse(time) / 1000, Date.parse(time) / 1000);
  }
}

/** Directories and links have times too, and lose them most easily. */
function setTimes(dir: string): void {
  for (const [name, seconds] of [
    ['links/dangling', 1_000_000_000],
    ['sizes/empty directory', 1_100_000_000],
    ['modes', 1_200_000_000],
    ['links', 1_300_000_000],
  ] as const) {
    lutimesSync(join(dir, name), seconds, seconds);
  }
}
