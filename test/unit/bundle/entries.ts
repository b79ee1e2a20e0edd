// Listings for the planner's tests.

import fc from 'fast-check';
import type { PlanOptions } from '../../../src/bundle/plan.ts';
import type { FileEntry } from '../../../src/domain/file-entry.ts';
import { type Profile, profileOf } from '../../../src/domain/profile.ts';
import { components } from '../../../src/domain/terms.ts';

export const legacy = profileOf('slimvps-legacy') as Profile;
export const current = profileOf('openclaw-2026') as Profile;

/** Everything below is older than this. */
export const listedAtMs = 1_800_000_000_000;

let inodes = 0;

/** A settled regular file, unless said otherwise. */
export function entry(path: string | Buffer, fields: Partial<FileEntry> = {}): FileEntry {
  const sizeBytes = fields.sizeBytes ?? 100;
  return {
    path: typeof path === 'string' ? Buffer.from(path, 'utf8') : path,
    type: 'file',
    mode: 0o644,
    uid: 501,
    gid: 20,
    sizeBytes,
    allocatedBytes: sizeBytes,
    mtimeNs: 1_700_000_000_123_456_789n,
    ctimeNs: 1_700_000_000_123_456_789n,
    device: '1',
    inode: String(++inodes),
    links: 1,
    ...fields,
  };
}

export const options: PlanOptions = {
  profile: legacy,
  components,
  exclude: [],
  base: 'home',
  listedAtMs,
  fingerprintKey: Buffer.alloc(32, 7),
  recipientsDigest: 'ab'.repeat(32),
  firstNumber: 1,
  segmentBytes: 10_000,
  maxSegments: 500,
  reuse: true,
  supplement: false,
};

/** A part of a name: any bytes but NUL and `/`, and neither `.` nor `..`. */
const part = fc
  .uint8Array({ minLength: 1, maxLength: 6 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
  .filter((bytes) => !/^\.\.?$/.test(bytes.toString('latin1')));

const tree = fc.constantFrom(
  '.openclaw/config',
  '.openclaw/transcripts',
  'workspace',
  'workspace/node_modules',
  'Documents',
);

const path = fc
  .tuple(tree, fc.array(part, { minLength: 1, maxLength: 3 }))
  .map(([root, parts]) => Buffer.concat([Buffer.from(root), ...parts.flatMap((one) => [Buffer.from('/'), one])]));

/** Listings as a lane might have them: odd names, hard links, holes, sockets, large files, young files. */
export const listing: fc.Arbitrary<FileEntry[]> = fc
  .uniqueArray(path, { maxLength: 60, selector: (name) => name.toString('latin1') })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .record({
            type: fc.oneof(
              { weight: 8, arbitrary: fc.constant('file' as const) },
              { weight: 3, arbitrary: fc.constantFrom('directory', 'symlink', 'socket', 'fifo', 'device') },
            ),
            sizeBytes: fc.oneof(fc.nat(3000), fc.nat(50_000)),
            holes: fc.boolean(),
            group: fc.option(fc.nat(3), { freq: 6, nil: undefined }),
            young: fc.integer({ min: 0, max: 20 }).map((roll) => roll === 0),
          })
          .map(({ type, sizeBytes, holes, group, young }) => {
            const shared = type === 'file' && group !== undefined;
            return entry(name, {
              type,
              sizeBytes: shared ? 500 * group : sizeBytes,
              allocatedBytes: holes && !shared ? Math.floor(sizeBytes / 4) : sizeBytes,
              ...(shared && { inode: `shared-${group}`, links: 4 }),
              ...(young && {
                mtimeNs: BigInt(listedAtMs - 500) * 1_000_000n,
                ctimeNs: BigInt(listedAtMs - 500) * 1_000_000n,
              }),
            });
          }),
      ),
    ),
  );
