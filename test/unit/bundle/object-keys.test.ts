import { describe, expect, it } from 'vitest';
import {
  indexesPrefix,
  indexKey,
  manifestKey,
  manifestsPrefix,
  randomSuffix,
  segmentKey,
  segmentsPrefix,
  versionOf,
} from '../../../src/bundle/object-keys.ts';

const fingerprint = 'ab'.repeat(32);
const bundle = '20261122T031500Z-0123abcd';

describe('object keys', () => {
  it('go with a version where the manifest has one', () => {
    expect(versionOf({ versionId: '01K' })).toEqual({ versionId: '01K' });
    expect(versionOf({})).toEqual({});
    expect(versionOf({ versionId: undefined })).toEqual({});
  });

  it('lie below their lane and kind', () => {
    expect(manifestKey('lane-1', bundle)).toBe(`lane-1/manifests/${bundle}.json`);
    expect(segmentKey('lane-1', fingerprint, '0123456789abcdef')).toBe(
      `lane-1/segments/${fingerprint}-0123456789abcdef`,
    );
    expect(indexKey('lane-1', fingerprint, '0123456789abcdef')).toBe(`lane-1/indexes/${fingerprint}-0123456789abcdef`);
    expect(manifestKey('lane-1', bundle).startsWith(manifestsPrefix('lane-1'))).toBe(true);
    expect(segmentKey('lane-1', fingerprint).startsWith(segmentsPrefix('lane-1'))).toBe(true);
    expect(indexKey('lane-1', fingerprint).startsWith(indexesPrefix('lane-1'))).toBe(true);
  });

  it('end in another random part each time', () => {
    const keys = Array.from({ length: 100 }, () => segmentKey('lane-1', fingerprint));
    expect(new Set([...keys, indexKey('lane-1', fingerprint)]).size).toBe(101);
    expect(randomSuffix()).toMatch(/^[0-9a-f]{16}$/);
  });

  it('of one lane are no prefix of the keys of another', () => {
    expect(segmentsPrefix('lane-10').startsWith(segmentsPrefix('lane-1'))).toBe(false);
  });

  it.each([
    [(): string => manifestKey('../other', bundle), 'lane'],
    [(): string => manifestKey('', bundle), 'lane'],
    [(): string => manifestKey('lane-1', '../x'), 'bundle'],
    [(): string => segmentKey('lane-1', 'AB'.repeat(32), '0123456789abcdef'), 'fingerprint'],
    [(): string => indexKey('lane-1', fingerprint, 'x/y'), 'suffix'],
    [(): string => indexesPrefix('a/b'), 'lane'],
  ])('refuse a part of another form, naming it', (make, field) => {
    expect(make).toThrow(expect.objectContaining({ code: 'InvalidInput', context: { field } }));
  });
});
