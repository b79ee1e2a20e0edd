import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileEntry } from '../../../src/domain/file-entry.ts';
import { parseRecord } from '../../../src/lane/file-record.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { listFiles, pruneWords, statFiles } from '../../../src/lane/listing.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';
import { describeTree, makeOddTree, oddNames, sparseBytes } from './odd-tree.ts';

let local: LocalHost;
let shell: LaneShell;
let home: string;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
  home = shell.target.home;
  mkdirSync(`${home}/tree`);
  makeOddTree(`${home}/tree`, shell.target.user);
});
afterAll(() => local.stop());

async function list(paths: readonly string[], prune: readonly string[] = []): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for await (const entry of listFiles(shell, { base: home, paths, prune })) entries.push(entry);
  return entries;
}

const find = (entries: readonly FileEntry[], path: string) => entries.find((entry) => entry.path.toString() === path);

describe('listFiles', () => {
  it('shows every entry once, names byte for byte', async () => {
    const names = (await list(['tree'])).map((entry) => entry.path.toString('hex'));
    const prefix = Buffer.from('tree/').toString('hex');
    const expected = [
      Buffer.from('tree').toString('hex'),
      ...describeTree(`${home}/tree`).map((line) => prefix + line.split(' ')[0]),
    ];
    expect(names.toSorted()).toEqual(expected.toSorted());
    expect(names).toContain(prefix + oddNames.at(-1)?.toString('hex'));
  });

  it('shows what lstat shows', async () => {
    const entries = await list(['tree']);
    for (const [name, type] of [
      ['plain', 'file'],
      ['sparse', 'file'],
      ['link', 'symlink'],
      ['deep/er', 'directory'],
      ['empty-file', 'file'],
    ] as const) {
      const stats = lstatSync(`${home}/tree/${name}`, { bigint: true });
      expect(find(entries, `tree/${name}`)).toEqual({
        path: Buffer.from(`tree/${name}`),
        type,
        mode: Number(stats.mode) & 0o7777,
        uid: Number(stats.uid),
        gid: Number(stats.gid),
        sizeBytes: Number(stats.size),
        allocatedBytes: Number(stats.blocks) * 512,
        mtimeNs: stats.mtimeNs,
        ctimeNs: stats.ctimeNs,
        device: String(stats.dev),
        inode: String(stats.ino),
        links: Number(stats.nlink),
      });
    }
    expect(find(entries, 'tree/sparse')).toMatchObject({ sizeBytes: sparseBytes });
  });

  it('knows fifos and sockets', async () => {
    mkdirSync(`${home}/special`);
    execFileSync('mkfifo', [`${home}/special/pipe`]);
    execFileSync('chmod', ['755', `${home}/special`]);
    expect(find(await list(['special']), 'special/pipe')?.type).toBe('fifo');
  });

  it('ignores paths that are absent, and lists nothing when all are', async () => {
    expect((await list(['absent', 'tree/plain', 'also/absent'])).map((entry) => entry.path.toString())).toEqual([
      'tree/plain',
    ]);
    expect(await list(['absent'])).toEqual([]);
    expect(await list([])).toEqual([]);
  });

  it('lists all of its base for `.`, and nothing when the base is absent', async () => {
    const names: string[] = [];
    for await (const entry of listFiles(shell, { base: `${home}/tree/deep`, paths: ['.'] }))
      names.push(entry.path.toString());
    expect(names.toSorted().slice(0, 2)).toEqual(['er', `er/${'d'.repeat(120)}`]);
    expect(await listFiles(shell, { base: `${home}/absent`, paths: ['.'] }).next()).toMatchObject({ done: true });
  });

  it('does not enter pruned trees, but shows their folder', async () => {
    const names = (await list(['tree'], ['tree/deep/**', '**/empty/**', 'tree/*/nothing'])).map((entry) =>
      entry.path.toString(),
    );
    expect(names).toContain('tree/deep');
    expect(names.some((name) => name.startsWith('tree/deep/'))).toBe(false);
  });

  it('lists tens of thousands of files', async () => {
    mkdirSync(`${home}/many`, { mode: 0o755 });
    for (let index = 0; index < 12_000; index += 1) writeFileSync(`${home}/many/file-${index}`, '');
    expect(await list(['many'])).toHaveLength(12_001);
  });

  it.runIf(isRoot)('fails when something cannot be read, and says what only in the report on the lane', async () => {
    mkdirSync(`${home}/closed/secret-folder`, { recursive: true });
    chmodSync(`${home}/closed/secret-folder`, 0o700);
    const failure = await list(['closed']).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'ListingFailed', context: { count: 1 } });
    expect(String(failure)).not.toContain('secret-folder');
    expect(execFileSync('cat', [shell.clawbackPath('report')], { encoding: 'utf8' })).toContain('secret-folder');
  });

  it('refuses paths that lead out of its base', async () => {
    await expect(list(['../x'])).rejects.toMatchObject({ code: 'InvalidInput' });
    await expect(list(['/etc'])).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('is ended by its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(listFiles(shell, { base: home, paths: ['tree'], signal }).next()).rejects.toThrow('enough');
  });
});

describe('statFiles', () => {
  it('shows the files of a NUL list in its order, without the vanished ones', async () => {
    const names = [
      ...oddNames.map((name) => Buffer.concat([Buffer.from('tree/'), name])),
      Buffer.from('tree/gone'),
      Buffer.from('tree/link'),
    ];
    writeFileSync(`${home}/list`, Buffer.concat(names.flatMap((name) => [name, Buffer.from([0])])));
    execFileSync('chmod', ['644', `${home}/list`]);
    const entries = await statFiles(shell, { base: home, listPath: `${home}/list` });
    expect(entries.map((entry) => entry.path)).toEqual(names.filter((name) => name.toString() !== 'tree/gone'));
  });

  it('takes names that look like options', async () => {
    writeFileSync(`${home}/dashes`, '-x\0--version\0', { mode: 0o644 });
    const entries = await statFiles(shell, { base: `${home}/tree`, listPath: `${home}/dashes` });
    expect(entries.map((entry) => entry.path.toString())).toEqual(['-x', '--version']);
  });

  it('gives nothing for an empty list, and says when the list is gone', async () => {
    writeFileSync(`${home}/none`, '', { mode: 0o644 });
    expect(await statFiles(shell, { base: home, listPath: `${home}/none` })).toEqual([]);
    await expect(statFiles(shell, { base: home, listPath: `${home}/no-list` })).rejects.toMatchObject({
      code: 'PlanLost',
    });
  });
});

describe('pruneWords', () => {
  it('takes the globs that name whole trees and leaves the others to the caller', () => {
    const words = pruneWords(['**/node_modules/**', '.openclaw/tmp/**', 'a*/b/**', '**/*.lock', 'odd[x]\\/**']);
    expect(words.filter((word) => word.startsWith('.') || word.startsWith('*'))).toEqual([
      '*/node_modules',
      './.openclaw/tmp',
      './odd\\[x\\]\\\\',
    ]);
  });
});

describe('parseRecord', () => {
  const good = ' 81a4 1000 1000 5 8 512 1700000000.123456789 1700000001.000000000 2049 77 1 ./a b\n';
  it('reads a record, also one from before 1970', () => {
    expect(parseRecord(Buffer.from(good))).toMatchObject({
      path: Buffer.from('a b'),
      mode: 0o644,
      mtimeNs: 1_700_000_000_123_456_789n,
      allocatedBytes: 4096,
    });
    expect(parseRecord(Buffer.from(good.replace('1700000000.1', '-1700000000.1'))).mtimeNs).toBe(
      -1_700_000_000_123_456_789n,
    );
  });

  it.each([
    good.slice(0, 40),
    good.replace('81a4', 'zz'),
    good.replace('81a4', '1'),
    good.replace('.123456789', ''),
    good.replace(' 5 ', ' -5 '),
    good.slice(0, -1),
    `x${good}`,
  ])('refuses %j', (record) => {
    expect(() => parseRecord(Buffer.from(record))).toThrow(expect.objectContaining({ code: 'HostOutputUnexpected' }));
  });
});
