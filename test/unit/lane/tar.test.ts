import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeFence } from '../../../src/lane/fence.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { listFiles } from '../../../src/lane/listing.ts';
import { packFiles, unpackFiles } from '../../../src/lane/tar.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';
import { describeTree, makeOddTree, sparseBytes } from './odd-tree.ts';

let local: LocalHost;
beforeAll(async () => {
  local = await startLocalHost();
});
afterAll(() => local.stop());

const tars = { bsdtar: '/usr/bin/bsdtar', gnu: '/bin/tar' } as const;

async function laneWith(tar: keyof typeof tars): Promise<LaneShell> {
  return local.shell({ host: { ...local.host, tools: { ...local.host.tools, tar: tars[tar] } } });
}

function writeList(shell: LaneShell, names: readonly (string | Buffer)[], file = 'list'): string {
  const path = `${shell.target.home}/${file}`;
  writeFileSync(path, Buffer.concat(names.flatMap((name) => [Buffer.from(name), Buffer.from([0])])));
  chmodSync(path, 0o644);
  return path;
}

async function pack(shell: LaneShell, base: string, listPath: string): Promise<{ archive: Buffer; missing: number }> {
  const { stdout, finished } = await packFiles(shell, { base, listPath });
  const archive = await buffer(stdout);
  return { archive, ...(await finished) };
}

async function unpack(shell: LaneShell, base: string, archive: Buffer): Promise<void> {
  const { stdin, finished } = await unpackFiles(shell, { base });
  await Promise.allSettled([pipeline(Readable.from([archive.subarray(0, 1000), archive.subarray(1000)]), stdin)]);
  await finished;
}

const pairs = [
  ['bsdtar', 'bsdtar'],
  ['gnu', 'gnu'],
  ['bsdtar', 'gnu'],
  ['gnu', 'bsdtar'],
] as const;

describe.each(pairs)('packed by %s, unpacked by %s', (packer, unpacker) => {
  it('a tree comes back identical: names as bytes, modes, times, links, holes', async () => {
    const from = await laneWith(packer);
    const source = `${from.target.home}/tree`;
    mkdirSync(source);
    makeOddTree(source, from.target.user);
    const names: Buffer[] = [];
    const folders: Buffer[] = [];
    for await (const entry of listFiles(from, { base: from.target.home, paths: ['tree'] }))
      (entry.type === 'directory' ? folders : names).push(entry.path.subarray('tree/'.length));
    const files = await pack(from, source, writeList(from, names));
    const directories = await pack(
      from,
      source,
      writeList(
        from,
        folders.filter((name) => name.length > 0),
        'folders',
      ),
    );
    expect([files.missing, directories.missing]).toEqual([0, 0]);
    const to = await laneWith(unpacker);
    const target = `${to.target.home}/staged`;
    await unpack(to, target, files.archive);
    await unpack(to, target, directories.archive);
    await unpack(to, target, files.archive);
    await unpack(to, target, directories.archive);
    expect(describeTree(target)).toEqual(describeTree(source));
    expect(statSync(`${target}/sparse`).blocks * 512).toBeLessThan(sparseBytes / 10);
    expect(files.archive.length).toBeLessThan(sparseBytes / 10);
    expect(execFileSync('stat', ['-c', '%U', `${target}/plain`], { encoding: 'utf8' }).trim()).toBe(to.target.user);
  });
});

describe.each(['bsdtar', 'gnu'] as const)('packFiles with %s', (tar) => {
  it('counts vanished members and goes on', async () => {
    const shell = await laneWith(tar);
    writeFileSync(`${shell.target.home}/here`, 'x', { mode: 0o644 });
    const { archive, missing } = await pack(
      shell,
      shell.target.home,
      writeList(shell, ['gone', 'here', 'also-gone', Buffer.from([0xff, 0x0a, 0x67])]),
    );
    expect(missing).toBe(3);
    expect(execFileSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' })).toBe('here\n');
  });

  it.runIf(isRoot)('fails for a file that cannot be read, and names it only on the lane', async () => {
    const shell = await laneWith(tar);
    writeFileSync(`${shell.target.home}/private-name`, 'x', { mode: 0o600 });
    const { stdout, finished } = await packFiles(shell, {
      base: shell.target.home,
      listPath: writeList(shell, ['private-name']),
    });
    stdout.resume();
    const failure = await finished.catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'TarFailed', context: { count: 1 } });
    expect(String(failure)).not.toContain('private-name');
    expect(readFileSync(shell.clawbackPath('report'), 'utf8')).toContain('private-name');
  });

  it('gives an empty archive for an empty list, and says when the list is gone', async () => {
    const shell = await laneWith(tar);
    const { archive } = await pack(shell, shell.target.home, writeList(shell, []));
    expect(execFileSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' })).toBe('');
    const { stdout, finished } = await packFiles(shell, { base: shell.target.home, listPath: '/no/such/list' });
    stdout.resume();
    await expect(finished).rejects.toMatchObject({ code: 'PlanLost' });
  });

  it('ends with its signal, and leaves no file of its own behind', async () => {
    const shell = await laneWith(tar);
    execFileSync('sh', [
      '-c',
      `yes | head -c 300000000 > ${shell.target.home}/big; chmod 644 ${shell.target.home}/big`,
    ]);
    const abort = new AbortController();
    const { stdout, finished } = await packFiles(shell, {
      base: shell.target.home,
      listPath: writeList(shell, ['big']),
      signal: abort.signal,
    });
    stdout.once('data', () => abort.abort(new Error('enough')));
    await expect(finished).rejects.toThrow('enough');
    rmSync(`${shell.target.home}/big`);
    const left = () => execFileSync('ls', [shell.clawbackPath('tmp')], { encoding: 'utf8' });
    for (let waitedMs = 0; waitedMs < 10_000 && left() !== ''; waitedMs += 100) await sleep(100);
    expect(left()).toBe('');
  });
});

describe.each(['bsdtar', 'gnu'] as const)('unpackFiles with %s', (tar) => {
  it('refuses a cut archive', async () => {
    const shell = await laneWith(tar);
    writeFileSync(`${shell.target.home}/here`, Buffer.alloc(100_000, 1), { mode: 0o644 });
    const { archive } = await pack(shell, shell.target.home, writeList(shell, ['here']));
    await expect(unpack(shell, `${shell.target.home}/staged`, archive.subarray(0, 60_000))).rejects.toMatchObject({
      code: 'TarFailed',
    });
  });

  it('does not write outside its base, even when asked by an archive', async () => {
    const shell = await laneWith(tar);
    const evil = execFileSync('tar', ['-cf', '-', '-P', '--transform', 's,.*,../escaped,', '/etc/hostname']);
    await Promise.allSettled([unpack(shell, `${shell.target.home}/staged`, evil)]);
    expect(existsSync(`${shell.target.home}/escaped`)).toBe(false);
  });

  it('replaces a hard link without writing through it', async () => {
    const shell = await laneWith(tar);
    const { home } = shell.target;
    writeFileSync(`${home}/a`, 'new', { mode: 0o644 });
    const { archive } = await pack(shell, home, writeList(shell, ['a']));
    await shell.script('mkdir "$1" && echo old >"$1/b" && ln "$1/b" "$1/a"', [`${home}/staged`]);
    await unpack(shell, `${home}/staged`, archive);
    expect(readFileSync(`${home}/staged/b`, 'utf8')).toBe('old\n');
    expect(readFileSync(`${home}/staged/a`, 'utf8')).toBe('new');
  });

  it('does nothing under a lost fence', async () => {
    const shell = await laneWith(tar);
    const fence = { sectionStartMs: 1, order: 1, attempt: 1 };
    await takeFence(shell, fence);
    await takeFence(shell, { ...fence, attempt: 2 });
    const { stdin, finished } = await unpackFiles(shell, { base: `${shell.target.home}/staged`, fence });
    stdin.end(Buffer.alloc(1024));
    await expect(finished).rejects.toMatchObject({ code: 'FenceLost' });
    expect(existsSync(`${shell.target.home}/staged`)).toBe(false);
  });
});
