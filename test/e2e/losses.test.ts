// A host is lost, which the watch finds, and then a region with its store: the lanes come back on standbys, after an approval,
// and answer; the lost host's gateways are stopped when it comes back.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { abandonGate, readGate } from '../../src/client/gate.ts';
import { startBackupFleet } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { incidentId, movedId, queues, workflowNames } from '../../src/contract/names.ts';
import { movedMessages, type MovedState } from '../../src/contract/placement.ts';
import type { Scenario } from '../../src/domain/incident.ts';
import { markDirectory } from '../../src/store/directory-marker.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { runOnHost } from '../bed/bed-shell.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { laneOn, withoutOwners } from '../rehearse/losing.ts';
import type { Rig } from '../rig/rig.ts';
import { untilOpened, watchOnce } from '../rig/watch.ts';
import { project } from '../unit/docs/pages.ts';
import { backUp, editFleet, failureOf, startRig, stopRig } from './kit.ts';

let rig: Rig;
let one: BedLane;
let other: BedLane;

/** Says what it was asked, and answers what its kind wants. */
function hook(name: string, answer: string): { command: string[] } {
  const path = join(rig.dir, `${name}.sh`);
  writeFileSync(path, `#!/bin/sh\ncat >>${rig.dir}/${name}.log\necho >>${rig.dir}/${name}.log\necho '${answer}'\n`, {
    mode: 0o755,
  });
  return { command: [path] };
}

const askedOf = (name: string): Record<string, unknown>[] =>
  readFileSync(join(rig.dir, `${name}.log`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(async () => {
  if (bestBedKind() !== 'namespaces') return;
  const hosts = [
    { name: 'mac-1', lanes: 1 },
    { name: 'mac-2', lanes: 0, recruits: [1] },
    { name: 'mac-3', lanes: 1 },
    { name: 'mac-4', lanes: 0, guests: [2] },
  ];
  rig = await startRig({ kind: bestBedKind(), hosts, dataBytes: 1e6, store: 'directory' });
  [one, other] = rig.bed.lanes as [BedLane, BedLane];
  const [tokyo, far] = [join(rig.dir, 'tokyo'), join(rig.dir, 'far')];
  await Promise.all([markDirectory('tokyo', tokyo), markDirectory('far', far)]);
  editFleet(rig, (fleet) => {
    for (const name of ['mac-2', 'mac-4']) Object.assign(fleet.hosts[name] ?? {}, { standby: true });
    Object.assign(fleet.hosts['mac-3'] ?? {}, { region: 'tokyo' });
    Object.assign(fleet.lanes[other.lane] ?? {}, { store: 'tokyo' });
    fleet.stores['tokyo'] = { kind: 'directory', path: tokyo, region: 'tokyo' };
    fleet.stores['far'] = { kind: 'directory', path: far, region: 'hk', replicaOf: 'tokyo' };
    Object.assign(fleet, { signals: { host: { silent: '2s' } } });
    Object.assign(fleet, { hooks: { fence: hook('fence', '{"fenced":"power-off"}'), dns: hook('dns', '{}') } });
  });
  await rig.startWorker();
  await Promise.all([backUp(rig, one), backUp(rig, other)]);
});

afterAll(() => stopRig(rig));

const workflows = { 'host-loss': workflowNames.recoverHostLoss, 'region-loss': workflowNames.recoverRegionLoss };

/** Opened by hand, through the approval to the end. */
async function recover(scenario: keyof typeof workflows & Scenario, subject: string): Promise<IncidentState> {
  const workflowId = incidentId('bed', scenario, subject);
  const input = scenario === 'host-loss' ? { host: subject } : { region: subject };
  await rig.client.workflow.start(workflows[scenario], { taskQueue: queues.host, workflowId, args: [input] });
  return approved(workflowId);
}

async function approved(workflowId: string): Promise<IncidentState> {
  const handle = rig.client.workflow.getHandle(workflowId);
  for (;;) {
    const { phase, plan } = await handle.query<IncidentState>(incidentMessages.incident);
    if (phase === 'awaiting-approval') {
      await handle.executeUpdate(incidentMessages.approve, { args: [{ digest: plan?.digest, by: 'ada' }] });
      return (await handle.result()) as IncidentState;
    }
    if (phase !== 'planning') return (await handle.result()) as IncidentState;
    await sleep(200);
  }
}

const on = (lane: BedLane, name: string): BedLane => laneOn(rig, lane, name);

async function jobOn(name: string, { label }: BedLane): Promise<string> {
  const host = rig.bed.host(name);
  const launchctl = host.tools['launchctl'] ?? '/bin/launchctl';
  const command = `${launchctl} print system/${label}; ${launchctl} print-disabled system`;
  return (await runOnHost(rig.bed, host, command)).stdout;
}

async function clawback(...words: string[]): Promise<{ status: number; json: Record<string, unknown> }> {
  const argv = [join(project, 'clawback'), ...words, '--json'];
  const child = spawn(argv[0] ?? '', argv.slice(1), { env: rig.env, stdio: ['ignore', 'pipe', 'ignore'] });
  const [out, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { status: status as number, json: JSON.parse(out) as Record<string, unknown> };
}

const movedState = (lost: string): Promise<MovedState> =>
  rig.client.workflow.getHandle(movedId('bed', lost)).query<MovedState>(movedMessages.moved);

// one night, in its order: what fails is not tried again
/** An account is made on the standby: in a namespace, never on this machine. */
const makesAccounts = bestBedKind() === 'namespaces';

describe.runIf(makesAccounts)('a night of losses', { retry: 0 }, () => {
  it('brings the lane of a lost host back on a standby, where its account is made first', async () => {
    const before = pictureOf(one);
    expect(await watchOnce(rig)).toMatchObject({ signals: [], away: [], cutOff: false, blind: null });
    await rig.bed.host('mac-1').kill();
    const id = incidentId('bed', 'host-loss', 'mac-1');
    await untilOpened(rig, id);
    const state = await approved(id);
    expect(state).toMatchObject({ openedBy: 'watch', signal: { code: 'host-refuses' }, rehearsal: false });
    expect(state).toMatchObject({ phase: 'recovered', outcome: { lanes: [{ lane: 'lane-1', outcome: 'recovered' }] } });
    expect(state.rto.ms).toBeGreaterThan(0);
    expect(askedOf('fence')).toEqual([expect.objectContaining({ hook: 'fence', host: 'mac-1', lanes: ['lane-1'] })]);
    expect(askedOf('dns')).toEqual([expect.objectContaining({ host: 'mac-2', lanes: ['lane-1'] })]);
    expect(pictureDifferences(before, pictureOf(on(one, 'mac-2'))).filter(withoutOwners)).toEqual([]);
    expect(state.outcome?.followUp?.join('\n')).toContain('  lane-1:\n    host: mac-2');
  });

  it('starts the gate of that host, which passes its first day there', async () => {
    const { client } = rig;
    const gate = { fleet: 'bed', host: 'mac-2' };
    let state = await readGate(client, gate);
    while (state.rows.every(({ day, state: of }) => day !== 1 || of !== 'passed')) {
      expect(state.rows.filter(({ state: of }) => of === 'failed')).toEqual([]);
      await sleep(300);
      state = await readGate(client, gate);
    }
    expect(state).toMatchObject({ phase: 'running', lanes: ['lane-1'], dayLengthMs: null });
    const abandoned = await abandonGate(client, gate, { by: 'ada', reason: 'a test' });
    expect(abandoned.abandoned?.by).toBe('ada');
  });

  it('has the nightly backup of the lost host taken where its lane is now', async () => {
    const { lanes } = await (await startBackupFleet(rig.client, { host: 'mac-1', tier: 'A' })).result();
    expect(lanes).toMatchObject([{ lane: 'lane-1', host: 'mac-2', outcome: 'ok' }]);
    const { code } = await failureOf(recover('host-loss', 'mac-1'));
    expect(code).toBe('AlreadyMoved');
  });

  it('stops and disables the gateway of the lost host within a minute of its answering', async () => {
    await rig.bed.host('mac-1').boot();
    const answersMs = Date.now();
    while ((await movedState('mac-1')).lost === 'silent' && Date.now() - answersMs < 60_000) await sleep(500);
    expect(await movedState('mac-1')).toMatchObject({ lost: 'stopped', lanes: ['lane-1'], inFleetFile: false });
    const job = await jobOn('mac-1', one);
    expect(job).not.toContain('state = running');
    expect(job).toMatch(new RegExp(`"${one.label}" => (?:disabled|true)`));
    expect(await jobOn('mac-2', one)).toContain('state = running');
  }, 90_000);

  it('tells on the command line what fleet.yaml lacks, and takes the word that a host never comes back', async () => {
    const moved = await clawback('host', 'moved', 'mac-1');
    expect(moved).toMatchObject({ status: 5, json: { lost: 'stopped', on: { host: 'mac-2' }, inFleetFile: false } });
    expect(moved.json['fleetLines']).toEqual(expect.arrayContaining(['  lane-1:', '    host: mac-2']));
    expect(await clawback('host', 'gone', 'mac-9')).toMatchObject({ status: 2 });
  });

  it('brings the lane of a lost region back from the replica, its store and host gone', async () => {
    const before = pictureOf(other);
    await rig.bed.host('mac-3').kill();
    rmSync(join(rig.dir, 'tokyo'), { recursive: true });
    const state = await recover('region-loss', 'tokyo');
    expect(state).toMatchObject({
      phase: 'recovered',
      plan: { lanes: [{ lane: 'lane-2', toHost: 'mac-4', store: 'far' }] },
    });
    expect(pictureDifferences(before, pictureOf(on(other, 'mac-4'))).filter(withoutOwners)).toEqual([]);
  });
});
