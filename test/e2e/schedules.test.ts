// The schedules from outside, by the launcher and a real server: applied, applied again, changed, paused, triggered.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { listSchedules } from '../../src/client/schedules.ts';
import { bestBedKind } from '../bed/bed.ts';
import { runOnHost } from '../bed/bed-shell.ts';
import type { Rig } from '../rig/rig.ts';
import { editFleet, startRig, stopRig } from './kit.ts';

const launcher = resolve(import.meta.dirname, '../../clawback');
const waitMs = 60_000;

interface Held {
  readonly name: string;
  readonly paused: boolean;
  readonly note: string;
  readonly nextAt: string | null;
  readonly lastOutcome: string | null;
  readonly lastWorkflowId: string | null;
  readonly terms: { readonly when: string; readonly timeZone: string };
}

interface Applied {
  readonly ok: boolean;
  readonly applied: boolean;
  readonly schedules: number;
  readonly changes: readonly { readonly id: string; readonly change: string; readonly fields?: readonly unknown[] }[];
}

describe('schedules', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig({ kind: bestBedKind(), hosts: [{ name: 'mac-1', lanes: 2 }], dataBytes: 1e6 });
    await rig.startWorker();
  });
  afterAll(() => stopRig(rig));

  function clawback(...argv: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
    const { status, stdout, stderr } = spawnSync(launcher, argv, { cwd: '/', env: rig.env, encoding: 'utf8' });
    return { status, out: stdout, err: stderr };
  }

  function json<T>(...argv: string[]): T {
    const { out, err } = clawback('--json', 'schedules', ...argv);
    if (out === '') throw new Error(err);
    return JSON.parse(out) as T;
  }

  const held = (name: string): Held | undefined =>
    json<{ schedules: Held[] }>('list').schedules.find((one) => one.name === name);

  /** Temporal's list of schedules is behind by a moment. */
  const expectNothingToChange = (): Promise<void> =>
    vi.waitFor(() => expect(json<Applied>('apply', '--dry-run').changes).toEqual([]), {
      timeout: waitMs,
      interval: 500,
    });

  it('are shown before they are applied, and applied only with a yes', () => {
    const planned = json<Applied>('apply', '--dry-run');
    expect(planned).toMatchObject({ ok: true, applied: false, schedules: 11 });
    // the watches are there since the worker started
    expect(planned.changes.map(({ id, change }) => [id, change])).toEqual(
      [
        'tier-a/mac-1',
        'tier-b/mac-1',
        'tier-c/mac-1',
        ...['lane-1', 'lane-2'].flatMap((lane) => ['expire', 'verify', 'sweep'].map((work) => `${work}/${lane}`)),
      ].map((name) => [`clawback/bed/${name}`, 'create']),
    );
    expect(clawback('schedules', 'apply')).toMatchObject({ status: 2, err: expect.stringContaining('give --yes') });
    expect(held('tier-a/mac-1')).toBeUndefined();
  });

  it('are by the clock of the host, tier A daily at 03:15; applied twice, nothing changes', async () => {
    expect(json<Applied>('apply', '--yes')).toMatchObject({ applied: true, changes: { length: 9 } });
    await expectNothingToChange();
    const tierA = held('tier-a/mac-1');
    expect(tierA).toMatchObject({ paused: false, lastOutcome: null, terms: { when: 'daily 03:15' } });
    const local = new Intl.DateTimeFormat('en-GB', {
      timeZone: tierA?.terms.timeZone ?? '',
      hour: '2-digit',
      minute: '2-digit',
    }).format(new Date(tierA?.nextAt ?? 0));
    expect(['03:15', '03:16']).toContain(local);
  });

  it('run at once when triggered, each tier: a bundle of each lane, and its line in the log of the host', async () => {
    const names = ['tier-a/mac-1', 'tier-b/mac-1', 'tier-c/mac-1'];
    for (const name of names) expect(clawback('schedules', 'trigger', name).status).toBe(0);
    await vi.waitFor(
      async () => {
        const schedules = (await listSchedules(rig.client, 'bed')).filter(({ name }) => names.includes(name));
        expect(schedules.map(({ lastOutcome }) => lastOutcome)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
      },
      { timeout: waitMs, interval: 500 },
    );
    const [host] = rig.bed.hosts;
    if (!host) throw new Error('the bed has no host');
    const { stdout } = await runOnHost(
      rig.bed,
      host,
      `cat '${host.root === '/' ? '' : host.root}/var/log/openclaw-backup.log'`,
    );
    const lines = stdout.toString().trim().split('\n');
    expect(lines.map((line) => [/lane-\d/.exec(line)?.[0], /tier=(\w)/.exec(line)?.[1]].join(' ')).sort()).toEqual(
      ['lane-1', 'lane-2'].flatMap((lane) => ['A', 'B', 'C'].map((tier) => `${lane} ${tier}`)),
    );
  });

  it('keep an operator’s pause when the file changes, and lose what the file has no longer', async () => {
    expect(clawback('schedules', 'pause', 'tier-b/mac-1', '--note', 'moving house').status).toBe(0);
    await rig.client.schedule.create({
      scheduleId: 'clawback/other/tier-a/mac-1',
      spec: { intervals: [{ every: '30d' }] },
      action: { type: 'startWorkflow', workflowType: 'backupFleet', taskQueue: 'nowhere', args: [] },
    });
    editFleet(rig, (fleet) => {
      (fleet as { schedules?: unknown }).schedules = {
        tierA: { jitter: '5m', catchUp: '10h', overlap: 'cancel-other' },
        tierB: { day: 'monday', at: '05:00' },
        sweep: { enabled: false },
      };
    });
    const shown = clawback('schedules', 'apply', '--dry-run').out;
    expect(shown).toContain('jitterMs: 1 m -> 5 m\n    catchupMs: 12 h -> 10 h\n    overlap: SKIP -> CANCEL_OTHER');
    const { changes } = json<Applied>('apply', '--yes');
    expect(changes.map(({ id, change }) => [id, change])).toEqual([
      ['clawback/bed/tier-a/mac-1', 'update'],
      ['clawback/bed/tier-b/mac-1', 'update'],
      ['clawback/bed/sweep/lane-1', 'remove'],
      ['clawback/bed/sweep/lane-2', 'remove'],
    ]);
    expect(changes[1]?.fields).toEqual([{ field: 'when', from: 'sunday 04:00', to: 'monday 05:00' }]);
    await expectNothingToChange();
    expect(clawback('status').out).toContain('tier-b/mac-1 paused: moving house');
    const { schedules } = JSON.parse(clawback('--json', 'status', 'lane-1').out) as { schedules: { seen: Held[] } };
    const expected = ['expire/lane-1', 'tier-a/mac-1', 'tier-b/mac-1', 'tier-c/mac-1', 'verify/lane-1'];
    expect(schedules.seen.map(({ name }) => name)).toEqual([...expected, 'watch', 'watch-rpo']);
    expect(held('tier-b/mac-1')).toMatchObject({ paused: true, note: 'moving house', nextAt: null });
    expect((await rig.client.schedule.getHandle('clawback/other/tier-a/mac-1').describe()).state.paused).toBe(false);

    expect(clawback('schedules', 'resume', 'tier-b/mac-1').status).toBe(0);
    expect(held('tier-b/mac-1')).toMatchObject({ paused: false });
    expect(clawback('schedules', 'remove', 'tier-b/mac-1').status).toBe(0);
    expect(clawback('schedules', 'remove', 'tier-b/mac-1')).toMatchObject({
      status: 2,
      err: expect.stringContaining('has no schedule tier-b/mac-1'),
    });
  });
});
