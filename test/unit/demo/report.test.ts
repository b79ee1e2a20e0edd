import { describe, expect, it } from 'vitest';
import { reportLines } from '../../demo/report.ts';
import type { LaneReport } from '../../demo/bad-day.ts';
import type { IncidentReport } from '../../demo/incident.ts';
import type { DemoReport } from '../../demo/run-demo.ts';
import type { GateReport } from '../../demo/short-gate.ts';

const bundle = '20261122T031500Z-1a2b3c4d';
const lane: LaneReport = {
  lane: 'lane-1',
  backup: { bundle, segments: 9, sizeBytes: 100e6, sealedBytes: 60e6, elapsedMs: 9_000 },
  restore: {
    rtoMs: 12_300,
    steps: [
      { step: 'stop', ms: 500, budgetMs: 300_000 },
      { step: 'tree', ms: 9_000, budgetMs: 2_400_000 },
    ],
    rpo: [{ dataClass: 1, bundle, capturedAt: '2026-11-22T03:15:00.000Z', rpoMs: 20_000 }],
    messageAnswered: true,
    identical: true,
    differences: [],
  },
};
const restore = lane.restore as NonNullable<LaneReport['restore']>;

function linesOf(lanes: readonly LaneReport[], ok = true, more: Partial<DemoReport> = {}): string[] {
  const fleet = {
    workflowId: 'restore-fleet/all/x',
    wallMs: 13_000,
    sequenceMs: 30_000,
    rtoMs: 12_300,
    rtoBudgetMs: 5.4e6,
  };
  return reportLines({
    ok,
    elapsedMs: 40_000,
    setupMs: 0,
    bed: 'sshd',
    store: 's3',
    fleet,
    lanes,
    incidents: [],
    gate: null,
    receipts: [],
    shown: [],
    leftOut: [],
    ...more,
  } satisfies DemoReport);
}

describe("the demo's table", () => {
  it('has a column for each lane, and sets the whole against the sum', () => {
    const lines = linesOf([lane, { ...lane, lane: 'lane-2' }]);
    expect(lines).toContain('restored 2 of 2 lanes at once');
    expect(lines).toContain(`  step                budget     lane-1     lane-2`);
    expect(lines).toContain(`  tree                40 min      9.0 s      9.0 s`);
    expect(lines).toContain(`  RTO, one clock      90 min     12.3 s     12.3 s`);
    expect(lines).toContain(`  RPO class 1                    20.0 s     20.0 s`);
    expect(lines).toContain(`  identical                         yes        yes`);
    expect(lines).toContainEqual(
      expect.stringMatching(/13\.0 s in all; the lanes' own times add up to 30\.0 s, the most/),
    );
    expect(lines.at(-1)).toMatch(/^all held; 40\.0 s/);
  });

  it('names what is not as it was, and the lane that did not come back, with its reason', () => {
    const differs = { ...restore, messageAnswered: false, identical: false, differences: ['.openclaw: missing x'] };
    const { restore: _gone, ...wrecked } = lane;
    const lines = linesOf(
      [
        { ...lane, restore: differs },
        { ...wrecked, lane: 'lane-2', failed: 'DiskTooFull: no room' },
      ],
      false,
    );
    expect(lines).toContain('restored 1 of 2 lanes at once');
    expect(lines).toContain(`  message answered                   NO`);
    expect(lines).toContain(`  identical                          NO`);
    expect(lines).toContain('  lane-1: .openclaw: missing x');
    expect(lines).toContain('  lane-2 did NOT come back: DiskTooFull: no room');
    expect(lines.at(-1)).toMatch(/^NOT all held/);
  });

  it('tells the incident by its first signal, the gate by its days, and the receipts by what they are about', () => {
    const signal = { code: 'exit-loop', since: '2026-11-22T03:15:00.000Z', text: 'started 3 times' };
    const incident: IncidentReport = {
      incident: 'incident/bed/bad-upgrade/lane-1',
      scenario: 'bad-upgrade',
      subject: 'lane-1',
      signal,
      foundMs: 900,
      rtoMs: 8_000,
      rtoBudgetMs: 5.4e6,
      elapsedMs: 9_000,
      faults: [],
      phase: 'recovered',
      messageAnswered: true,
      receipt: bundle,
    };
    const day = { action: 'readiness', evidence: [], advice: [] };
    const gate: GateReport = {
      gate: 'gate/bed/mac-1',
      host: 'mac-1',
      phase: 'running',
      dayLengthMs: 5_000,
      rto: null,
      receipt: null,
      elapsedMs: 7_000,
      days: [
        { ...day, day: 0, state: 'passed', message: null },
        { ...day, day: 1, action: 'tier A', state: 'failed', message: 'the store is away', advice: ['mount it'] },
      ],
    };
    const one = { receipt: bundle, subject: 'lane-1', outcome: 'passed', verified: true };
    const lines = linesOf([lane], false, {
      incidents: [incident],
      gate,
      receipts: [
        { ...one, kind: 'restore' },
        { ...one, kind: 'gate', verified: false },
      ],
      shown: [`# ${'word '.repeat(30)}`],
      leftOut: ['without something'],
    });
    expect(lines).toContain('bad-upgrade of lane-1: recovered');
    expect(lines).toContain('  first signal      started 3 times');
    expect(lines).toContain('  recovered         8.0 s after the first signal, of 90 min');
    expect(lines).toContain('7-day gate of mac-1: running, with days of 5.0 s, 7.0 s in all');
    expect(lines).toContain('  day 1  failed   tier A');
    expect(lines).toContain('  day 1: the store is away');
    expect(lines).toContain('    -> mount it');
    expect(lines).toContain('receipts: 1 of 2 verified with the public key alone (1 restore, 1 gate)');
    expect(lines.filter((line) => line.startsWith('  | ')).every((line) => line.length <= 94)).toBe(true);
    expect(lines).toContain('without something');
  });
});
