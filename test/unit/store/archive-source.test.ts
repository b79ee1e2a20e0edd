// Where archives lie: read by name, and nothing beside them.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFailure } from '../../../src/domain/failure.ts';
import { archiveFolder, archiveStore } from '../../../src/store/archive-source.ts';
import type { Store } from '../../../src/store/store.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'clawback-archives-'));
  mkdirSync(join(root, 'archives/2026'), { recursive: true });
  writeFileSync(join(root, 'secret'), 'secret');
  writeFileSync(join(root, 'archives/2026/a'), 'archive');
  symlinkSync('../secret', join(root, 'archives/out'));
  symlinkSync('2026/a', join(root, 'archives/in'));
  execFileSync('mkfifo', [join(root, 'archives/pipe')]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const { signal } = new AbortController();

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return isFailure(error) ? error.code : String(error);
}

describe('a folder of archives', () => {
  it('gives what lies below it, also through a link that stays inside', async () => {
    const source = archiveFolder(join(root, 'archives'));
    expect(await source.sizeOf('2026/a', signal)).toBe(7);
    expect(await text(await source.open('2026/a', signal))).toBe('archive');
    expect(await text(await source.open('in', signal))).toBe('archive');
  });

  it.each([
    ['../secret', 'InvalidInput'],
    ['/etc/passwd', 'InvalidInput'],
    ['out', 'ArchiveMissing'],
    ['absent', 'ArchiveMissing'],
    ['2026', 'ArchiveMissing'],
    ['pipe', 'ArchiveMissing'],
  ])('refuses %s', async (name, code) => {
    expect(await codeOf(archiveFolder(join(root, 'archives')).sizeOf(name, signal))).toBe(code);
  });

  it('that is not there has no archive', async () => {
    expect(await codeOf(archiveFolder(join(root, 'nowhere')).open('a', signal))).toBe('ArchiveMissing');
  });
});

describe('a store of archives', () => {
  const store = {
    name: 'scripts',
    async *list() {
      yield { key: 'a.tar.gz', sizeBytes: 7, modifiedAtMs: 0 };
      yield { key: 'a.tar.gz.gpg', sizeBytes: 9, modifiedAtMs: 0 };
    },
    get: async () => Readable.from(['archive']),
  } as unknown as Store;

  it('gives an object by its key', async () => {
    expect(await archiveStore(store).sizeOf('a.tar.gz.gpg', signal)).toBe(9);
    expect(await text(await archiveStore(store).open('a.tar.gz', signal))).toBe('archive');
    expect(await codeOf(archiveStore(store).sizeOf('b', signal))).toBe('ArchiveMissing');
  });
});
