import { describe, expect, it } from 'vitest';
import { suspectReasons } from '../../../src/bundle/suspect.ts';
import { type Component, componentsOf } from '../../../src/domain/terms.ts';
import { segmentOf } from './manifests.ts';

const held = (component: Component, plainBytes: number, members = 5): ReturnType<typeof segmentOf> =>
  segmentOf({ component, plainBytes, members });
const whole = [held('config', 1000), held('transcripts', 10_000), held('workspace', 10_000)];

const reasons = (segments: typeof whole, before?: typeof whole): string[] =>
  suspectReasons(segments, before, componentsOf('B'));

describe('a bundle', () => {
  it('is believed when it is the first, or as large as the one before', () => {
    expect(reasons(whole)).toEqual([]);
    expect(reasons(whole, whole)).toEqual([]);
    expect(reasons(whole, [held('config', 2000), held('transcripts', 20_000), held('workspace', 20_000)])).toEqual([]);
  });

  it('is suspect when its configuration has no files: directories and plists alone bring no lane back', () => {
    expect(reasons([])).toEqual(['class-one-empty']);
    expect(reasons([held('plists', 10), segmentOf({ kind: 'directories' }), held('config', 0, 0)])).toEqual([
      'class-one-empty',
    ]);
  });

  it('is suspect when one part or the whole shrank below half', () => {
    expect(reasons([held('config', 499), whole[1] ?? held('logs', 0), whole[2] ?? held('logs', 0)], whole)).toEqual([
      'config-shrank',
    ]);
    const half = [held('config', 1000), held('transcripts', 4000), held('workspace', 4000)];
    expect(reasons(half, whole)).toEqual(['transcripts-shrank', 'workspace-shrank', 'whole-shrank']);
  });

  it('is suspect when a part of its tier is gone that was there: a tree that is not mounted is no small tree', () => {
    expect(reasons(whole.slice(0, 2), whole)).toEqual(['workspace-shrank']);
    expect(reasons(whole.slice(0, 1), whole)).toEqual(['transcripts-shrank', 'workspace-shrank', 'whole-shrank']);
  });

  it('compares only what its tier holds: a tier A after a tier B has not shrunk', () => {
    expect(suspectReasons([held('config', 1000)], whole, componentsOf('A'))).toEqual([]);
    expect(suspectReasons(whole, [...whole, held('logs', 1000)], componentsOf('C'))).toEqual([]);
    expect(reasons(whole, [held('config', 1000)])).toEqual([]);
  });
});
