// What an incident is planned from.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { briefIncidentStep } from '../../../src/activities/recover/brief-incident.ts';
import { planRecoveryStep } from '../../../src/activities/recover/plan-recovery.ts';
import { playbooksSchema } from '../../../src/contract/fleet-playbooks.ts';
import type { PlanRecovery } from '../../../src/contract/incident-plan.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { golden } from '../../golden/make.ts';
import { fleetDigest, specOf } from '../../workflows/fake-lane.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

let stores: GoldenStores;
beforeEach(() => {
  stores = new GoldenStores();
});
afterEach(() => stores.remove());

const empty = 'lane-without-backup';

function depsWith(playbooks: object = {}): Deps {
  const fleet = {
    name: golden.fleet,
    digest: fleetDigest,
    lanes: [golden.lane, empty],
    watched: { rules: { disk: { full: 93 } } },
    playbooks: playbooksSchema.parse(playbooks),
    laneSpec: (lane: string) => {
      if (lane !== golden.lane && lane !== empty) throw new Failure('UnknownLane', `no lane ${lane}`);
      return { ...specOf(lane), fleet: golden.fleet };
    },
  };
  const temporal = { movedLanes: async () => [] };
  return {
    ...stores.deps,
    fleet: fleet as unknown as Deps['fleet'],
    temporal: temporal as unknown as Deps['temporal'],
  };
}

function draft(more: Partial<PlanRecovery> = {}): PlanRecovery {
  return {
    scenario: 'disk-full',
    subject: 'mac-1',
    fleetDigest,
    since: '2026-11-22T04:15:00.000Z',
    steps: [{ step: 'prune', what: 'remove class 3' }],
    lanes: [{ lane: golden.lane }],
    ...more,
  };
}

describe('a plan', () => {
  it('names the bundle of each lane, what it costs and what is lost, counted from the first signal', async () => {
    const plan = await runStep(planRecoveryStep(depsWith()), draft());
    const [lane] = plan.lanes;
    expect(lane).toMatchObject({ lane: golden.lane, host: 'mac-1', bundle: golden.bundle, store: 'primary' });
    expect(lane?.rpo[0]?.ageMs).toBe(
      Date.parse('2026-11-22T04:15:00.000Z') - Date.parse(lane?.rpo[0]?.capturedAt ?? ''),
    );
    expect(lane?.lost.length).toBeGreaterThan(0);
    expect(plan.estimatedRtoMs).toBeGreaterThanOrEqual(60_000);
  });

  it('has one digest however often it is made, and another one for anything else', async () => {
    const digests = [];
    for (const one of [draft(), draft(), draft({ subject: 'mac-2' }), draft({ warnings: ['more'] })])
      digests.push((await runStep(planRecoveryStep(depsWith()), one)).digest);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[1]).toBe(digests[0]);
    expect(new Set(digests).size).toBe(3);
  });

  it('asks where a lane that keeps its data has no good backup, or too old a one, and loses nothing of it', async () => {
    const kept = (lane: string, since: string): PlanRecovery =>
      draft({ lanes: [{ lane, kept: true }], asksWithoutBackup: true, since });
    const step = planRecoveryStep(depsWith());
    const fresh = await runStep(step, kept(golden.lane, '2026-11-22T04:15:00.000Z'));
    expect(fresh).toMatchObject({ ask: null, lanes: [{ lost: [], estimateMs: 0 }] });
    const old = await runStep(step, kept(golden.lane, '2026-12-22T04:15:00.000Z'));
    expect(old.ask).toMatch(/newest good backup of lane .* is 30/);
    const none = await runStep(step, kept(empty, '2026-11-22T04:15:00.000Z'));
    expect(none).toMatchObject({ ask: `lane ${empty} has no good backup`, lanes: [{ bundle: null, store: null }] });
  });

  it('is refused where a lane that is to be restored has no bundle, or none of the tier', async () => {
    const step = planRecoveryStep(depsWith());
    for (const lane of [{ lane: empty }, { lane: golden.lane, tiers: ['C' as const] }])
      await expect(runStep(step, draft({ lanes: [lane] }))).rejects.toMatchObject({ type: 'NoRestorePoint' });
  });

  it('is refused by a worker that holds another fleet file', async () => {
    const other = draft({ fleetDigest: '0'.repeat(64) });
    await expect(runStep(planRecoveryStep(depsWith()), other)).rejects.toMatchObject({ type: 'FleetChanged' });
  });
});

describe('the brief', () => {
  it('tells policy and lanes of a host, and refuses a host without lanes', async () => {
    const deps = depsWith({ 'disk-full': { approval: 'required', remindEvery: '1m' } });
    const about = { scenario: 'disk-full', subject: 'mac-1' } as const;
    expect(await runStep(briefIncidentStep(deps), about)).toMatchObject({
      approval: 'required',
      remindEveryMs: 60_000,
      approvers: [],
      alerts: false,
      diskFull: 93,
      lanes: [{ lane: golden.lane }, { lane: empty }],
    });
    const stray = runStep(briefIncidentStep(deps), { ...about, subject: 'mac-9' });
    await expect(stray).rejects.toMatchObject({ type: 'UnknownLane' });
  });
});
