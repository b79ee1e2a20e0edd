// Makes a golden bundle: a small tree with everything that a bundle can hold, packed by bsdtar and GNU tar, sealed to
// two test keys. `node test/golden/make.ts FOLDER` writes the store's objects and `expected.json` into the folder.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import {
  closeSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeIndex, type IndexEntry, rangeEntry } from '../../src/bundle/index-file.ts';
import { encodeManifest, type ManifestSegment, totalsOf } from '../../src/bundle/manifest.ts';
import { indexKey, manifestKey, randomSuffix, segmentKey } from '../../src/bundle/object-keys.ts';
import { sealPipeline } from '../../src/bundle/pipelines.ts';
import { type PlannedSegment, planBundle, type PlanOptions } from '../../src/bundle/plan.ts';
import { recipientFingerprint } from '../../src/bundle/recipient.ts';
import { recipientsDigest } from '../../src/bundle/seal.ts';
import { encodeSecrets } from '../../src/bundle/secrets-file.ts';
import { auditTar } from '../../src/bundle/tar-audit.ts';
import type { FileEntry } from '../../src/domain/file-entry.ts';
import { type Profile, profileOf } from '../../src/domain/profile.ts';
import { components } from '../../src/domain/terms.ts';
import { recipients, signers } from './keys.ts';

export const golden = { fleet: 'golden-fleet', lane: 'lane-1', bundle: '20261122T031500Z-0123abcd' } as const;

/** What `expected.json` says of a golden bundle. */
export interface Expected {
  readonly plainSha256: Record<string, string>;
  readonly secrets: readonly { readonly service: string; readonly account: string; readonly valueBase64: string }[];
  readonly tree: readonly TreeLine[];
}

/** One path of the tree that a reader has to end with. */
export interface TreeLine {
  readonly pathBase64: string;
  readonly type: string;
  readonly mode: number;
  readonly mtimeNs: string;
  readonly links: number;
  readonly content: string;
}

const sealedTo = [recipients.vault, recipients.recovery];
const epoch = 1_750_000_000;

const options: PlanOptions = {
  profile: profileOf('slimvps-legacy') as Profile,
  components,
  exclude: [],
  base: 'home',
  listedAtMs: (epoch + 86_400 * 3650) * 1000,
  fingerprintKey: Buffer.alloc(32, 0x42),
  recipientsDigest: recipientsDigest(sealedTo),
  firstNumber: 1,
  segmentBytes: 40_000,
  maxSegments: 500,
  reuse: true,
  supplement: false,
};

/** Writes a golden bundle below a folder. */
export async function makeGolden(folder: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'clawback-golden-'));
  try {
    makeHome(home);
    const first = planBundle(listTree(home), options);
    const parts: Part[] = [];
    for (const [at, segment] of first.segments.entries())
      parts.push(await pack(home, segment, at % 2 ? 'tar' : 'bsdtar'));
    parts.push(secretsPart(first.segments.length + 1), await supplementPart(home, first.segments.length + 2));
    const segments: ManifestSegment[] = [];
    for (const part of parts) segments.push(await store(folder, part));
    write(folder, manifestKey(golden.lane, golden.bundle), manifestOf(segments));
    write(folder, 'expected.json', Buffer.from(`${JSON.stringify(expectedOf(home, parts), undefined, 1)}\n`));
  } finally {
    rmSync(home, { recursive: true });
  }
}

interface Part {
  readonly segment: Omit<PlannedSegment, 'members' | 'sizeBytes'>;
  readonly plain: Buffer;
  readonly entries: readonly IndexEntry[];
  readonly members: number;
}

function makeHome(home: string): void {
  const at = (name: string, alien = Buffer.alloc(0)): Buffer => Buffer.concat([Buffer.from(`${home}/${name}`), alien]);
  for (const directory of ['.openclaw/config', '.openclaw/transcripts', 'workspace/sub'])
    mkdirSync(at(directory), { recursive: true });
  writeFileSync(at('.openclaw/config/openclaw.json'), '{"port":11430}\n', { mode: 0o600 });
  writeFileSync(at('.openclaw/config/not-utf8-', Buffer.from([0xff, 0xfe])), 'a name that is not UTF-8\n');
  symlinkSync('openclaw.json', at('.openclaw/config/symlink'));
  writeFileSync(at('.openclaw/transcripts/large.jsonl'), '{"role":"user","text":"hello"}\n'.repeat(3000));
  writeFileSync(at('.openclaw/transcripts/torn.jsonl'), 'first look\n');
  writeFileSync(at('workspace/sub/one-file'), 'two names\n', { mode: 0o755 });
  linkSync(at('workspace/sub/one-file'), at('workspace/the-same'));
  writeFileSync(at('workspace/empty'), '');
  const sparse = openSync(at('workspace/sparse'), 'w');
  writeSync(sparse, 'island', 2_000_000);
  closeSync(sparse);
  truncateSync(join(home, 'workspace/sparse'), 3_000_000);
  for (const { path } of listTree(home).toReversed()) setTime(Buffer.concat([at(''), path]), epoch + 0.5);
}

function setTime(path: Buffer, seconds: number): void {
  if (!lstatSync(path).isSymbolicLink()) utimesSync(path, seconds, seconds);
}

/** Everything below a folder, parents first. */
export function listTree(root: string): FileEntry[] {
  const entries: FileEntry[] = [];
  const walk = (below: Buffer): void => {
    const here = below.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), below]);
    for (const name of readdirSync(here, { encoding: 'buffer' }).toSorted(Buffer.compare)) {
      const path = below.length === 0 ? name : Buffer.concat([below, Buffer.from('/'), name]);
      const entry = entryOf(path, lstatSync(Buffer.concat([Buffer.from(`${root}/`), path]), { bigint: true }));
      entries.push(entry);
      if (entry.type === 'directory') walk(path);
    }
  };
  walk(Buffer.alloc(0));
  return entries;
}

function entryOf(path: Buffer, stat: BigIntStats): FileEntry {
  const notDirectory = stat.isSymbolicLink() ? 'symlink' : 'file';
  return {
    path,
    type: stat.isDirectory() ? 'directory' : notDirectory,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    sizeBytes: Number(stat.size),
    allocatedBytes: Number(stat.blocks) * 512,
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    device: String(stat.dev),
    inode: String(stat.ino),
    links: Number(stat.nlink),
  };
}

async function pack(home: string, segment: PlannedSegment, tool: keyof typeof flags): Promise<Part> {
  const [first] = segment.members;
  if (segment.range !== undefined && first !== undefined) {
    const { offset, length } = segment.range;
    const plain = readFileSync(join(home, first.path.toString())).subarray(offset, offset + length);
    return { segment, plain, entries: [rangeEntry(first, sha256(plain))], members: 1 };
  }
  const list = Buffer.concat(segment.members.flatMap(({ path }) => [path, Buffer.of(0)]));
  const input = { input: list, stdio: ['pipe', 'pipe', 'ignore'] as const, maxBuffer: 1e8 };
  const plain = execFileSync(tool, ['-cf', '-', ...flags[tool], '-C', home, '--null', '-T', '-'], {
    ...input,
    stdio: [...input.stdio],
  });
  const audit = auditTar({ expect: 'list', members: segment.members });
  await pipeline(Readable.from([plain]), audit.stream, async (passed: AsyncIterable<Buffer>) => {
    for await (const chunk of passed) if (chunk.length === 0) throw new Error('an empty chunk');
  });
  const { entries } = audit.result();
  return { segment, plain, entries, members: entries.length };
}

const flags = {
  bsdtar: ['--format', 'pax', '--no-xattrs', '--no-fflags', '--numeric-owner', '-n'],
  tar: ['--format=pax', '--sparse', '--no-recursion', '--numeric-owner', '--owner=501', '--group=20'],
} as const;

const secrets = [
  { service: 'openclaw-gateway', account: 'agent-lane-1', value: Buffer.from('test-only-not-a-secret') },
  { service: 'openclaw-binary', account: 'é', value: Buffer.from([0, 255, 10]) },
];

function secretsPart(number: number): Part {
  const place = { component: 'secrets', kind: 'secrets', base: 'home', reusable: false, supplement: false } as const;
  const segment = { ...place, id: idOf(number), fingerprint: sha256(Buffer.from('secrets')) };
  return { segment, plain: encodeSecrets(secrets), entries: [], members: secrets.length };
}

/** A file that changed while it was read, taken again. */
async function supplementPart(home: string, number: number): Promise<Part> {
  const name = '.openclaw/transcripts/torn.jsonl';
  writeFileSync(join(home, name), 'first look\nsecond look\n');
  utimesSync(join(home, name), epoch + 60, epoch + 60);
  const torn = listTree(home).filter(({ path }) => path.toString() === name);
  const [segment] = planBundle(torn, { ...options, supplement: true, firstNumber: number }).segments;
  return pack(home, segment as PlannedSegment, 'bsdtar');
}

async function store(folder: string, { segment, plain, entries, members }: Part): Promise<ManifestSegment> {
  const { id, component, kind, base, range, fingerprint, reusable, supplement } = segment;
  const about = { component, kind, base, ...(range && { range }) };
  const index = encodeIndex({
    segment: id,
    ...about,
    entries,
    omissions: [{ path: Buffer.from('left-out'), reason: 'vanished' }],
  });
  const [suffix, indexSuffix] = [randomSuffix(), randomSuffix()];
  const sealed = await seal(folder, segmentKey(golden.lane, fingerprint, suffix), 'segment', fingerprint, plain);
  const sealedIndex = await seal(folder, indexKey(golden.lane, fingerprint, indexSuffix), 'index', fingerprint, index);
  const totals = { plainBytes: plain.length, members };
  return {
    id,
    ...about,
    supplement,
    fingerprint,
    reusable,
    suffix,
    ...sealed,
    ...totals,
    index: { suffix: indexSuffix, ...sealedIndex },
  };
}

type Sealed = Pick<ManifestSegment, 'sealedBytes' | 'sealedSha256'>;

async function seal(
  folder: string,
  key: string,
  object: 'segment' | 'index',
  fingerprint: string,
  plain: Buffer,
): Promise<Sealed> {
  const context = { fleet: golden.fleet, lane: golden.lane, object, fingerprint };
  const run = sealPipeline(Readable.from([plain]), sealedTo, context);
  const chunks: Buffer[] = [];
  for await (const chunk of run.sealed as AsyncIterable<Buffer>) chunks.push(chunk);
  write(folder, key, Buffer.concat(chunks));
  const { sealedBytes, sealedSha256 } = await run.totals;
  return { sealedBytes, sealedSha256 };
}

function manifestOf(segments: ManifestSegment[]): Buffer {
  return encodeManifest(
    {
      format: 1,
      ...golden,
      tier: 'B',
      profile: 'slimvps-legacy',
      createdAt: '2026-11-22T03:16:00Z',
      capturedAt: '2026-11-22T03:15:02Z',
      host: { name: 'mac-1', region: 'hk', os: 'macOS 26.1', openclawVersion: '2025.11.3' },
      clockOffsetMs: -12,
      consistency: 'compared',
      components: totalsOf(segments),
      segments,
      omissions: [{ reason: 'vanished', count: segments.length }],
      recipients: sealedTo.map((recipient) => ({ name: recipient.name, fingerprint: recipientFingerprint(recipient) })),
    },
    signers.manifest,
  );
}

function expectedOf(home: string, parts: readonly Part[]): Expected {
  return {
    plainSha256: Object.fromEntries(parts.map(({ segment, plain }) => [segment.id, sha256(plain)])),
    secrets: secrets.map(({ value, ...item }) => ({ ...item, valueBase64: value.toString('base64') })),
    tree: treeLines(home),
  };
}

/** A tree as lines that two trees share when they are identical. Times of symlinks are left out: no tar sets them everywhere. */
export function treeLines(root: string): TreeLine[] {
  return listTree(root).map((entry) => {
    const full = Buffer.concat([Buffer.from(`${root}/`), entry.path]);
    const isDirectory = entry.type === 'directory';
    return {
      pathBase64: entry.path.toString('base64'),
      type: entry.type,
      mode: entry.mode,
      mtimeNs: entry.type === 'symlink' ? '' : String(entry.mtimeNs),
      links: isDirectory ? 0 : entry.links,
      content: isDirectory ? '' : contentOf(entry, full),
    };
  });
}

function contentOf({ type }: FileEntry, full: Buffer): string {
  return type === 'symlink'
    ? readlinkSync(full, { encoding: 'buffer' }).toString('base64')
    : sha256(readFileSync(full));
}

function write(folder: string, key: string, bytes: Buffer): void {
  const path = join(folder, key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { flag: 'wx' });
}

function idOf(number: number): string {
  return `s-${String(number).padStart(4, '0')}`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

if (import.meta.main) await makeGolden(process.argv[2] ?? '');
