import { describe, expect, it } from 'vitest';
import { withLeft } from '../../../src/cli/fleet-command.ts';
import { fleetExit, fleetPlanText, fleetText, nextOf } from '../../../src/cli/fleet-text.ts';
import type { FleetLaneRow, FleetResult } from '../../../src/contract/fleet-run.ts';
import type { RestorePlan } from '../../../src/contract/results.ts';

const bundle = '20261122T031500Z-1a2b3c4d';
const hour = 3_600_000;

const row: FleetLaneRow = {
  lane: 'lane-1',
  host: 'mac-1',
  outcome: 'ok',
  after: 'restored',
  workflowId: 'restore/lane-1/x',
  bundle,
  sizeBytes: 2.3e9,
  waitedMs: 10,
  elapsedMs: 60_000,
  rtoMs: 58_000,
  remarks: [],
  code: null,
  message: null,
};
const failed: FleetLaneRow = {
  ...row,
  lane: 'lane-2',
  outcome: 'failed',
  after: 'untouched',
  workflowId: null,
  rtoMs: null,
  code: 'DiskTooFull',
  message: 'the volume of lane lane-2 has 1 bytes free, the staging tree needs 2',
};
const cancelled: FleetLaneRow = {
  ...failed,
  lane: 'lane-3',
  outcome: 'cancelled',
  after: 'as it was',
  code: 'Cancelled',
  message: 'it was cancelled',
};
const late: FleetLaneRow = { ...row, lane: 'lane-4', outcome: 'attention', remarks: ['over budget: tree'] };

function runOf(lanes: readonly FleetLaneRow[], more: Partial<FleetResult> = {}): FleetResult {
  const count = (outcome: string): number => lanes.filter((lane) => lane.outcome === outcome).length;
  return {
    kind: 'restore',
    fleet: 'demo',
    fleetDigest: 'a'.repeat(64),
    startedAt: '2026-11-22T20:00:00.000Z',
    wallMs: 61_000,
    sequenceMs: 120_000,
    rtoMs: null,
    rtoBudgetMs: 1.5 * hour,
    counts: { ok: count('ok'), attention: count('attention'), failed: count('failed'), cancelled: count('cancelled') },
    lanes,
    volumes: [],
    caps: { lanesAtOnce: 100, streamsAtOnce: 64, streamsPerHost: 8 },
    ...more,
  };
}

describe('the exit status of a run over many lanes', () => {
  const unreachable: FleetLaneRow = { ...failed, code: 'HostUnreachable' };
  it.each([
    ['ok: all came through', runOf([row, row]), 'ok'],
    ['partial: some did', runOf([row, failed]), 'partial'],
    ['partial: what came through with remarks came through', runOf([late, cancelled]), 'partial'],
    ['what all failures agree on', runOf([failed, failed]), 'refused'],
    ['failed: they do not agree', runOf([failed, unreachable]), 'failed'],
    ['interrupted: all were cancelled', runOf([cancelled]), 'interrupted'],
    ['attention: one wants it', runOf([row, late]), 'attention'],
    ['budget: answered after the RTO', runOf([late], { rtoMs: 2 * hour }), 'budget'],
  ])('is %s', (_what, result, expected) => {
    expect(fleetExit(result)).toBe(expected);
  });
});

describe('a restore of fewer lanes than were asked for', () => {
  const outcome = { json: {}, text: 'restore of 2 lanes' };
  it.each([
    [undefined, 'partial'],
    ['ok', 'partial'],
    ['budget', 'partial'],
    ['failed', 'failed'],
    ['partial', 'partial'],
  ] as const)('that ended with %s ends with %s, and names who was left', (exit, expected) => {
    const told = withLeft({ ...outcome, ...(exit && { exit }) }, ['lane-2']);
    expect(told).toMatchObject({ exit: expected, text: 'restore of 2 lanes\nleft as it is: lane-2' });
  });

  it('is as it was told when none was left', () => {
    expect(withLeft(outcome, [])).toBe(outcome);
  });
});

describe('the report', () => {
  it('has a row a lane, the whole against the sum, and what to type next', () => {
    const text = fleetText(runOf([row, failed, late]));
    expect(text).toContain('restore of 3 lanes: 2 done, 1 failed, 0 cancelled');
    expect(text).toMatch(/^lane-1 +mac-1 +restored +20261122T031500Z-1a2b3c4d +2\.3 GB +1 m +58 s$/m);
    expect(text).toMatch(/^lane-2 +mac-1 +failed, untouched .* DiskTooFull$/m);
    expect(text).toMatch(/^lane-4 +LOOK: over budget: tree$/m);
    expect(text).toMatch(
      /^in all +1 m 1 s; the lanes' own times add up to 2 m, the most that one after the other would take$/m,
    );
    expect(fleetText(runOf([row, failed]))).toMatch(/^in all +1 m 1 s$/m);
    expect(text).toContain('next: ./clawback status lane-2');
  });

  it('says when a volume could not hold its lanes together', () => {
    const volume = {
      host: 'mac-1',
      volume: '/dev/disk3',
      lanes: ['lane-1', 'lane-2'],
      freeBytes: 3e9,
      neededBytes: 4e9,
    };
    expect(fleetText(runOf([row], { volumes: [volume] }))).toContain(
      'lane-1, lane-2 need 4.0 GB together, /dev/disk3 of mac-1 has 3.0 GB: not all at once',
    );
    expect(fleetText(runOf([row], { volumes: [{ ...volume, freeBytes: 4e9 }] }))).not.toContain('not all at once');
  });

  it('names the RTO of all when every lane answered', () => {
    expect(fleetText(runOf([row], { rtoMs: 58_000 }))).toMatch(/^RTO +every lane answered within 58 s \(1 h 30 m\)$/m);
  });

  it.each([
    ['nothing for one that came through', row, null],
    ['the same again for one that was cancelled', cancelled, './clawback restore lane-3'],
    ['what the failure asks for', { ...failed, code: 'NoRestorePoint' as const }, './clawback bundles list lane-2'],
  ])('gives %s', (_what, lane, expected) => {
    expect(nextOf({ kind: 'restore' }, lane)).toBe(expected);
  });
});

describe('the plan', () => {
  const plan: RestorePlan = {
    lane: 'lane-1',
    host: 'mac-1',
    store: 'primary',
    fromHost: null,
    bundle,
    tier: 'B',
    proven: false,
    sources: [{ bundle, components: ['config'] }],
    sizeBytes: 2.3e9,
    sealedBytes: 1e9,
    segments: 9,
    rpo: [{ dataClass: 1, bundle, capturedAt: '2026-11-22T03:15:00.000Z', rpoMs: 30 * hour }],
    estimateMs: 118_000,
    openclawVersion: null,
    liveOpenclawVersion: null,
    freeBytes: 80e9,
    neededBytes: 3e9,
    warnings: ['the disk is nearly full'],
  };

  it('shows of each lane its bundle, the estimate and what is lost, and which lanes cannot be restored', () => {
    const text = fleetPlanText(
      runOf([{ ...row, plan }, { ...row, lane: 'lane-5', plan: { ...plan, lane: 'lane-5' } }, failed]),
      () => 24 * hour,
      1.5 * hour,
    );
    expect(text).toContain('Restore of 2 lanes of 3');
    expect(text).toMatch(
      /^lane-1 .*2\.3 GB +1 m 58 s +the last 1 d 6 h, RPO MISSED +nothing: what the lane has stays$/m,
    );
    expect(text).toMatch(/^lane-2 +mac-1 +not possible: DiskTooFull$/m);
    expect(text).toMatch(/^estimate +1 m 58 s to 3 m 56 s: side by side, or one after the other \(RTO 1 h 30 m\)$/m);
    expect(text).toMatch(/^lane-5 +warning: the disk is nearly full$/m);
  });
});
