// The command line as an operator has it: ./clawback from another directory, against a bed, a real Temporal server and
// its own worker.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupResult, RestoreResult } from '../../src/contract/results.ts';
import { bestBedKind } from '../bed/bed.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';

const launcher = resolve(import.meta.dirname, '../../clawback');

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves when stderr holds the text. */
  said(text: string | RegExp): Promise<string>;
  interrupt(): void;
}

describe('the command line', () => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-cli-'));
  let rig: Rig;

  beforeAll(async () => {
    rig = await Rig.start({
      kind: bestBedKind(),
      dir,
      hosts: [{ name: 'mac-1', lanes: 1 }],
      dataBytes: 60e6,
      durableServer: true,
    });
  });
  afterAll(async () => {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function start(...argv: string[]): Running {
    const child = spawn(launcher, argv, { cwd: '/', env: rig.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    const waiting = new Set<() => void>();
    child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      text.err += chunk.toString();
      for (const look of waiting) look();
    });
    const ended = new Promise<Ended>((fulfil) => child.once('close', (status) => fulfil({ status, ...text })));
    const said = (wanted: string | RegExp): Promise<string> =>
      new Promise((fulfil, reject) => {
        const look = (): void => {
          if (text.err.search(wanted) !== -1) fulfil(text.err);
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without ${String(wanted)}:\n${text.err}`)));
      });
    return { ended, said, interrupt: () => void child.kill('SIGINT') };
  }

  const clawback = (...argv: string[]): Promise<Ended> => start(...argv).ended;

  /** The one object on stdout. */
  async function json<T>(...argv: string[]): Promise<{ readonly status: number | null; readonly value: T }> {
    const { status, out } = await clawback('--json', ...argv);
    return { status, value: JSON.parse(out) as T };
  }

  const workflowIdIn = (err: string): string => /^workflow (\S+)$/m.exec(err)?.[1] ?? '';

  it('warns at once when no worker polls; Ctrl-C detaches with status 130, and cancel ends what waits', async () => {
    const backup = start('backup', 'lane-1');
    await backup.said('no worker polls clawback, clawback-data, clawback-vault');
    const workflowId = workflowIdIn(await backup.said(/^workflow \S+\n/m));
    backup.interrupt();
    const { status, err } = await backup.ended;
    expect(err).toContain(`detached: ${workflowId} goes on without you`);
    expect(err).toContain(`./clawback follow ${workflowId}  shows it again`);
    expect(status).toBe(130);

    const cancel = start('cancel', workflowId);
    await cancel.said('asked');
    await rig.startWorker();
    expect(await cancel.ended).toMatchObject({
      status: 0,
      out: expect.stringContaining(`${workflowId} is cancelled\nlane lane-1: gateway healthy`),
    });
  });

  it('says before the first backup what is missing, with status 5', async () => {
    const { status, out } = await clawback('status');
    expect(out).toContain('there is no good backup of class 1: ./clawback backup lane-1');
    expect(status).toBe(5);
  });

  it('refuses to restore where there is nothing to restore from, the lane untouched', async () => {
    const { status, value } = await json<{ code: string; lane: object }>('restore', 'lane-1', '--dry-run');
    expect(value).toMatchObject({ ok: false, code: 'NoRestorePoint', lane: { untouched: true } });
    expect(status).toBe(3);
  });

  it('backs up: plain lines with bytes on stderr, one object on stdout', async () => {
    const { status, out, err } = await clawback('backup', 'lane-1', '--tier', 'b', '--json');
    const result = JSON.parse(out) as BackupResult;
    expect(result).toMatchObject({ ok: true, lane: 'lane-1', tier: 'B', suspect: [], warnings: [] });
    expect(result.sizeBytes).toBeGreaterThan(50e6);
    expect(err).toMatch(/^backup lane-1 \[[\d.]+ s\] streaming segments; \d+ %, [\d.]+ \w?B of [\d.]+ MB/m);
    expect(status).toBe(0);
    expect((await clawback('status', 'lane-1')).status).toBe(0);
  });

  it('shows the plan, and changes nothing', async () => {
    const { status, out } = await clawback('restore', 'lane-1', '--dry-run');
    expect(out).toMatch(/bundle +\S+ \(tier B; the newest bundle; none is proven by a passed restore\)/);
    expect(out).toMatch(/lost, class 1 +what changed since/);
    expect(out).toMatch(/estimate +1 m/);
    expect(out).toContain('Nothing was changed.');
    expect(status).toBe(0);
  });

  it('opens the bundle without Temporal, identical', async () => {
    const { value: listed } = await json<{ lanes: { bundles: { bundle: string }[] }[] }>('bundles', 'list', 'lane-1');
    const bundle = listed.lanes[0]?.bundles[0]?.bundle ?? '';
    const outside = { ...rig.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const offline = (...argv: string[]): Promise<Ended> =>
      new Promise((fulfil) => {
        const child = spawn(launcher, argv, { env: outside, stdio: ['ignore', 'pipe', 'pipe'] });
        const text = { out: '', err: '' };
        child.stdout.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
        child.once('close', (status) => fulfil({ status, ...text }));
      });
    expect(await offline('open', bundle, '--lane', 'lane-1', '--out', join(dir, 'opened'))).toMatchObject({
      status: 0,
    });
    expect(await offline('compare', bundle, '--lane', 'lane-1', '--with', join(dir, 'opened'))).toMatchObject({
      status: 0,
      out: expect.stringContaining('identical: '),
    });
  });

  it('brings a wrecked lane back; a follower that detached comes back to it', async () => {
    const [lane] = rig.bed.lanes;
    if (!lane) throw new Error('the bed has no lane');
    const before = pictureOf(lane);
    await wreckLane(rig.bed, lane);
    const restore = start('restore', 'lane-1', '--yes');
    const workflowId = workflowIdIn(await restore.said(/^workflow \S+\n/m));
    restore.interrupt();
    expect((await restore.ended).status).toBe(130);

    const { status, value } = await json<RestoreResult>('follow', workflowId);
    expect(value).toMatchObject({
      ok: true,
      workflowId,
      lane: 'lane-1',
      into: 'live',
      messageAnswered: true,
      overBudget: [],
    });
    expect(status).toBe(0);
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
    expect((await clawback('status', 'lane-1')).out).toContain('./clawback restore lane-1 --undo');
  });

  it('cancelled in the middle, tells that the lane is as it was', async () => {
    const restore = start('restore', 'lane-1', '--yes');
    const workflowId = workflowIdIn(await restore.said(/^workflow \S+\n/m));
    expect((await clawback('cancel', workflowId)).status).toBe(0);
    const { status, err } = await restore.ended;
    expect(err).toContain('error: the workflow was cancelled');
    expect(err).toMatch(/^lane lane-1: gateway healthy \(pid \d+\); no restore is half done$/m);
    expect(err.trimEnd()).toMatch(/\nnext: \.\/clawback status lane-1$/);
    expect(status).toBe(130);
  });

  it('goes back from a restore, once', async () => {
    expect(await json<RestoreResult>('restore', 'lane-1', '--only', 'transcripts', '--yes')).toMatchObject({
      status: 0,
      value: { ok: true, messageAnswered: true },
    });
    const undone = await json<RestoreResult>('restore', 'lane-1', '--undo', '--yes');
    expect(undone).toMatchObject({ value: { ok: true, into: 'undo' } });
    const again = await json('restore', 'lane-1', '--undo', '--yes');
    expect(again).toMatchObject({
      status: 3,
      value: { ok: false, code: 'NothingToUndo', lane: { lane: 'lane-1', gateway: { seen: {} } } },
    });
  });

  it('sweeps, and shows what a lane reports', async () => {
    expect(await json('sweep', 'lane-1')).toMatchObject({ status: 0, value: { ok: true, removedObjects: 0 } });
    execFileSync('mkfifo', [join(rig.bed.lane('lane-1').realHome, 'workspace/pipe')]);
    expect((await clawback('backup', 'lane-1', '--tier', 'B')).status).toBe(0);
    const { status, value } = await json<{ lines: string[] }>('report', 'lane-1');
    expect(value.lines.join('\n')).toContain('left out (fifo)');
    expect(status).toBe(0);
  });

  it('says what a host that does not answer means for each part', async () => {
    await rig.bed.host('mac-1').killSshd();
    const { status, value } = await json<{ lanes: { gateway: object; captures: object }[]; concerns: string[] }>(
      'status',
      'lane-1',
    );
    await rig.bed.host('mac-1').startSshd();
    expect(value.lanes[0]).toMatchObject({ gateway: { unseen: { code: 'HostUnreachable' } }, captures: { seen: {} } });
    expect(value.concerns.join('\n')).toContain('check power');
    expect(status).toBe(5);
  });
});
