import { describe, expect, it } from 'vitest';
import { type Part, requireDatabasesOfOne } from '../../../src/activities/restore/choose-bundles.ts';
import type { Component } from '../../../src/domain/terms.ts';
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
