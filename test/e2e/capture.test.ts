// What a backup of a 2026 lane promises beside a gateway that writes without rest: it is suspended for a moment and
// goes on, databases and files are of one generation, and what is too large for tier A is not lost by restoring one.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackup } from '../../src/client/start.ts';
import { limits } from '../../src/domain/limits.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { eventually, runOnHost, say } from '../bed/bed-shell.ts';
import type { Rig } from '../rig/rig.ts';
import { readManifest } from './forge.ts';
import { asLane, backUp, editFleet, failureOf, leftOn, restore, startRig, stopRig } from './kit.ts';

let rig: Rig;
/** On a volume as it is; on one that clones, by a cp that stands in for it; with a database that takes seconds. */
let plain: BedLane;
let cloning: BedLane;
let slow: BedLane;

beforeAll(async () => {
  const hosts = ['mac-1', 'mac-2', 'mac-3'].map((name) => ({ name, lanes: 1, profile: 'openclaw-2026' as const }));
  rig = await startRig({ kind: bestBedKind(), hosts, dataBytes: 2e6, chatterMs: 20 });
  [plain, cloning, slow] = rig.bed.lanes as [BedLane, BedLane, BedLane];
  const sqlite = rig.bed.host('mac-3').tools['sqlite3'] ?? '/usr/bin/sqlite3';
  const cp = standIn(
    cloning,
    'cp',
    'for word do shift; case "$word" in --reflink=*) ;; *) set -- "$@" "$word" ;; esac; done; exec /bin/cp "$@"',
  );
  const sqlite3 = standIn(slow, 'sqlite3', `case " $* " in *' -readonly '*) sleep 3 ;; esac; exec ${sqlite} "$@"`);
  editFleet(rig, (fleet) => {
    Object.assign(fleet.hosts['mac-2'] ?? {}, { tools: { ...rig.bed.host('mac-2').tools, cp } });
    Object.assign(fleet.hosts['mac-3'] ?? {}, { tools: { ...rig.bed.host('mac-3').tools, sqlite3 } });
  });
  await rig.startWorker();
});

afterAll(() => stopRig(rig));

/** A program in the lane's home. @returns its path on the host */
function standIn(lane: BedLane, name: string, text: string): string {
  const path = join(lane.realHome, `stand-in-${name}`);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return join(lane.home, `stand-in-${name}`);
}

function canReflink(): boolean {
  const [from, to] = ['from', 'to'].map((name) => join(rig.dir, `reflink-${name}`)) as [string, string];
  writeFileSync(from, 'x');
  try {
    execFileSync('cp', ['--reflink=always', from, to], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const logOf = ({ realHome }: BedLane): string =>
  readFileSync(join(realHome, 'Library/Logs/openclaw/gateway.log'), 'utf8');

/** When the gateway was suspended for a bundle, and when it went on: ms since the epoch. */
function windowOf(lane: BedLane, bundle: string): { from: number; to: number } {
  const at = (what: string): number =>
    Date.parse(new RegExp(`^(\\S+) gateway ${what} for ${bundle}$`, 'm').exec(logOf(lane))?.[1] ?? '');
  return { from: at('suspended'), to: at('resumed') };
}

/** The chatter's own times in the database and in the conversation's file, up to an instant. */
function ticksOf({ realHome }: BedLane, untilMs: number): { rows: number[]; lines: number[] } {
  const state = join(realHome, '.openclaw/agents/main');
  const database = new DatabaseSync(join(state, 'agent/openclaw-agent.sqlite'), { readOnly: true });
  const rows = database.prepare("SELECT content FROM turns WHERE session = 'agent:main:chatter' ORDER BY id").all();
  database.close();
  const lines = readFileSync(join(state, 'sessions/agent_main_chatter.jsonl'), 'utf8').split('\n').slice(0, -1);
  const tick = (content: unknown): number => Number(/^tick (\d+)/.exec(String(content))?.[1]);
  const before = (ticks: number[]): number[] => ticks.filter((one) => one <= untilMs);
  return {
    rows: before(rows.map(({ content }) => tick(content))),
    lines: before(lines.map((line) => tick((JSON.parse(line) as { content: string }).content))),
  };
}

async function savedAndRestored(lane: BedLane): Promise<{ bundle: string; ticks: ReturnType<typeof ticksOf> }> {
  const { bundle, warnings, suspect } = await backUp(rig, lane);
  expect({ warnings, suspect }).toEqual({ warnings: [], suspect: [] });
  const untilMs = Date.now();
  expect((await restore(rig, lane, { bundle })).messageAnswered).toBe(true);
  return { bundle, ticks: ticksOf(lane, untilMs) };
}

describe('a backup of a gateway that can be suspended', () => {
  it('takes databases while it holds still, and files that hold every turn of theirs', async () => {
    const { bundle, ticks } = await savedAndRestored(plain);
    const cloned = canReflink();
    expect(readManifest(rig, plain.lane, bundle).consistency).toBe(cloned ? 'cloned' : 'compared');
    const { from, to } = windowOf(plain, bundle);
    expect(to - from).toBeGreaterThan(0);
    expect(to - from).toBeLessThan(limits.suspensionMs);
    expect(ticks.rows.length).toBeGreaterThan(10);
    // a tick is taken just before it is written: the last of them lies close before the window
    expect(Math.max(...ticks.rows)).toBeLessThanOrEqual(from);
    expect(from - Math.max(...ticks.rows)).toBeLessThan(5_000);
    expect(ticks.rows.filter((tick) => !ticks.lines.includes(tick))).toEqual([]);
  });

  it('takes files of that very moment where the file system clones them', async () => {
    const { bundle, ticks } = await savedAndRestored(cloning);
    expect(readManifest(rig, cloning.lane, bundle).consistency).toBe('cloned');
    expect(readManifest(rig, cloning.lane, bundle).segments.filter(({ supplement }) => supplement)).toEqual([]);
    expect(ticks.rows.length).toBeGreaterThan(10);
    expect(ticks.lines).toEqual(ticks.rows);
    expect(leftOn(cloning).filter((name) => name.startsWith('run/'))).toEqual([]);
  });

  it('sends nothing again from a clone that an earlier clone sent', async () => {
    const first = await backUp(rig, cloning);
    const second = await backUp(rig, cloning);
    const [one, other] = [first, second].map(({ bundle }) => readManifest(rig, cloning.lane, bundle).segments);
    const reused = (other ?? []).filter(({ suffix }) => one?.some((segment) => segment.suffix === suffix));
    expect(reused.some(({ component }) => component === 'workspace')).toBe(true);
    expect(second.reusedSegments).toBe(reused.length);
  });

  it('goes on without when it is refused, and says so', async () => {
    const body = JSON.stringify({ requestId: 'another', leaseMs: 60_000 });
    const post = (path: string, data: string): Promise<{ stdout: string }> =>
      runOnHost(rig.bed, rig.bed.host(plain.host), `curl -s -d '${data}' http://127.0.0.1:${plain.port}/${path}`);
    const { suspensionId } = JSON.parse((await post('suspend', body)).stdout) as { suspensionId: string };
    const { bundle, warnings } = await backUp(rig, plain, { tier: 'A' });
    expect(warnings).toEqual([expect.stringContaining('the gateway was not suspended')]);
    expect(windowOf(plain, bundle).from).toBeNaN();
    // the other's suspension is none of ours to end
    expect((await say(rig.bed, plain.lane, 'x')).status).toBe(503);
    await post('resume', JSON.stringify({ suspensionId }));
    expect((await say(rig.bed, plain.lane, 'x')).status).toBe(200);
  });

  it('lets it go on when it is cancelled in that moment', async () => {
    const handle = await startBackup(rig.client, { lane: slow.lane, tier: 'A', waitMs: 0 });
    await eventually(async () => /gateway suspended/.test(logOf(slow)), 60_000);
    expect((await say(rig.bed, slow.lane, 'x')).status).toBe(503);
    await handle.cancel();
    expect((await failureOf(handle.result())).code).toBe('Cancelled');
    expect(logOf(slow)).toMatch(/gateway resumed/);
    expect((await say(rig.bed, slow.lane, 'x')).status).toBe(200);
  });

  it('takes the suspension over when its worker dies in that moment, and ends it', async () => {
    const seen = logOf(slow).length;
    const since = (): string => logOf(slow).slice(seen);
    const handle = await startBackup(rig.client, { lane: slow.lane, tier: 'A', waitMs: 0 });
    await eventually(async () => /gateway suspended/.test(since()), 60_000);
    for (const worker of rig.workers) worker.kill();
    await rig.startWorker();
    const { bundle, warnings } = await handle.result();
    expect(warnings).toEqual([]);
    const told = [...since().matchAll(/gateway (suspended|resumed) for (\S+)$/gm)].map(([, what, id]) => [what, id]);
    expect(told).toEqual([
      ['suspended', bundle],
      ['suspended', bundle],
      ['resumed', bundle],
    ]);
  });
});

describe('a database that is too large for tier A', () => {
  it('is left out of one, which says so, and stays when one is restored', async () => {
    const name = '.openclaw/state/openclaw-quarantine.sqlite';
    const path = join(plain.realHome, name);
    const { uid, gid } = statSync(join(plain.realHome, '.openclaw/state'));
    const database = new DatabaseSync(path);
    database.exec(`CREATE TABLE kept (blob); INSERT INTO kept VALUES (zeroblob(${limits.classOneDatabaseBytes}))`);
    database.close();
    // a frame that has not been checkpointed is part of the database
    writeFileSync(`${path}-wal`, '');
    for (const one of [path, `${path}-wal`]) chownSync(one, uid, gid);
    const { inode } = inodeOf(path);

    const { bundle, omissions, sizeBytes } = await backUp(rig, plain, { tier: 'A' });
    expect(omissions).toContainEqual({ reason: 'too-large-for-tier-a', count: 1 });
    expect(sizeBytes).toBeLessThan(limits.classOneDatabaseBytes / 10);
    const report = (await asLane(rig, plain, `cat ${plain.home}/.clawback/report`)).stdout;
    expect(report).toContain(`${bundle} left out (too-large-for-tier-a): "${name}"`);

    await restore(rig, plain, { bundle });
    expect(inodeOf(path)).toEqual({ inode, uid });
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect((await say(rig.bed, plain.lane, 'x')).status).toBe(200);
    rmSync(path);
    rmSync(`${path}-wal`);
  });
});

function inodeOf(path: string): { inode: number; uid: number } {
  const { ino, uid } = statSync(path);
  return { inode: ino, uid };
}
