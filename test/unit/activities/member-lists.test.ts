import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecords, digestOf, encodeNames, encodeRecords } from '../../../src/activities/backup/member-lists.ts';
import { type FileEntry, fileTypes } from '../../../src/domain/file-entry.ts';

const name = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)));
const nanoseconds = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n });
const entry: fc.Arbitrary<FileEntry> = fc.record({
  path: name,
  type: fc.constantFrom(...fileTypes),
  mode: fc.nat(0o7777),
  uid: fc.nat(),
  gid: fc.nat(),
  sizeBytes: fc.nat(),
  allocatedBytes: fc.nat(),
  mtimeNs: nanoseconds,
  ctimeNs: nanoseconds,
  device: fc.stringMatching(/^\d{1,12}$/),
  inode: fc.stringMatching(/^\d{1,18}$/),
  links: fc.nat(),
});

describe('the lists of a plan on the lane', () => {
  it('give back what the listing saw, names as the bytes they were', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        expect(decodeRecords(encodeRecords(entries))).toEqual(entries);
      }),
    );
  });

  it('hold one name after another, each ended by NUL, so that no name can forge another', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const names = encodeNames(entries).toString('latin1').split('\0').slice(0, -1);
        expect(names).toEqual(entries.map(({ path }) => path.toString('latin1')));
      }),
    );
  });

  it('have another digest when anything in them differs', () => {
    expect(digestOf(Buffer.from('a'), Buffer.from('b'))).not.toBe(digestOf(Buffer.from('a'), Buffer.from('c')));
  });
});
