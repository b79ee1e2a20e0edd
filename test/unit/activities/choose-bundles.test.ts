import { readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { chooseBundles, type Part, requireDatabasesOfOne } from '../../../src/activities/restore/choose-bundles.ts';
import { encodeManifest, type Manifest } from '../../../src/bundle/manifest.ts';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import type { BundleChoice } from '../../../src/contract/step-types.ts';
import type { Component } from '../../../src/domain/terms.ts';
import { DirectoryStore } from '../../../src/store/directory.ts';
import { markDirectory } from '../../../src/store/directory-marker.ts';
import { manifestOf, segmentOf } from '../bundle/manifests.ts';

const part = (bundle: string, components: readonly Component[], copies: readonly Component[]): Part => ({
  components,
  manifest: manifestOf(
    components.flatMap((component) => [
      segmentOf({ component }),
      ...(copies.includes(component) ? [segmentOf({ component, base: 'copies' })] : []),
    ]),
    { bundle },
  ),
});

describe('a layered restore', () => {
  const newer = '20261122T031500Z-1a2b3c4d';
  const older = '20261121T031500Z-1a2b3c4d';

  it('takes the databases of one bundle', () => {
    const parts = [part(newer, ['config'], ['config']), part(older, ['transcripts', 'workspace'], [])];
    expect(() => requireDatabasesOfOne(parts, 'lane-1')).not.toThrow();
    expect(() => requireDatabasesOfOne(parts.slice(0, 1), 'lane-1')).not.toThrow();
  });

  it('is refused where it would take databases of two, and names both', () => {
    const parts = [part(newer, ['config'], ['config']), part(older, ['transcripts'], ['transcripts'])];
    expect(() => requireDatabasesOfOne(parts, 'lane-1')).toThrow(
      expect.objectContaining({ code: 'NoRestorePoint', message: expect.stringMatching(`${newer} and ${older}`) }),
    );
  });
});

describe('a restore that names no bundle', () => {
  const oldest = '20261120T031500Z-1a2b3c4d';
  const middle = '20261121T031500Z-1a2b3c4d';
  const newest = '20261122T031500Z-1a2b3c4d';
  const key = (name: string): string =>
    readFileSync(join(import.meta.dirname, `../../golden/keys/TEST-ONLY-${name}.pem`), 'utf8');
  const choice: BundleChoice = { fleet: 'fleet-1', lane: 'lane-1', store: 'primary', layered: false };
  let root: string;
  let deps: Deps;

  const put = async (bundle: string, fields: Partial<Manifest> = {}, signer = 'manifest'): Promise<void> => {
    const capturedAt = `${bundle.slice(0, 4)}-${bundle.slice(4, 6)}-${bundle.slice(6, 8)}T03:15:01Z`;
    const manifest = manifestOf([segmentOf()], { bundle, capturedAt, ...fields });
    await deps
      .store('primary')
      .put(manifestKey('lane-1', bundle), encodeManifest(manifest, { privateKeyPem: key(signer) }));
  };
  const damage = async (bundle: string): Promise<void> => truncate(join(root, manifestKey('lane-1', bundle)), 100);
  const choose = (fields: Partial<BundleChoice> = {}) =>
    chooseBundles(deps, { ...choice, ...fields }, new AbortController().signal);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'clawback-choose-'));
    await markDirectory('primary', root);
    const store = new DirectoryStore('primary', root);
    deps = {
      store: () => store,
      keys: { manifestPublicKeysPem: async () => [key('manifest.pub')], receiptPublicKeysPem: async () => [] },
    } as unknown as Deps;
    for (const bundle of [oldest, middle, newest]) await put(bundle);
    return () => rm(root, { recursive: true, force: true });
  });

  it('takes the newest, and warns of nothing', async () => {
    expect(await choose()).toMatchObject({ bundle: newest, warnings: [] });
  });

  it('passes over a damaged one, and says loudly which, why, and of when the data is that comes instead', async () => {
    await damage(newest);
    const { bundle, warnings } = await choose();
    expect(bundle).toBe(middle);
    expect(warnings).toEqual([expect.stringMatching(`^BUNDLE ${newest} CANNOT BE USED \\(BundleDamaged\\)`)]);
    expect(warnings[0]).toMatch(`Instead comes ${middle}, captured at 2026-11-21T03:15:01Z, `);
    expect(warnings[0]).toMatch(/captured at \S+, -?\d+\.\d hours ago\. restore from another bundle/);
  });

  it('passes over one that another key signed or another lane made, and warns of each', async () => {
    await rm(join(root, manifestKey('lane-1', newest)));
    await rm(join(root, manifestKey('lane-1', middle)));
    await put(newest, {}, 'intruder');
    await put(middle, { lane: 'lane-2' });
    const { bundle, warnings } = await choose();
    expect(bundle).toBe(oldest);
    expect(warnings.map((warning) => /\((Bundle\w+)\)/.exec(warning)?.[1])).toEqual([
      'BundleSignatureBad',
      'BundleForeign',
    ]);
  });

  it('refuses a damaged one that was named, and says what is wrong when no other is good', async () => {
    await damage(newest);
    await expect(choose({ bundle: newest })).rejects.toMatchObject({ code: 'BundleDamaged' });
    await damage(middle);
    await damage(oldest);
    await expect(choose()).rejects.toMatchObject({
      code: 'BundleDamaged',
      message: expect.stringMatching(newest) as string,
    });
  });

  it('says nothing of a damaged one that began after the instant that was asked for', async () => {
    await damage(newest);
    expect(await choose({ at: '2026-11-22T00:00:00Z' })).toMatchObject({ bundle: middle, warnings: [] });
    expect((await choose({ at: '2026-11-22T04:00:00Z' })).warnings).toHaveLength(1);
  });

  it('passes over a damaged one below it too, when class 2 comes from an older bundle', async () => {
    await rm(join(root, manifestKey('lane-1', oldest)));
    await put(oldest, { ...withTranscripts() });
    await damage(middle);
    const { sources, warnings } = await choose({ layered: true });
    expect(sources.map(({ bundle }) => bundle)).toEqual([newest, oldest]);
    expect(warnings).toEqual([expect.stringMatching(`BUNDLE ${middle} .* Instead comes ${oldest}`)]);
  });

  it('takes the one that captured last, not the one whose run began last', async () => {
    await rm(join(root, manifestKey('lane-1', oldest)));
    await put(oldest, { capturedAt: '2026-11-23T00:00:00Z' });
    await damage(middle);
    expect(await choose()).toMatchObject({ bundle: oldest, warnings: [] });
    expect(await choose({ at: '2026-11-22T23:00:00Z' })).toMatchObject({ bundle: newest, warnings: [] });
  });

  it('takes no class 2 that was captured after the rest', async () => {
    await rm(join(root, manifestKey('lane-1', oldest)));
    await put(oldest, { ...withTranscripts(), capturedAt: '2026-11-22T10:00:00Z' });
    const { sources } = await choose({ layered: true, at: '2026-11-22T09:00:00Z' });
    expect(sources.map(({ bundle }) => bundle)).toEqual([newest]);
  });

  it('warns of names that come with another component alone, unless it takes the whole bundle', async () => {
    await rm(join(root, manifestKey('lane-1', newest)));
    await put(newest, { ...withTranscripts(), omissions: [{ reason: 'linked-elsewhere', count: 2 }] });
    expect((await choose()).warnings).toEqual([]);
    expect((await choose({ only: 'transcripts' })).warnings).toEqual([
      `2 name(s) in bundle ${newest} are hard links of files of another component, and come only with that: restore the bundle whole to have all`,
    ]);
  });

  it('fails as the store does when that cannot be asked', async () => {
    await rm(root, { recursive: true });
    await expect(choose()).rejects.toMatchObject({ code: 'StoreUnreachable' });
  });
});

function withTranscripts(): Partial<Manifest> {
  const { segments, components } = manifestOf([
    segmentOf(),
    segmentOf({ id: 's-0002', component: 'transcripts', suffix: 'ab'.repeat(8) }),
  ]);
  return { segments, components };
}
