import { describe, expect, it } from 'vitest';
import { type Fleet, fleetSchema } from '../../../src/contract/fleet.ts';
import { schedulesSchema } from '../../../src/contract/fleet-schedules.ts';
import { type PlannedSchedule, plannedSchedules, riskyTimes } from '../../../src/contract/schedule-plan.ts';

const zones = { 'mac-1': 'Asia/Tokyo', 'mac-2': 'America/New_York' };

function fleet(schedules: object = {}): Fleet {
  return {
    fleet: 'acme',
    schedules: schedulesSchema.parse(schedules),
    lanes: { 'lane-1': { host: 'mac-1' }, 'lane-2': { host: 'mac-1' }, 'lane-3': { host: 'mac-2' } },
    hosts: { 'mac-1': {}, 'mac-2': {}, spare: {} },
  } as unknown as Fleet;
}

const idsOf = (schedules?: object): string[] => plannedSchedules(fleet(schedules), zones).map(({ id }) => id);

describe('the schedules of a fleet', () => {
  it('are tiers A and B for each host, C where a host has several lanes, the rest for each lane, and the watch', () => {
    expect(idsOf()).toEqual([
      'clawback/acme/tier-a/mac-1',
      'clawback/acme/tier-b/mac-1',
      'clawback/acme/tier-c/mac-1',
      'clawback/acme/tier-a/mac-2',
      'clawback/acme/tier-b/mac-2',
      ...['lane-1', 'lane-2', 'lane-3'].flatMap((lane) =>
        ['expire', 'verify', 'sweep'].map((work) => `clawback/acme/${work}/${lane}`),
      ),
      'clawback/acme/watch',
      'clawback/acme/watch-rpo',
    ]);
  });

  it('go by the clock of their host: tier A daily at 03:15 there', () => {
    const tiersA = plannedSchedules(fleet(), zones).filter(({ id }) => id.includes('/tier-a/'));
    expect(tiersA.map(({ when }) => when)).toEqual([
      { day: 'daily', hour: 3, minute: 15, timeZone: 'Asia/Tokyo' },
      { day: 'daily', hour: 3, minute: 15, timeZone: 'America/New_York' },
    ]);
    expect(tiersA[0]?.run).toEqual({
      workflow: 'backupFleet',
      queue: 'clawback',
      input: { host: 'mac-1', tier: 'A' },
      workflowId: 'scheduled/acme/tier-a/mac-1',
    });
  });

  it('leave out what is not enabled, and take times and days as they are set', () => {
    expect(idsOf({ tierC: { enabled: false }, sweep: { enabled: false } })).toHaveLength(12);
    const [tierB] = plannedSchedules(fleet({ tierB: { day: 'monday', at: '23:05' } }), zones).slice(1);
    expect(tierB?.when).toEqual({ day: 'monday', hour: 23, minute: 5, timeZone: 'Asia/Tokyo' });
  });

  it('take jitter, catch-up and overlap as they are set, and have presets for them', () => {
    const policies = ({ jitterMs, catchupMs, overlap }: PlannedSchedule) => ({ jitterMs, catchupMs, overlap });
    const set = { tierA: { jitter: '0s', catchUp: '1h30m', overlap: 'buffer-one' } };
    const [tierA, tierB] = plannedSchedules(fleet(set), zones).map(policies);
    expect(tierA).toEqual({ jitterMs: 0, catchupMs: 5_400_000, overlap: 'buffer-one' });
    expect(tierB).toEqual({ jitterMs: 60_000, catchupMs: 86_400_000, overlap: 'skip' });
  });

  it.each([{ jitter: '2h' }, { jitter: 60 }, { catchUp: '10s' }, { overlap: 'allow-all' }])('refuse %j', (bad) => {
    expect(schedulesSchema.safeParse({ tierA: bad }).success).toBe(false);
  });

  it('let a missed backup be made the same day, and nothing wait for longer than a day', () => {
    for (const { catchupMs, id } of plannedSchedules(fleet(), zones))
      expect(catchupMs, id).toBeLessThanOrEqual(86_400_000);
  });

  it.each(['24:00', '3:15', '03:60', '', 'noon'])('refuse the time %j', (at) => {
    expect(schedulesSchema.safeParse({ tierA: { at } }).success).toBe(false);
  });

  it('stand in the fleet file: its schema has them', () => {
    expect(fleetSchema.shape.schedules.parse(undefined)).toEqual(schedulesSchema.parse({}));
  });
});

describe('times at which clocks are moved', () => {
  it('are those from 01:00 to before 03:00 of what is enabled', () => {
    expect(riskyTimes(schedulesSchema.parse({}))).toEqual([]);
    const schedules = schedulesSchema.parse({
      tierA: { at: '02:30' },
      tierB: { at: '01:00' },
      sweep: { at: '03:00' },
      verify: { at: '02:59', enabled: false },
    });
    expect(riskyTimes(schedules)).toEqual(['tierA', 'tierB']);
  });
});
