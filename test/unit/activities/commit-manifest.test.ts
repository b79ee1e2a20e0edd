import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { requireObjects } from '../../../src/activities/backup/commit-manifest.ts';
import { indexKey, segmentKey } from '../../../src/bundle/object-keys.ts';
import { DirectoryStore } from '../../../src/store/directory.ts';
import { markDirectory } from '../../../src/store/directory-marker.ts';
import { manifestOf, segmentOf } from '../bundle/manifests.ts';

const one = segmentOf({ sealedBytes: 9 });
const other = segmentOf({
  id: 's-0002',
  suffix: 'ab'.repeat(8),
  sealedBytes: 9,
  index: { ...one.index, suffix: 'cd'.repeat(8) },
});
const manifest = manifestOf([one, other]);
const segment = segmentKey('lane-1', one.fingerprint, one.suffix);
const index = indexKey('lane-1', other.fingerprint, other.index.suffix);

describe('a manifest that is to be committed', () => {
  let root: string;
  let store: DirectoryStore;
  const look = () => requireObjects(store, manifest, new AbortController().signal);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'clawback-commit-'));
    await markDirectory('primary', root);
    store = new DirectoryStore('primary', root);
    for (const { fingerprint, suffix, sealedBytes, index: sealed } of [one, other]) {
      await store.put(segmentKey('lane-1', fingerprint, suffix), Buffer.alloc(sealedBytes));
      await store.put(indexKey('lane-1', fingerprint, sealed.suffix), Buffer.alloc(sealed.sealedBytes));
    }
    return () => rm(root, { recursive: true });
  });

  it('may be, when the store has all that it names', async () => {
    await expect(look()).resolves.toBeUndefined();
  });

  it.each([
    ['a segment that a sweep removed', () => store.delete(segment)],
    ['an index that a sweep removed', () => store.delete(index)],
    ['a segment of another size', () => truncate(join(root, segment), 8)],
  ])('is refused for %s', async (_, harm) => {
    await harm();
    await expect(look()).rejects.toMatchObject({
      code: 'ObjectMissing',
      message: `bundle ${manifest.bundle} cannot be committed: store primary lacks objects of 1 of its 2 segments`,
    });
  });
});
