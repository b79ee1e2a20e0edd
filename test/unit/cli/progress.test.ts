import { describe, expect, it } from 'vitest';
import type { Following } from '../../../src/client/progress.ts';
import { ProgressMeter } from '../../../src/cli/progress-meter.ts';
import {
  asciiGlyphs,
  bar,
  flowText,
  glyphsOf,
  liveLines,
  phaseText,
  plainLine,
  stepText,
  unicodeGlyphs,
} from '../../../src/cli/progress-text.ts';
import type { Progress } from '../../../src/contract/results.ts';

const still: Following = { bytesInFlight: 0, retrying: [], waiting: [], silent: false };
const progress: Progress = {
  phase: 'streaming segments',
  startedAt: '2026-11-22T03:15:00.000Z',
  segmentsDone: 1,
  segmentsTotal: 4,
  bytesDone: 100e6,
  bytesTotal: 400e6,
  reusedBytes: 0,
  step: null,
  overBudget: [],
};
const flowing = (bytesDone: number, bytesInFlight = 0): Following => ({
  ...still,
  bytesInFlight,
  progress: { ...progress, bytesDone },
});

describe('the meter', () => {
  it('tells share, rate and time left from bytes done and in flight', () => {
    const meter = new ProgressMeter(0);
    meter.take(flowing(100e6), 0, 0);
    const { bytes, segments } = meter.take(flowing(100e6, 50e6), 5_000, 0);
    expect(bytes).toEqual({ done: 150e6, total: 400e6, perMs: 10_000, leftMs: 25_000 });
    expect(segments).toEqual({ done: 1, total: 4 });
  });

  it('never goes back when a finished segment takes its bytes in flight away for a moment', () => {
    const meter = new ProgressMeter(0);
    meter.take(flowing(100e6, 90e6), 0, 0);
    expect(meter.take(flowing(100e6, 0), 1_000, 0).bytes?.done).toBe(190e6);
  });

  it('never shows more than there is', () => {
    expect(new ProgressMeter(0).take(flowing(390e6, 90e6), 0, 0).bytes?.done).toBe(400e6);
  });

  it('forgets samples that are older than its window', () => {
    const meter = new ProgressMeter(0);
    meter.take(flowing(0), 0, 0);
    meter.take(flowing(200e6), 20_000, 0);
    const { bytes } = meter.take(flowing(200e6), 41_000, 0);
    expect(bytes?.perMs).toBeNull();
  });

  it('knows no rate after one look', () => {
    expect(new ProgressMeter(0).take(flowing(1), 0, 0).bytes).toMatchObject({ perMs: null, leftMs: null });
  });

  it('times each phase from when it was first seen', () => {
    const meter = new ProgressMeter(0);
    expect(meter.take(still, 1_000, 0)).toMatchObject({ phase: 'starting', phaseMs: 0 });
    expect(meter.take(still, 3_000, 0)).toMatchObject({ phase: 'starting', phaseMs: 2_000 });
    expect(meter.take(flowing(0), 4_000, 0)).toMatchObject({
      phase: 'streaming segments',
      phaseMs: 0,
      elapsedMs: 4_000,
    });
  });

  it('tells the running step and its budget', () => {
    const step = { name: 'tree' as const, startedAt: '2026-11-22T03:16:00.000Z', budgetMs: 2_400_000 };
    const shown = new ProgressMeter(0).take(
      { ...still, progress: { ...progress, step } },
      0,
      Date.parse('2026-11-22T03:17:02.000Z'),
    );
    expect(stepText(shown)).toBe('step tree: 1 m 2 s of 40 m');
  });

  it('moves no bytes after the last segment', () => {
    const shown = new ProgressMeter(0).take({ ...still, progress: { ...progress, segmentsDone: 4 } }, 0, 0);
    expect(shown.bytes).toBeUndefined();
  });

  it('says who holds the lane', () => {
    const heldBy = { workflowId: 'backup/lane-1/x', operation: 'backup', startedAt: '2026-11-22T03:15:00.000Z' };
    const { phase, remarks } = new ProgressMeter(0).take({ ...still, heldBy }, 0, 0);
    expect(phase).toBe('waiting for the lane: backup holds it');
    expect(remarks[0]).toContain('./clawback follow backup/lane-1/x');
  });

  it('keeps the phase while Temporal is silent, and says so after a while', () => {
    const meter = new ProgressMeter(0);
    meter.take(flowing(1), 0, 0);
    expect(meter.take({ ...still, silent: true }, 1_000, 0)).toMatchObject({
      phase: 'streaming segments',
      remarks: [],
    });
    expect(meter.take({ ...still, silent: true }, 7_000, 0).remarks).toEqual([
      'Temporal has not answered for 6 s; the workflow goes on when it is back',
    ]);
    expect(meter.take(flowing(1), 8_000, 0).remarks).toEqual([]);
  });

  it('says which steps wait for a worker, are tried again, or are late', () => {
    const meter = new ProgressMeter(0);
    const troubled: Following = {
      ...still,
      waiting: ['captureLane'],
      retrying: [{ step: 'surveyLane', attempt: 3, message: 'the host does not answer' }],
      progress: { ...progress, overBudget: ['stop (budget 5 min)'] },
    };
    meter.take(troubled, 0, 0);
    expect(meter.take(troubled, 6_000, 0).remarks).toEqual([
      'captureLane waits for a worker',
      'surveyLane is tried again (attempt 3): the host does not answer',
      'over budget: stop (budget 5 min)',
    ]);
  });
});

describe('progress as text', () => {
  const shown = {
    phase: 'streaming segments',
    elapsedMs: 65_000,
    phaseMs: 20_000,
    remarks: ['late'],
    bytes: { done: 1.2e9, total: 2.3e9, perMs: 43_100, leftMs: 25_000 },
    segments: { done: 5, total: 9 },
  };

  it('is one line in a pipe', () => {
    expect(plainLine('backup lane-1', shown)).toBe(
      'backup lane-1 [1 m 5 s] streaming segments; 52 %, 1.2 GB of 2.3 GB, 43.1 MB/s, 25 s left, 5 of 9 segments; late',
    );
  });

  it('is a bar, numbers and remarks on a terminal', () => {
    expect(liveLines(shown, asciiGlyphs, 0)).toEqual([
      `| ${'streaming segments'.padEnd(34)}  20 s`,
      '  ##########.......... 52 %, 1.2 GB of 2.3 GB, 43.1 MB/s, 25 s left, 5 of 9 segments',
      '  ! late',
    ]);
  });

  it('shows no time for a phase that came and went between two looks', () => {
    expect(phaseText({ phase: 'x', phaseMs: 0 })).toMatch(/^x +< 1 s$/);
  });

  it('is 100 % only when all is done', () => {
    expect(flowText({ bytes: { done: 399.9, total: 400, perMs: null, leftMs: null } })).toMatch(/^99 %/);
  });

  it('draws ASCII where the terminal is not known to show UTF-8', () => {
    expect(glyphsOf({ LANG: 'en_US.UTF-8' })).toBe(unicodeGlyphs);
    expect(glyphsOf({ LANG: 'en_US.UTF-8', LC_ALL: 'C' })).toBe(asciiGlyphs);
    expect(bar(2, asciiGlyphs)).toBe('#'.repeat(20));
  });
});
