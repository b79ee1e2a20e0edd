import { describe, expect, it } from 'vitest';
import type { IndexEntry } from '../../../src/bundle/index-file.ts';
import {
  estimate,
  requireOneTree,
  requireWholeFiles,
  selectSegments,
  unpackOrder,
} from '../../../src/bundle/restore-plan.ts';
import { manifestOf, segmentOf } from './manifests.ts';

const ids = (segments: readonly { readonly id: string }[]): string[] => segments.map(({ id }) => id);

describe('planning a restore', () => {
  const manifest = manifestOf([
    segmentOf({ id: 's-0001', component: 'config' }),
    segmentOf({ id: 's-0002', component: 'transcripts', suffix: '2'.repeat(16) }),
    segmentOf({ id: 's-0003', component: 'transcripts', suffix: '3'.repeat(16), kind: 'directories' }),
  ]);

  it('selects the segments of the components that are wanted', () => {
    expect(ids(selectSegments(manifest, ['transcripts', 'logs']))).toEqual(['s-0002', 's-0003']);
  });

  it('refuses when the bundle holds none of them', () => {
    expect(() => selectSegments(manifest, ['logs', 'workspace'])).toThrow(
      expect.objectContaining({ code: 'NoRestorePoint', message: expect.stringContaining('logs, workspace') }),
    );
  });

  it('unpacks data, then supplements in their order, then directories backwards, and no secrets', () => {
    const order = unpackOrder([
      segmentOf({ id: 's-0009', kind: 'directories', supplement: true }),
      segmentOf({ id: 's-0010', kind: 'directories' }),
      segmentOf({ id: 's-0011', kind: 'directories' }),
      segmentOf({ id: 's-0008', supplement: true }),
      segmentOf({ id: 's-0007', supplement: true, kind: 'range' }),
      segmentOf({ id: 's-0006', kind: 'secrets' }),
      segmentOf({ id: 's-0005', kind: 'range' }),
      segmentOf({ id: 's-0004', base: 'copies' }),
    ]);
    expect(ids(order.data)).toEqual(['s-0004', 's-0005']);
    expect(ids(order.supplements)).toEqual(['s-0007', 's-0008']);
    expect(ids(order.directories)).toEqual(['s-0011', 's-0010', 's-0009']);
  });

  it('estimates what is fetched, indexes included, and what is written', () => {
    expect(estimate(manifest.segments)).toEqual({
      segments: 3,
      members: 9,
      sealedBytes: 3 * (900 + 500),
      plainBytes: 3 * 10_240,
    });
    expect(estimate([])).toEqual({ segments: 0, members: 0, sealedBytes: 0, plainBytes: 0 });
  });
});

describe('segments of one tree', () => {
  const member = (path: string, type: IndexEntry['type'], link?: string): IndexEntry => ({
    path,
    type,
    mode: 0o644,
    sizeBytes: 0,
    mtime: '0',
    ...(link !== undefined && { link }),
  });

  it('may hold ranges of one file, and links to what another brings', () => {
    expect(() =>
      requireOneTree([
        [member('d/big', 'file')],
        [member('d/big', 'file')],
        [member('d/l', 'symlink', 'big')],
        [member('d', 'directory')],
      ]),
    ).not.toThrow();
  });

  it('may not lead through a symlink that another brings', () => {
    const hostile = expect.objectContaining({ code: 'ArchiveHostile' });
    expect(() => requireOneTree([[member('s', 'symlink', '/etc')], [member('s/passwd', 'file')]])).toThrow(hostile);
    expect(() => requireOneTree([[member('s/passwd', 'file')], [member('s', 'symlink', '/etc')]])).toThrow(hostile);
    expect(() => requireOneTree([[member('../x', 'file')]])).toThrow(hostile);
  });

  it('lets a supplement take the place of a file, and never that of a directory', () => {
    const tree = [[member('d/f', 'file'), member('d/l', 'symlink', 'f'), member('d', 'directory')]];
    const after =
      (kind: 'tar' | 'range', ...entries: IndexEntry[]) =>
      () =>
        requireOneTree(tree, [{ kind, entries }]);
    const hostile = expect.objectContaining({ code: 'ArchiveHostile' });
    expect(after('tar', member('d/f', 'file'), member('d/new', 'file'))).not.toThrow();
    expect(after('range', member('d/f', 'file'))).not.toThrow();
    expect(after('tar', member('d/l', 'file'))).not.toThrow();
    expect(after('range', member('d/l', 'file'))).toThrow(hostile);
    expect(after('tar', member('d', 'symlink', '/etc'))).toThrow(hostile);
    expect(after('tar', member('d/f', 'symlink', '/etc'), member('d/f/passwd', 'file'))).toThrow(hostile);
    expect(after('tar', member('d/f', 'link', 'nowhere'))).toThrow(hostile);
    expect(after('tar', member('../x', 'file'))).toThrow(hostile);
  });

  it('takes a hard link for what it links to: a range is never written through a symlink', () => {
    const tree = [
      [member('a', 'file'), member('b', 'link', 'a'), member('s', 'symlink', '/etc/x'), member('t', 'link', 's')],
    ];
    expect(() => requireOneTree(tree, [{ kind: 'range', entries: [member('b', 'file')] }])).not.toThrow();
    expect(() => requireOneTree(tree, [{ kind: 'range', entries: [member('t', 'file')] }])).toThrow(
      expect.objectContaining({ code: 'ArchiveHostile' }),
    );
  });
});

describe('the ranges of a file', () => {
  const entry: IndexEntry = { path: 'big', type: 'file', mode: 0o600, sizeBytes: 10, mtime: '0' };
  const damaged = expect.objectContaining({ code: 'BundleDamaged' });

  it('make it up from end to end, in whatever order', () => {
    expect(() =>
      requireWholeFiles([
        { entry, offset: 4, length: 6 },
        { entry, offset: 0, length: 4 },
      ]),
    ).not.toThrow();
    expect(() => requireWholeFiles([{ entry: { ...entry, sizeBytes: 0 }, offset: 0, length: 0 }])).not.toThrow();
  });

  it('have no gap, no overlap and no end before the file, and agree on it', () => {
    for (const lengths of [
      [4, 5],
      [3, 6],
      [5, 6],
    ] as const) {
      expect(() =>
        requireWholeFiles([
          { entry, offset: 0, length: lengths[0] },
          { entry, offset: 4, length: lengths[1] },
        ]),
      ).toThrow(damaged);
    }
    expect(() =>
      requireWholeFiles([
        { entry, offset: 0, length: 4 },
        { entry: { ...entry, mode: 0o777 }, offset: 4, length: 6 },
      ]),
    ).toThrow(damaged);
  });
});
