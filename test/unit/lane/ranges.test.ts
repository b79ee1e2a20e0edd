import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { finishFiles, readRange, writeRange } from '../../../src/lane/ranges.ts';
import { makeFolders, moveTree, pathsExist, removeTree, treeSizes } from '../../../src/lane/trees.ts';
import { takeFence } from '../../../src/lane/fence.ts';
import { type LocalHost, startLocalHost } from './local-host.ts';
import { oddNames } from './odd-tree.ts';

const MiB = 1024 * 1024;
let local: LocalHost;
let shell: LaneShell;
let home: string;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
  home = shell.target.home;
});
afterAll(() => local.stop());

const under = (folder: string, name: Buffer) => Buffer.concat([Buffer.from(`${home}/${folder}/`), name]);
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function read(
  path: Buffer | string,
  offset: number,
  length: number,
): Promise<{ bytes: Buffer; missing: boolean }> {
  const { stdout, finished } = await readRange(shell, { base: home, path: Buffer.from(path), offset, length });
  const bytes = await buffer(stdout);
  return { bytes, ...(await finished) };
}

async function write(path: Buffer | string, offset: number, content: Buffer): Promise<void> {
  const { stdin, finished } = await writeRange(shell, { base: home, path: Buffer.from(path), offset });
  await pipeline(Readable.from([content]), stdin);
  await finished;
}

describe('ranges of a file', () => {
  const content = randomBytes(5 * MiB + 12_345);

  it.each([
    [0, 100],
    [0, 5 * MiB + 12_345],
    [MiB, MiB],
    [MiB + 1, 2 * MiB],
    [5 * MiB, 12_345],
    [12_345, 1],
    [0, 0],
  ])('reads %i and %i bytes', async (offset, length) => {
    writeFileSync(`${home}/big`, content);
    chmodSync(`${home}/big`, 0o644);
    const got = await read('big', offset, length);
    expect(sha(got.bytes)).toBe(sha(content.subarray(offset, offset + length)));
    expect(got).toMatchObject({ missing: false, bytes: { length } });
  });

  it('tells a shorter file by its bytes, and a vanished one', async () => {
    expect(await read('big', 5 * MiB, MiB)).toMatchObject({ missing: false, bytes: { length: 12_345 } });
    expect(await read('big', 9 * MiB, MiB)).toMatchObject({ missing: false, bytes: { length: 0 } });
    expect(await read('no-such', 0, 10)).toMatchObject({ missing: true, bytes: { length: 0 } });
  });

  it('puts pieces together in any order, with names as bytes, and finishes size, mode and time', async () => {
    const fence = { sectionStartMs: 1, order: 1, attempt: 1 };
    await takeFence(shell, fence);
    for (const name of oddNames) {
      const path = Buffer.concat([Buffer.from('made/in pieces/'), name]);
      await write(path, 2 * MiB, content.subarray(2 * MiB, 3 * MiB));
      await write(path, 0, content.subarray(0, 2 * MiB));
    }
    const files = oddNames.map((name, index) => ({
      path: Buffer.concat([Buffer.from('made/in pieces/'), name]),
      sizeBytes: 2 * MiB + 10 + index,
      mode: 0o4750,
      mtimeNs: 1_700_000_000_123_456_789n + BigInt(index),
    }));
    await finishFiles(shell, { base: home, files, fence });
    await finishFiles(shell, { base: home, files, fence });
    await finishFiles(shell, { base: home, files: [], fence });
    oddNames.forEach((name, index) => {
      const path = under('made/in pieces', name);
      const stats = lstatSync(path, { bigint: true });
      expect([Number(stats.mode) & 0o7777, stats.mtimeNs, Number(stats.size)]).toEqual([
        0o4750,
        1_700_000_000_123_456_789n + BigInt(index),
        2 * MiB + 10 + index,
      ]);
      expect(sha(readFileSync(path))).toBe(sha(content.subarray(0, 2 * MiB + 10 + index)));
    });
  }, 60_000);

  it('extends a file to its size, and takes a time before 1970', async () => {
    await write('short', 0, Buffer.from('abc'));
    await finishFiles(shell, {
      base: home,
      files: [{ path: Buffer.from('short'), sizeBytes: 10, mode: 0o600, mtimeNs: -1_500_000_001n }],
    });
    expect(readFileSync(`${home}/short`)).toEqual(Buffer.concat([Buffer.from('abc'), Buffer.alloc(7)]));
    expect(lstatSync(`${home}/short`, { bigint: true }).mtimeNs).toBe(-1_500_000_001n);
  });

  it('writes at offsets that are no whole blocks', async () => {
    await write('odd-offset', 0, Buffer.from('0123456789'));
    await write('odd-offset', 3, Buffer.from('abc'));
    expect(readFileSync(`${home}/odd-offset`, 'utf8')).toBe('012abc6789');
  });

  it('fails where it may not write, and refuses to leave its base', async () => {
    mkdirSync(`${home}/locked`, { mode: 0o555 });
    await expect(write('locked/x', 0, Buffer.from('a'))).rejects.toMatchObject({ code: 'HostCommandFailed' });
    await expect(write('../x', 0, Buffer.from('a'))).rejects.toMatchObject({ code: 'InvalidInput' });
    await expect(
      finishFiles(shell, {
        base: home,
        files: [{ path: Buffer.from('not-there/x'), sizeBytes: 1, mode: 0o600, mtimeNs: 0n }],
      }),
    ).rejects.toMatchObject({ code: 'HostCommandFailed' });
  });
});

describe('trees', () => {
  const fence = { sectionStartMs: 2, order: 1, attempt: 1 };

  it('are renamed once, however often it is asked', async () => {
    await takeFence(shell, fence);
    await makeFolders(shell, [`${home}/live/inner`], { fence });
    await moveTree(shell, `${home}/live`, `${home}/live.bak.1`, { fence });
    await moveTree(shell, `${home}/live`, `${home}/live.bak.1`, { fence });
    expect(await pathsExist(shell, [`${home}/live`, `${home}/live.bak.1/inner`, `${home}/live.bak.1`])).toEqual([
      false,
      true,
      true,
    ]);
    expect(await pathsExist(shell, [])).toEqual([]);
    const many = Array.from({ length: 6000 }, (_, index) =>
      `${home}/${index % 3 === 0 ? 'live.bak.1' : 'none'}/it's ${index}/..`.slice(
        0,
        index % 3 === 0 ? home.length + 11 : undefined,
      ),
    );
    expect((await pathsExist(shell, many)).filter(Boolean)).toHaveLength(2000);
  });

  it('never land inside another, and must be somewhere', async () => {
    await makeFolders(shell, [`${home}/first`], { fence });
    await makeFolders(shell, [`${home}/second`], { fence });
    await expect(moveTree(shell, `${home}/first`, `${home}/second`, { fence })).rejects.toMatchObject({
      code: 'HostCommandFailed',
    });
    await expect(moveTree(shell, `${home}/none`, `${home}/nowhere`, { fence })).rejects.toMatchObject({
      code: 'HostCommandFailed',
    });
    await expect(moveTree(shell, `${home}/first`, '/dev/shm/first', { fence })).rejects.toMatchObject({
      code: 'HostCommandFailed',
    });
    expect(existsSync(`${home}/second/first`)).toBe(false);
    expect(existsSync(`${home}/first`)).toBe(true);
  });

  it('are measured, an absent one as nothing', async () => {
    await shell.script('mkdir "$1" && head -c 300000 /dev/urandom >"$1/x"', [`${home}/sized`]);
    const [size = 0, none] = await treeSizes(shell, [`${home}/sized`, `${home}/no-such`]);
    expect(size).toBeGreaterThanOrEqual(300_000);
    expect(size).toBeLessThan(400_000);
    expect(none).toBe(0);
  });

  it('are removed only inside the home', async () => {
    await removeTree(shell, `${home}/sized`, { fence });
    expect(existsSync(`${home}/sized`)).toBe(false);
    for (const path of [home, `${home}/`, `${home}/../x`, '/etc', `${home}x`])
      await expect(removeTree(shell, path, { fence })).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});
