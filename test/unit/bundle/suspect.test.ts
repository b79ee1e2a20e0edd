import { describe, expect, it } from 'vitest';
import { suspectReasons } from '../../../src/bundle/suspect.ts';
import type { Component } from '../../../src/domain/terms.ts';
import { segmentOf } from './manifests.ts';

const held = (component: Component, plainBytes: number, members = 5): ReturnType<typeof segmentOf> =>
  segmentOf({ component, plainBytes, members });
const whole = [held('config', 1000), held('transcripts', 10_000), held('workspace', 10_000)];

describe('a bundle', () => {
  it('is believed when it is the first, or as large as the one before', () => {
    expect(suspectReasons(whole)).toEqual([]);
    expect(suspectReasons(whole, whole)).toEqual([]);
    expect(
      suspectReasons(whole, [held('config', 2000), held('transcripts', 20_000), held('workspace', 20_000)]),
    ).toEqual([]);
  });

  it('is suspect when its configuration has no files: directories and plists alone bring no lane back', () => {
    expect(suspectReasons([])).toEqual(['class-one-empty']);
    expect(suspectReasons([held('plists', 10), segmentOf({ kind: 'directories' }), held('config', 0, 0)])).toEqual([
      'class-one-empty',
    ]);
  });

  it('is suspect when one part or the whole shrank below half', () => {
    expect(
      suspectReasons([held('config', 499), whole[1] ?? held('logs', 0), whole[2] ?? held('logs', 0)], whole),
    ).toEqual(['config-shrank']);
    const half = [held('config', 1000), held('transcripts', 4000), held('workspace', 4000)];
    expect(suspectReasons(half, whole)).toEqual(['transcripts-shrank', 'workspace-shrank', 'whole-shrank']);
  });

  it('compares only what both hold: a tier A after a tier B has not shrunk', () => {
    expect(suspectReasons([held('config', 1000)], whole)).toEqual([]);
    expect(suspectReasons(whole, [held('config', 1000)])).toEqual([]);
    expect(suspectReasons(whole, [held('logs', 1000)])).toEqual([]);
  });
});
