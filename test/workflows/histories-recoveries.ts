// The runs of upgrades, playbooks and the gate whose histories are kept (histories.ts).

import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { gateId, incidentId, movedId, workflowNames } from '../../src/contract/names.ts';
import { type Bench, ended, type Handle, waitUntil } from './bench.ts';
import { bundleId, type FakeLane, fleetName, wholeBundle } from './fake-lane.ts';
import type { Scenario } from './histories.ts';

const [before, after] = ['2025.11.1', '2025.11.2'];

function install(lane: FakeLane, openclawVersion: string): FakeLane {
  lane.survey = { ...lane.survey, openclawVersion };
  return lane;
}

/** Its hooks do what they are for. */
function withHooks(lane: FakeLane): FakeLane {
  lane.onHook = ({ hook, input }) => {
    if (hook === 'fence') return { fenced: 'power-off' };
    if (hook === 'upgrade') install(lane, after);
    if (hook === 'pin' && 'version' in input && input.version !== null) install(lane, input.version);
    return hook === 'upgrade' ? { version: after } : {};
  };
  return lane;
}

function onHost(bench: Bench, name: string, host: string): FakeLane {
  const lane = bench.lane(name);
  const { target } = lane.spec;
  lane.spec = { ...lane.spec, target: { ...target, host: { ...target.host, name: host } } };
  return lane;
}

interface Opened {
  readonly workflow: string;
  readonly scenario: string;
  readonly subject: string;
  readonly input: object;
}

function open(bench: Bench, { workflow, scenario, subject, input }: Opened): Promise<Handle> {
  return bench.start(workflow, input, incidentId(fleetName, scenario as 'host-loss', subject));
}

async function approve(run: Handle): Promise<void> {
  const look = (): Promise<IncidentState> => run.query<IncidentState>(incidentMessages.incident);
  await waitUntil('it asks', async () => (await look()).phase === 'awaiting-approval');
  const args: [object] = [{ digest: (await look()).plan?.digest, by: 'ada' }];
  await (run as Handle & { executeUpdate(name: string, options: { args: [object] }): Promise<unknown> }).executeUpdate(
    incidentMessages.approve,
    { args },
  );
}

/** Two lanes of a host, whose loss waits for an approval; with who keeps where they are afterwards. */
async function loseHost(bench: Bench, host: string): Promise<Readonly<Record<string, Handle>>> {
  const lanes = [onHost(bench, `${host}-a`, host), onHost(bench, `${host}-b`, host)];
  withHooks(bench.lane(host)).hooks = ['fence', 'dns'];
  bench.fleet.planned.set(host, { ask: 'policy' });
  const workflow = workflowNames.recoverHostLoss;
  const run = await open(bench, { workflow, scenario: 'host-loss', subject: host, input: { host } });
  await approve(run);
  const incident = await ended(run);
  for (const lane of lanes) lane.inFleetFile = true;
  bench.lane(host).lostHost = 'answers';
  return { incident, moved: await ended(bench.handle(movedId(fleetName, host))) };
}

/** A gate with days of two seconds, cancelled on its second: the run of its first day, and the last one. */
async function gate(bench: Bench, host: string): Promise<Readonly<Record<string, Handle>>> {
  const lane = onHost(bench, `${host}-lane`, host);
  lane.manifestSha256 = '1'.repeat(64);
  const capturedAt = new Date(Date.now() + 40 * 24 * 3_600_000).toISOString();
  lane.chosen = { ...wholeBundle, captured: [{ dataClass: 1, bundle: bundleId, capturedAt }] };
  const id = gateId(fleetName, host);
  const run = await bench.start(workflowNames.qualifyHost, { host, dayLengthMs: 2_000 }, id);
  const { runId } = await run.describe();
  await waitUntil('the next day', async () => (await bench.handle(id).describe()).runId !== runId, 60_000);
  await bench.handle(id).cancel();
  return { first: bench.handle(id, runId), last: await ended(bench.handle(id)) };
}

export const recoveries: Readonly<Record<string, Scenario>> = {
  'upgrade-lane': async (bench, name) => {
    const lane = install(withHooks(bench.lane(name)), before);
    lane.chosen = { ...lane.chosen, openclawVersion: before };
    const parent = await ended(await bench.start(workflowNames.upgradeLane, { lane: name }));
    return { parent, section: bench.handle(lane.id) };
  },

  'upgrade-goes-back': async (bench, name) => {
    const lane = install(withHooks(bench.lane(name)), before);
    lane.chosen = { ...lane.chosen, openclawVersion: before };
    const hook = lane.onHook;
    lane.onHook = (request) => {
      lane.smoke = { ...lane.smoke, answered: request.hook === 'pin', httpStatus: 401 };
      return hook(request);
    };
    await ended(await bench.start(workflowNames.upgradeLane, { lane: name }));
    return { section: bench.handle(lane.id) };
  },

  'recover-bad-upgrade': async (bench, lane) => {
    const broken = install(withHooks(bench.lane(lane)), after);
    broken.preUpgrade = { ...broken.preUpgrade, capturedAt: new Date(Date.now() - 3_600_000).toISOString() };
    const workflow = workflowNames.recoverBadUpgrade;
    return {
      incident: await ended(await open(bench, { workflow, scenario: 'bad-upgrade', subject: lane, input: { lane } })),
    };
  },

  'recover-disk-full': async (bench, host) => {
    onHost(bench, `${host}-a`, host);
    const workflow = workflowNames.recoverDiskFull;
    const run = await open(bench, { workflow, scenario: 'disk-full', subject: host, input: { host } });
    return { incident: await ended(run), section: bench.handle(bench.lane(`${host}-a`).id) };
  },

  'recover-cross-write': async (bench, host) => {
    onHost(bench, `${host}-a`, host);
    onHost(bench, `${host}-b`, host);
    const workflow = workflowNames.recoverCrossWrite;
    return {
      incident: await ended(await open(bench, { workflow, scenario: 'cross-write', subject: host, input: { host } })),
    };
  },

  'recover-host-loss': loseHost,

  'recover-region-loss': async (bench, region) => {
    const host = `${region}-1`;
    const lane = onHost(bench, `${host}-a`, host);
    withHooks(bench.lane(region)).hooks = ['fence', 'dns'];
    bench.fleet.planned.set(region, { ask: 'policy' });
    bench.fleet.regions.set(region, [host]);
    bench.fleet.refuges.set(host, { to: 'mac-8', lanes: [{ lane: lane.name, fromReplica: true }] });
    const workflow = workflowNames.recoverRegionLoss;
    const run = await open(bench, { workflow, scenario: 'region-loss', subject: region, input: { region } });
    await approve(run);
    const incident = await ended(run);
    await bench.client.workflow.getHandle(movedId(fleetName, host)).terminate();
    return { incident };
  },

  'qualify-host': gate,

  'watch-rpo': async (bench) => ({ watch: await ended(await bench.start(workflowNames.watchRpo, {})) }),
};
