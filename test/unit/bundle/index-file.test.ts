import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeIndex,
  encodeIndex,
  encodeLink,
  encodeName,
  type IndexEntry,
  linkOf,
  pathOf,
  rangeEntry,
  type SegmentIndex,
} from '../../../src/bundle/index-file.ts';
import { limits } from '../../../src/domain/limits.ts';
import { entry } from './entries.ts';

const about = { segment: 's-0001', component: 'config', kind: 'tar', base: 'home' } as const;
const file: IndexEntry = { path: 'a', type: 'file', mode: 0o644, sizeBytes: 1, mtime: '1', sha256: 'ab'.repeat(32) };
const index: SegmentIndex = {
  ...about,
  entries: [file],
  omissions: [{ path: Buffer.from('gone'), reason: 'vanished' }],
};

const name = fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => Buffer.from(bytes));

const lines = (bytes: Buffer): string[] => bytes.toString().split('\n');
const reason = (bytes: string | Buffer): unknown => {
  try {
    return decodeIndex(Buffer.from(bytes as string));
  } catch (error) {
    return error;
  }
};

describe('an index', () => {
  it('gives back what was written, names as the bytes they were', () => {
    const entries = fc.array(
      fc
        .record({
          name,
          link: fc.option(name),
          mode: fc.nat(0o7777),
          size: fc.maxSafeNat(),
          mtime: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
        })
        .map(
          ({ name: path, link, mode, size, mtime }): IndexEntry => ({
            ...encodeName(path),
            type: link ? 'symlink' : 'file',
            mode,
            sizeBytes: size,
            mtime: String(mtime),
            ...(link && encodeLink(link)),
          }),
        ),
    );
    const omissions = fc.array(fc.record({ path: name, reason: fc.constantFrom('vanished', 'socket', 'excluded') }));
    fc.assert(
      fc.property(entries, omissions, fc.boolean(), (held, omitted, ranged) => {
        const whole: SegmentIndex = {
          ...about,
          ...(ranged && { range: { offset: 5, length: 6 } }),
          entries: held,
          omissions: omitted,
        };
        expect(decodeIndex(encodeIndex(whole))).toEqual(whole);
      }),
    );
  });

  it('writes a name as text where it is UTF-8, else in base64', () => {
    fc.assert(
      fc.property(name, (bytes) => {
        expect(pathOf(encodeName(bytes))).toEqual(bytes);
        expect(linkOf(encodeLink(bytes))).toEqual(bytes);
      }),
    );
    expect(encodeName(Buffer.from('é\n'))).toEqual({ path: 'é\n' });
    expect(encodeName(Buffer.from([0xff]))).toEqual({ pathBase64: '/w==' });
    expect(linkOf({})).toBeUndefined();
  });

  it('has a header, a line for each member and each omission, each ended', () => {
    const [header, member, omission, rest] = lines(encodeIndex(index));
    expect(JSON.parse(header ?? '')).toEqual({ format: 1, ...about, members: 1, omissions: 1 });
    expect(JSON.parse(member ?? '')).toEqual(file);
    expect(JSON.parse(omission ?? '')).toEqual({ path: 'gone', omitted: 'vanished' });
    expect(rest).toBe('');
  });

  it('of a range describes the whole file, with the digest of the range', () => {
    expect(rangeEntry(entry('a', { sizeBytes: 900, mode: 0o600 }), 'cd'.repeat(32))).toEqual({
      path: 'a',
      type: 'file',
      mode: 0o600,
      sizeBytes: 900,
      mtime: '1700000000123456789',
      sha256: 'cd'.repeat(32),
    });
  });

  it('is refused when cut anywhere', () => {
    const bytes = encodeIndex(index);
    for (let cut = 0; cut < bytes.length; cut++)
      expect(reason(bytes.subarray(0, cut))).toMatchObject({ code: 'BundleDamaged' });
  });

  it.each([
    ['sizeBytes', { ...file, sizeBytes: -1 }],
    ['type', { ...file, type: 'device' }],
    ['mode', { ...file, mode: 0o10000 }],
    ['sha256', { ...file, sha256: 'short' }],
    ['mtime', { ...file, mtime: '1.5' }],
    ['path', { ...file, path: undefined }],
    ['path', { ...file, pathBase64: 'YQ==' }],
    ['path', { ...file, path: '' }],
    ['its root', { ...file, unknown: 1 }],
  ])('with a wrong %s says line and field, and no name', (field, wrong) => {
    const bytes = encodeIndex({ ...index, entries: [wrong as IndexEntry] });
    expect(reason(bytes)).toMatchObject({ code: 'BundleDamaged', message: `an index is wrong in line 2 at ${field}` });
  });

  it('with a wrong omission, a line too many, no JSON, or too many bytes is refused', () => {
    const [header = '', member, omission] = lines(encodeIndex(index));
    expect(reason(`${header}\n${member}\n{"omitted":"vanished"}\n`)).toMatchObject({
      message: 'an index is wrong in line 3 at path',
    });
    expect(reason(`${header}\n${member}\n${omission}\n${omission}\n`)).toMatchObject({
      message: 'an index has 4 lines, its header counts 3',
    });
    expect(reason(`${header}\nsecret-name\n${omission}\n`)).toMatchObject({ message: 'an index is no JSON in line 2' });
    expect(reason('null\n')).toMatchObject({ code: 'BundleDamaged' });
    expect(reason(Buffer.alloc(limits.indexBytes + 1))).toMatchObject({
      code: 'BundleDamaged',
      message: expect.stringContaining(`${limits.indexBytes}`),
    });
  });

  it('of another format is told apart from a damaged one', () => {
    expect(reason('{"format":2}\n')).toMatchObject({
      code: 'BundleFormatUnknown',
      message: expect.stringContaining('format 2'),
    });
  });
});
