// Any small tree, made at random, comes back identical through plan, tar, seal and back: the rooms alone, without
// workflows, over a real connection.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlannedSegment, planBundle } from '../../src/bundle/plan.ts';
import { openPipeline, sealPipeline } from '../../src/bundle/pipelines.ts';
import { unpackOrder } from '../../src/bundle/restore-plan.ts';
import { auditTar } from '../../src/bundle/tar-audit.ts';
import { loadFleet } from '../../src/config/fleet-file.ts';
import { placeKeys } from '../rig/keys.ts';
import { resolveOpeningKey } from '../../src/config/fleet-secrets.ts';
import type { FileEntry } from '../../src/domain/file-entry.ts';
import { profileOf } from '../../src/domain/profile.ts';
import { components } from '../../src/domain/terms.ts';
import { HostPool } from '../../src/lane/host-pool.ts';
import { clawbackFile, writeLaneFile } from '../../src/lane/lane-files.ts';
import { LaneShell } from '../../src/lane/lane-shell.ts';
import { listFiles } from '../../src/lane/listing.ts';
import { finishFiles, readRange, writeRange } from '../../src/lane/ranges.ts';
import { packFiles, unpackFiles } from '../../src/lane/tar.ts';
import { type Bed, bestBedKind, fleetYaml, startBed } from '../bed/bed.ts';
import { differences, digestTree } from '../bed/tree-digest.ts';

interface Node {
  readonly name: Buffer;
  readonly in: number;
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  readonly content: Buffer;
  readonly mode: number;
  readonly seconds: number;
}

const name = fc
  .uint8Array({ minLength: 1, maxLength: 24 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x0a : byte))))
  .filter((bytes) => !['.', '..'].includes(bytes.toString('latin1')));
const node: fc.Arbitrary<Node> = fc.record({
  name,
  in: fc.nat(50),
  type: fc.constantFrom('file', 'file', 'directory', 'symlink', 'link'),
  content: fc.uint8Array({ maxLength: 9000 }).map((bytes) => Buffer.from(bytes)),
  mode: fc.integer({ min: 0, max: 0o777 }).map((mode) => mode | 0o400),
  seconds: fc.integer({ min: 0, max: 4e9 }).map((tenths) => tenths / 10 ** 3),
});

/** Each node goes into one of the directories before it; a name that is taken is left out. */
function makeTree(root: string, nodes: readonly Node[]): void {
  mkdirSync(root, { recursive: true });
  const directories = [Buffer.from(root)];
  const made: Buffer[] = [];
  const times: [Buffer, Node][] = [];
  for (const one of nodes) {
    const path = Buffer.concat([directories[one.in % directories.length] as Buffer, Buffer.from('/'), one.name]);
    if (!makeNode(path, one, made)) continue;
    if (one.type === 'directory') directories.push(path);
    if (one.type === 'file') made.push(path);
    if (one.type !== 'link') times.push([path, one]);
  }
  for (const [path, { type, mode, seconds }] of times.toReversed()) {
    if (type !== 'symlink') chmodSync(path, type === 'directory' ? mode | 0o700 : mode);
    lutimesSync(path, seconds, seconds);
  }
}

function makeNode(path: Buffer, { type, content }: Node, files: readonly Buffer[]): boolean {
  try {
    if (type === 'directory') mkdirSync(path);
    else if (type === 'symlink')
      symlinkSync(Buffer.from([...content.subarray(0, 60)].map((byte) => byte || 1)).toString('latin1') || 'x', path);
    else if (type === 'link' && files.length > 0) linkSync(files[content.length % files.length] as Buffer, path);
    else writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const context = { fleet: 'bed', lane: 'lane-1', object: 'segment', fingerprint: 'f'.repeat(64) } as const;

describe('a random tree', () => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-tree-'));
  let bed: Bed;
  let pool: HostPool;
  let shell: LaneShell;
  let keys: {
    recipients: readonly { name: string; publicKeyPem: string }[];
    opening: { name: string; privateKeyPem: string };
  };

  beforeAll(async () => {
    bed = await startBed({ kind: bestBedKind(), dir: join(dir, 'bed'), hosts: [{ name: 'mac-1', lanes: 1 }] });
    await placeKeys(join(dir, 'keys'));
    mkdirSync(join(dir, 'store'));
    writeFileSync(
      join(dir, 'fleet.yaml'),
      await fleetYaml(bed, { storePath: join(dir, 'store'), keysDir: join(dir, 'keys') }),
    );
    const fleet = await loadFleet(join(dir, 'fleet.yaml'));
    keys = { recipients: fleet.keys.recipients, opening: await resolveOpeningKey(fleet) };
    pool = new HostPool(async () => ({ privateKey: bed.sshKey }));
    const { target } = fleet.laneSpec('lane-1');
    shell = new LaneShell(await pool.lease(target.host), target);
  });

  afterAll(async () => {
    pool.close();
    await bed.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  let number = 0;

  async function thereAndBack(nodes: readonly Node[]): Promise<string[]> {
    number += 1;
    const [lane] = bed.lanes;
    if (!lane) throw new Error('the bed has no lane');
    const tree = `workspace/tree-${number}`;
    const real = join(lane.realHome, tree);
    makeTree(real, nodes);
    const { uid, gid } = statSync(lane.realHome);
    spawnSync('chown', ['-Rh', `${uid}:${gid}`, real]);

    const entries: FileEntry[] = [];
    for await (const entry of listFiles(shell, { base: lane.home, paths: [tree] })) entries.push(entry);
    const profile = profileOf(lane.profile);
    if (!profile) throw new Error('no profile');
    const shared = {
      fingerprintKey: Buffer.alloc(32),
      recipientsDigest: '',
      maxSegments: 500,
      reuse: false,
      supplement: false,
    };
    const { segments, omissions } = planBundle(entries, {
      ...shared,
      profile,
      components,
      exclude: [],
      base: 'home',
      listedAtMs: 0,
      firstNumber: 1,
      segmentBytes: 8192,
    });
    expect(omissions).toEqual([]);

    const back = `${lane.home}/.clawback/back-${number}`;
    const { data, directories } = unpackOrder(segments);
    for (const segment of data) await moveSegment(segment, lane.home, back);
    const ranges = data.filter(({ kind }) => kind === 'range').flatMap(({ members }) => members);
    await finishFiles(shell, { base: back, files: ranges });
    for (const segment of directories) await moveSegment(segment, lane.home, back);
    const found = differences(digestTree(real), digestTree(join(lane.realHome, `.clawback/back-${number}`, tree)));
    rmSync(real, { recursive: true });
    rmSync(join(lane.realHome, `.clawback/back-${number}`), { recursive: true });
    return found;
  }

  async function moveSegment(segment: PlannedSegment, from: string, to: string): Promise<void> {
    const [file] = segment.members;
    if (segment.range && file) {
      const read = await readRange(shell, { base: from, path: file.path, ...segment.range });
      const plain = await sealedAndOpened(read.stdout);
      await read.finished;
      const write = await writeRange(shell, { base: to, path: file.path, offset: segment.range.offset });
      await Promise.all([pipeline(Readable.from([plain]), write.stdin), write.finished]);
      return;
    }
    const list = `lists/${segment.id}`;
    await writeLaneFile(shell, list, Buffer.concat(segment.members.flatMap(({ path }) => [path, Buffer.of(0)])));
    const packed = await packFiles(shell, { base: from, listPath: clawbackFile(shell, list) });
    const audit = auditTar({ expect: 'list', members: segment.members });
    const plain = await sealedAndOpened(packed.stdout.compose(audit.stream));
    await packed.finished;
    const again = auditTar({ expect: 'index', entries: audit.result().entries });
    const unpack = await unpackFiles(shell, { base: to });
    await Promise.all([pipeline(Readable.from([plain]), again.stream, unpack.stdin), unpack.finished]);
  }

  async function sealedAndOpened(source: Readable): Promise<Buffer> {
    const { sealed, totals } = sealPipeline(source, keys.recipients, context);
    const bytes = await buffer(sealed);
    const { sealedBytes, sealedSha256, plainBytes } = await totals;
    return buffer(
      openPipeline(
        Readable.from([bytes]),
        { sizeBytes: sealedBytes, sha256: sealedSha256 },
        keys.opening,
        context,
        plainBytes,
      ),
    );
  }

  it('comes back identical', async () => {
    const trees = fc.array(node, { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(trees, async (nodes) => {
        expect(await thereAndBack(nodes)).toEqual([]);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});
