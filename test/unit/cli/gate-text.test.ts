// How a gate is read in a terminal.

import { describe, expect, it } from 'vitest';
import { gateText } from '../../../src/cli/gate-text.ts';
import type { GateState } from '../../../src/contract/gate.ts';
import { gateTable } from '../../../src/domain/gate.ts';

const rows: GateState['rows'] = gateTable.map((row) => ({
  ...row,
  state: 'waiting',
  attempts: 0,
  dueAt: null,
  startedAt: null,
  endedAt: null,
  evidence: [],
  code: null,
  message: null,
  advice: [],
}));

const running: GateState = {
  gate: 'gate/demo/mac-1',
  runId: 'run',
  fleet: 'demo',
  host: 'mac-1',
  phase: 'running',
  day: 4,
  doing: 'day 4 failed: it waits for a retry, or to be abandoned',
  startedAt: '2026-11-23T03:00:00Z',
  endedAt: null,
  dayLengthMs: null,
  timeZone: 'Asia/Tokyo',
  lanes: ['lane-1'],
  rows: rows.map((row) => {
    if (row.day === 0) return { ...row, state: 'passed', evidence: ['lane-1: OpenClaw 2026.11.1, answers a message'] };
    if (row.day !== 4) return row;
    const message =
      'lane-1: tier B took 71 minutes, under 60 is asked for: its workspace has 212 GB of packs that change daily';
    return {
      ...row,
      state: 'failed',
      message,
      advice: ['take 16 % out of class 2 (`exclude` of the lane), or add NVMe'],
    };
  }),
  looks: { taken: 200, expected: 288 },
  archives: [],
  rto: null,
  rpo: [],
  clockOffsetMs: 3,
  rearmed: [],
  signed: null,
  abandoned: null,
  receipt: null,
  warnings: [],
  next: './clawback gate retry mac-1 --day 4',
};

describe('gateText', () => {
  it('fits 80 columns, and says of each day what it asks, what went wrong and what to change', () => {
    const text = gateText(running);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain('day 0  PASSED  readiness\n       lane-1: OpenClaw 2026.11.1, answers a message\nday 1');
    expect(text).toMatch(
      /day 4 {2}FAILED .*\n {7}to pass: it completes in under 60 minutes\n {7}lane-1: tier B took 71/,
    );
    expect(text).toContain('-> take 16 % out of class 2');
    expect(text.split('\n').at(-1)).toBe('next: ./clawback gate retry mac-1 --day 4');
  });

  it('tells at once that it was abandoned, and then nothing to do', () => {
    const abandoned = { by: 'Ada', at: '2026-11-26T03:00:00Z', reason: 'unrenewed' };
    const text = gateText({ ...running, abandoned });
    expect(text.replaceAll(/\s+/g, ' ')).toContain('unrenewed; it ends unsigned once what it does now is put right');
    expect(text).not.toContain('next:');
    expect(gateText({ ...running, abandoned, phase: 'abandoned', next: null })).toMatch(/UTC: unrenewed$/m);
  });
});
