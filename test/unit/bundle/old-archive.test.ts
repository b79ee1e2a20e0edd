// Archives of the old scripts: read, judged, cut into segments of a bundle; and those that are refused.

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { listArchive, writeArchive } from '../../../src/bundle/archive-segments.ts';
import { type IndexEntry, pathOf } from '../../../src/bundle/index-file.ts';
import {
  type ArchivePlan,
  type ArchivePlanOptions,
  layoutOf,
  planArchive,
} from '../../../src/bundle/old-archive-plan.ts';
import { readArchive, type Unwrapping } from '../../../src/bundle/unwrap.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import { oldArchiveOf } from '../../../src/domain/old-archive.ts';
import { profileOf } from '../../../src/domain/profile.ts';
import { makeMac, opened, packed, passphrase } from './old-archives.ts';

const profile = profileOf('slimvps-legacy');
if (!profile) throw new Error('no profile');
const options: ArchivePlanOptions = {
  profile,
  exclude: [],
  home: 'Users/agent-lane-1',
  plists: ['/Library/LaunchDaemons/com.slimvps.openclaw-lane1.plist'],
  segmentBytes: 1 << 28,
};

let mac: string;
beforeAll(() => void (mac = makeMac()));
afterAll(() => rmSync(mac, { recursive: true, force: true }));

function how(path: string, more: Partial<Unwrapping> = {}): Unwrapping {
  return { wrapping: oldArchiveOf(path).wrapping, passphrase, ...more };
}

async function list(path: string, more: Partial<Unwrapping> = {}): Promise<readonly IndexEntry[]> {
  return (await readArchive(opened(path), how(path, more), listArchive)).result;
}

/** Every segment's tar, unpacked listing by bsdtar: another reader than the one that wrote it. */
async function segmentsOf(path: string, plan: ArchivePlan): Promise<Map<string, { listing: string[]; tar: Buffer }>> {
  const found = new Map<string, { listing: string[]; tar: Buffer }>();
  await readArchive(opened(path), how(path), (tar) =>
    writeArchive(tar, plan, async ({ id }, segment) => {
      const bytes = await buffer(segment);
      const listing = execFileSync('bsdtar', ['-tf', '-'], {
        input: bytes,
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      });
      found.set(id, { listing: listing.toString().trimEnd().split('\n'), tar: bytes });
    }),
  );
  return found;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return isFailure(error) ? error.code : String(error);
}

const whole = ['Users/agent-lane-1/.openclaw', 'Users/agent-lane-1/workspace'];

describe('what is in an archive', () => {
  it.each(['openclaw-full-20250301.tar.gz', 'openclaw-full-20250301.tar.gz.gpg', 'openclaw-full-20250301.tar.gz.enc'])(
    'becomes segments with the names of the home, content once, links beside it: %s',
    async (name) => {
      const path = packed(mac, name, whole);
      const entries = await list(path);
      const plan = planArchive(entries, options);
      const segments = await segmentsOf(path, plan);
      const data = plan.segments.filter(({ kind }) => kind === 'tar');
      expect(data.map(({ component }) => component).toSorted()).toEqual(['config', 'transcripts', 'workspace']);
      const names = data.flatMap(({ id }) => segments.get(id)?.listing ?? []).toSorted();
      expect(names).toEqual(
        [
          '.openclaw/config/routes.json',
          '.openclaw/transcripts/a.jsonl',
          '.openclaw/transcripts/sessions.sqlite',
          '.openclaw/transcripts/sessions.sqlite-wal',
          'workspace/configuration',
          'workspace/sparse',
          'workspace/zz-link-2.js',
          'workspace/zz-link.js',
          `workspace/é/${'long-'.repeat(30)}end.ts`,
        ].toSorted(),
      );
      expect(Object.fromEntries(plan.omissions.map(({ reason, count }) => [reason, count]))).toMatchObject({
        'apple-double': 1,
        'database-sidecar': 1,
      });
      // content of a file whose first name was left out
      const workspace = data.find(({ component }) => component === 'workspace');
      const tar = segments.get(workspace?.id ?? '')?.tar;
      expect(
        execFileSync('bsdtar', ['-xOf', '-', 'workspace/zz-link.js', 'workspace/zz-link-2.js'], {
          input: tar,
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        }).toString(),
      ).toContain('shared by a link');
    },
  );

  it('relative to the home is read as one, and tells its layout', async () => {
    const entries = await list(
      packed(mac, 'lane1-20250301.tar.gz', ['.openclaw', 'workspace'], join(mac, 'Users/agent-lane-1')),
    );
    const routes = entries.find((entry) => pathOf(entry).toString() === '.openclaw/config/routes.json');
    expect(routes?.mtime).toBe('1740000000000000000');
    expect(layoutOf(entries)).toBe('slimvps-legacy');
    expect(planArchive(entries, options).own).toBe(entries.length);
  });

  it("takes the lane's plist, and neither a neighbour's plist nor his files", async () => {
    const path = packed(mac, 'openclaw-config-20250301.tar.gz', ['Users', 'Library']);
    const plan = planArchive(await list(path), options);
    const segments = await segmentsOf(path, plan);
    const plists = plan.segments.find(({ component }) => component === 'plists');
    expect(plists?.base).toBe('host');
    expect(segments.get(plists?.id ?? '')?.listing).toEqual(['Library/LaunchDaemons/com.slimvps.openclaw-lane1.plist']);
    expect([...segments.values()].flatMap(({ listing }) => listing).join(' ')).not.toContain('lane-2');
    // .openclaw, config and routes.json of the neighbour, his home, his plist
    expect(plan.omissions.find(({ reason }) => reason === 'other-lane')?.count).toBe(5);
  });

  it('is cut at the size of a segment, a member never', async () => {
    const path = packed(mac, 'openclaw-full-20250301.tar.gz', whole);
    const entries = await list(path);
    const plan = planArchive(entries, { ...options, segmentBytes: 1000 });
    expect(plan.segments.filter(({ component, kind }) => component === 'transcripts' && kind === 'tar').length).toBe(2);
    const segments = await segmentsOf(path, plan);
    expect(segments.size).toBe(plan.segments.length);
  });
});

describe('what is refused', () => {
  it('is a passphrase that is wrong or absent', async () => {
    for (const name of ['openclaw-full-20250302.tar.gz.gpg', 'openclaw-full-20250302.tar.gz.enc']) {
      const path = packed(mac, name, whole);
      expect(await codeOf(list(path, { passphrase: Buffer.from('wrong') }))).toBe('ArchiveKeyWrong');
      expect(await codeOf(list(path, { passphrase: undefined }))).toBe('ArchiveKeyWrong');
    }
  });

  it.each(['openclaw-full-20250303.tar.gz', 'openclaw-full-20250303.tar.gz.gpg', 'openclaw-full-20250303.tar.gz.enc'])(
    'is one that is cut: %s',
    async (name) => {
      const path = packed(mac, name, whole);
      const { length } = readFileSync(path);
      truncateSync(path, length - 40);
      expect(await codeOf(list(path))).toBe('ArchiveDamaged');
      truncateSync(path, Math.floor(length / 2));
      expect(await codeOf(list(path))).toBe('ArchiveDamaged');
    },
  );

  it('is one with a flipped bit, and what is no archive at all', async () => {
    const path = packed(mac, 'openclaw-full-20250304.tar.gz', whole);
    const bytes = readFileSync(path);
    bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(await codeOf(list(path))).toBe('ArchiveDamaged');
    writeFileSync(path, 'no archive');
    expect(await codeOf(list(path))).toBe('ArchiveDamaged');
    writeFileSync(path, gzipSync(Buffer.from('no tar'.repeat(1000))));
    expect(await codeOf(list(path))).toBe('ArchiveDamaged');
  });

  it.each([
    ['a name that leads out', { name: 'Users/agent-lane-1/../../etc/passwd' }],
    ['an absolute name', { name: '/etc/passwd' }],
    ['a device', { name: 'workspace/d', type: 'character-device' as const }],
    ['a hard link to what it does not hold', { name: 'workspace/l', type: 'link' as const, linkname: '/etc/passwd' }],
    ['a link in the place of a tree', { name: '.openclaw', type: 'symlink' as const, linkname: '/etc' }],
  ])('is %s', async (_, header) => {
    const archive = pack();
    archive.entry({ name: 'workspace/first' }, 'x');
    if ('type' in header) archive.entry(header);
    else archive.entry(header, '');
    archive.finalize();
    const tar = gzipSync(await buffer(archive));
    const read = readArchive(Readable.from([tar]), { wrapping: 'none' }, listArchive);
    expect(await codeOf(read.then(({ result }) => planArchive(result, options)))).toBe('ArchiveHostile');
  });

  it('is a failing sink, with its own failure', async () => {
    const path = packed(mac, 'openclaw-full-20250305.tar.gz', whole);
    const plan = planArchive(await list(path), options);
    const work = readArchive(opened(path), how(path), (tar) =>
      writeArchive(tar, plan, async () => {
        throw new Error('the store is full');
      }),
    );
    expect(await codeOf(work)).toContain('the store is full');
  });

  it('is one that grows past its bound, and one whose reader is not on this machine', async () => {
    const path = packed(mac, 'openclaw-full-20250306.tar.gz', whole);
    expect(await codeOf(list(path, { maxBytes: 10_000 }))).toBe('ArchiveHostile');
    vi.stubEnv('PATH', '/nonexistent');
    expect(await codeOf(list(path, { wrapping: 'openssl' }))).toBe('ToolMissing');
    vi.unstubAllEnvs();
  });

  it('is one that cannot be read any more, with the error of its medium', async () => {
    const broken = Readable.from(
      (function* () {
        yield readFileSync(packed(mac, 'openclaw-full-20250306.tar.gz', whole)).subarray(0, 100);
        throw new Error('the disk is gone');
      })(),
    );
    expect(await codeOf(readArchive(broken, { wrapping: 'none' }, listArchive))).toContain('the disk is gone');
  });

  it('is one that falls into more parts than a bundle may have', async () => {
    const entries = Array.from({ length: 1200 }, (_, at): IndexEntry => {
      const path = at % 2 === 0 ? `.openclaw/config/${at}` : `workspace/${at}`;
      return { path, type: 'file', mode: 0o600, sizeBytes: 1, mtime: '0', sha256: 'a'.repeat(64) };
    });
    expect(() => planArchive(entries, options)).toThrow('an archive falls into 1200 parts, 500 are allowed');
  });

  it('ends at once when it is cancelled', async () => {
    const path = packed(mac, 'openclaw-full-20250305.tar.gz.gpg', whole);
    const cancelled = new AbortController();
    const work = readArchive(opened(path), how(path, { signal: cancelled.signal }), async (tar) => {
      cancelled.abort(new Error('cancelled'));
      return listArchive(tar);
    });
    expect(await codeOf(work)).toContain('cancelled');
  });
});
