import { describe, expect, it } from 'vitest';
import { laneConcerns, laneLine } from '../../../src/cli/lane-text.ts';
import type { HeldSchedule } from '../../../src/client/schedules.ts';
import { concernsOf, type FleetStatus, type LaneStatus, statusText } from '../../../src/cli/status-text.ts';

const hour = 3_600_000;
const capture = (ageMs: number) => ({
  bundle: '20261122T031500Z-1a2b3c4d',
  capturedAt: '2026-11-22T03:15:00.000Z',
  ageMs,
});
const well: LaneStatus = {
  lane: 'lane-1',
  host: 'mac-1',
  gateway: { seen: { loaded: true, disabled: false, pid: 4711, lastExit: null, healthy: true } },
  restore: { seen: { unsettled: null, kept: null } },
  rpoMs: 24 * hour,
  section: { seen: null },
  copies: null,
  captures: { seen: { class1: capture(hour), class2: capture(90 * hour), passedOver: [], instead: null } },
};
const queues = [{ role: 'host' as const, queue: 'clawback', polled: true }];
const fleet = (lane: LaneStatus): FleetStatus => ({
  fleet: 'demo',
  temporal: { seen: { address: 'localhost:7233', namespace: 'default', queues, runs: [], watch: null } },
  schedules: { seen: [] },
  lanes: [lane],
});

describe('a fleet where all is well', () => {
  it('has no concerns, and says so', () => {
    expect(concernsOf(fleet(well))).toEqual([]);
    expect(statusText(fleet(well), [])).toContain('Nothing wants attention.');
  });
});

describe('what wants attention', () => {
  it.each<[string, Partial<LaneStatus>, string]>([
    [
      'a gateway that is down',
      { gateway: { seen: { loaded: false, disabled: true, pid: null, lastExit: 78, healthy: false } } },
      'down: its job is not loaded, disabled, last exit status 78',
    ],
    [
      'a gateway that runs and is not healthy',
      { gateway: { seen: { loaded: true, disabled: false, pid: 1, lastExit: null, healthy: false } } },
      'running (pid 1), but its health check fails',
    ],
    [
      'a host that does not answer',
      {
        gateway: { unseen: { code: 'HostUnreachable', message: 'host mac-1 does not answer' } },
        restore: { unseen: { code: 'HostUnreachable', message: 'x' } },
      },
      'host mac-1 does not answer; check power',
    ],
    [
      'a restore that is half done',
      { restore: { seen: { unsettled: { restore: 'r', phase: 'open' }, kept: null } } },
      'r is half done; while a worker runs, it goes back to the old tree',
    ],
    [
      'a journal that cannot be read',
      { restore: { unseen: { code: 'JournalDamaged', message: 'its journal has not the fields of one' } } },
      'its journal is unknown',
    ],
    [
      'an RPO that is missed',
      { captures: { seen: { class1: capture(30 * hour), class2: null, passedOver: [], instead: null } } },
      'class 1 was captured 1 d 6 h ago, its RPO is 1 d: ./clawback backup lane-1',
    ],
    [
      'a lane without a backup',
      { captures: { seen: { class1: null, class2: null, passedOver: [], instead: null } } },
      'there is no good backup of class 1: ./clawback backup lane-1',
    ],
    [
      'a bundle that does not count',
      {
        captures: {
          seen: {
            class1: capture(1),
            class2: null,
            passedOver: [{ bundle: 'b', why: 'suspect: shrank' }],
            instead: null,
          },
        },
      },
      'bundle b does not count: suspect: shrank',
    ],
    [
      'a store that cannot be read',
      { captures: { unseen: { code: 'StoreUnreachable', message: 'store primary: its folder is gone' } } },
      'its backups cannot be seen: store primary',
    ],
  ])('%s', (_what, change, concern) => {
    const concerns = concernsOf(fleet({ ...well, ...change }));
    expect(concerns).toHaveLength(1);
    expect(concerns[0]).toContain(concern);
    expect(statusText(fleet({ ...well, ...change }), concerns)).toContain(`  ! ${concerns[0]}`);
  });

  it('a restore that is under way, instead of the gateway that is down for it', () => {
    const section = {
      seen: {
        operation: 'restore',
        startedAt: '2026-11-22T03:15:00.000Z',
        startedBy: 'r',
        workflowId: 'lane/demo/lane-1',
      },
    };
    const gateway = { seen: { loaded: false, disabled: true, pid: null, lastExit: 0, healthy: false } };
    expect(concernsOf(fleet({ ...well, section, gateway }))).toEqual([
      'lane-1: restore is under way: ./clawback follow lane/demo/lane-1',
    ]);
    const backup = { seen: { ...section.seen, operation: 'backup' } };
    expect(concernsOf(fleet({ ...well, section: backup }))).toEqual([]);
  });

  it('a queue without a worker, with the command that starts one', () => {
    const status = {
      ...fleet(well),
      temporal: {
        seen: {
          address: 'a',
          namespace: 'n',
          queues: [{ role: 'data' as const, queue: 'clawback-data', polled: false }],
          runs: [],
          watch: null,
        },
      },
    };
    expect(concernsOf(status)).toEqual(['no worker polls clawback-data: ./clawback worker --queues data']);
  });

  it('a Temporal that does not answer, which hides nothing of the lanes', () => {
    const unseen = { unseen: { code: 'TemporalUnreachable' as const, message: 'Temporal at a does not answer' } };
    const status: FleetStatus = { ...fleet({ ...well, section: unseen }), temporal: unseen };
    const text = statusText(status, concernsOf(status));
    expect(text).toContain('work     unknown: Temporal at a does not answer');
    expect(text).toContain('gateway  healthy (pid 4711)');
  });
});

describe('schedules', () => {
  const scheduled = (name: string, of: Partial<HeldSchedule> = {}): HeldSchedule => ({
    name,
    terms: {
      when: 'daily 03:15',
      timeZone: 'Asia/Tokyo',
      jitterMs: 60_000,
      catchupMs: 43_200_000,
      overlap: 'SKIP',
      pauseOnFailure: false,
      workflow: 'backupFleet',
      queue: 'clawback',
      input: '[]',
    },
    paused: false,
    note: '',
    nextAt: '2026-11-23T18:15:00.000Z',
    lastAt: '2026-11-22T18:15:00.000Z',
    lastWorkflowId: `scheduled/demo/${name}-2026-11-22T18:15:00Z`,
    lastOutcome: 'COMPLETED',
    missed: 0,
    ...of,
  });
  const withThose = (...schedules: HeldSchedule[]): FleetStatus => ({ ...fleet(well), schedules: { seen: schedules } });

  it('that are not there are told with the command that makes them, and the next one with its time on the wall', () => {
    expect(statusText(withThose(scheduled('watch')), [])).toContain('none: ./clawback schedules apply');
    const later = scheduled('tier-b/mac-1', { nextAt: '2026-11-29T18:15:00.000Z' });
    const status = withThose(later, scheduled('tier-a/mac-1'), scheduled('watch'));
    expect(statusText(status, [])).toContain('2; next tier-a/mac-1 at 2026-11-24 03:15:00 GMT+9');
    expect(concernsOf(status)).toEqual([]);
  });

  it('that are paused or missed runs are told, and it is a concern where one failed or a watch is paused', () => {
    const status = withThose(
      scheduled('tier-a/mac-1', { lastOutcome: 'FAILED' }),
      scheduled('tier-b/mac-1', { paused: true, note: 'moving house', nextAt: null }),
      scheduled('verify/lane-1', { missed: 3 }),
      scheduled('watch', { paused: true, nextAt: null }),
    );
    const text = statusText(status, []);
    expect(text).toContain('tier-b/mac-1 paused: moving house');
    expect(text).toContain('verify/lane-1 missed 3');
    expect(concernsOf(status)).toEqual([
      'watch is paused, nothing is looked for: ./clawback schedules resume watch',
      expect.stringMatching(/^tier-a\/mac-1: its last run at .* failed: \.\/clawback follow scheduled\/demo\/tier-a/),
    ]);
  });

  it('that cannot be seen hide nothing else', () => {
    const unseen = { unseen: { code: 'TemporalUnreachable' as const, message: 'Temporal at a does not answer' } };
    const status = { ...fleet(well), schedules: unseen };
    expect(statusText(status, [])).toContain('unknown: Temporal at a does not answer');
    expect(concernsOf(status)).toEqual([]);
  });
});

describe('a lane in one line', () => {
  it('is told after a failure', () => {
    expect(laneLine(well)).toBe('lane lane-1: gateway healthy (pid 4711); no restore is half done');
    expect(
      laneLine({ ...well, restore: { seen: { unsettled: { restore: 'r', phase: 'committed' }, kept: null } } }),
    ).toContain('the restore r is half done; while a worker runs, it goes forward to its end');
  });

  it('shows until when a restore can be undone', () => {
    const kept = { restore: 'r', restoredAt: '2026-11-22T03:15:00.000Z', until: '2026-11-29T03:15:00.000Z' };
    expect(statusText(fleet({ ...well, restore: { seen: { unsettled: null, kept } } }), [])).toContain(
      './clawback restore lane-1 --undo',
    );
    expect(laneConcerns({ ...well, restore: { seen: { unsettled: null, kept } } })).toEqual([]);
  });
});

describe('what the watch saw', () => {
  const sees = (more: object): FleetStatus => {
    const watch = {
      at: '2026-11-23T03:00:00.000Z',
      signals: [],
      held: [],
      away: [],
      tries: {},
      cutOff: false,
      blind: null,
      ...more,
    };
    return { ...fleet(well), temporal: { seen: { address: '', namespace: '', queues, runs: [], watch } } };
  };

  it('is told: signals with their incident, lanes that are held down, and that it saw nothing', () => {
    const text = 'a volume of mac-1 is 95 % full (mark: 90 %)';
    const signals = [
      { scenario: 'disk-full', subject: 'mac-1', code: 'disk', since: '2026-11-23T02:59:00.000Z', text },
    ];
    expect(concernsOf(sees({ signals }))).toEqual([`${text}: ./clawback incidents show disk-full/mac-1`]);
    expect(statusText(sees({ signals }), [])).toContain('1 signals');
    expect(concernsOf(sees({ held: ['lane-2'] }))[0]).toMatch(
      /^lane-2: a playbook stopped it.*clawback restore lane-2$/,
    );
    const lastMs = Date.parse('2026-11-23T02:58:00.000Z');
    expect(concernsOf(sees({ tries: { 'lane-1': { count: 2, lastMs } } }))).toEqual([]);
    expect(concernsOf(sees({ tries: { 'lane-1': { count: 3, lastMs } } }))[0]).toMatch(
      /^lane-1: the watch has tried 3 times to put it right, last at .*, and tries every 10 m\..*backup lane-1 tries at once$/,
    );
    expect(concernsOf(sees({ cutOff: true }))[0]).toMatch(/no answer from any host/);
    expect(concernsOf(sees({ blind: 'PlacementBad' }))[0]).toMatch(/cannot look for signals: PlacementBad/);
    expect(concernsOf(sees({}))).toEqual([]);
    expect(statusText(sees({}), [])).toContain('no signals');
  });
});

describe('lanes that were moved', () => {
  it('are a concern until fleet.yaml says where they are', () => {
    const workflowId = 'moved/bed/mac-1';
    const runs = [{ workflowId, type: 'keepMoved', startedAt: '2026-11-23T03:00:00.000Z' }];
    const temporal = { seen: { address: '', namespace: '', queues: [], runs, watch: null } };
    expect(concernsOf({ fleet: 'bed', temporal, schedules: { seen: [] }, lanes: [] })).toEqual([
      'lanes of mac-1 were moved to another host, which is not settled yet: ./clawback host moved mac-1',
    ]);
  });
});
