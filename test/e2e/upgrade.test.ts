// A guarded upgrade on the bed, with hooks that do there what an operator's do on a Mac: install a version, restart the
// gateway, or break what a bad version breaks.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUpgrade } from '../../src/client/start.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentId, queues, workflowNames } from '../../src/contract/names.ts';
import type { UpgradeResult } from '../../src/contract/upgrade.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids, killGateway } from '../rig/wreck.ts';
import { readManifest } from './forge.ts';
import { asLane, backUp, editFleet, failureOf, leftOn, overwrite, startRig, stopRig } from './kit.ts';

let rig: Rig;
let lane: BedLane;
let first: string;

/** Installs by writing the version file, in place, so that its owner stays; a restart is a kill, for launchd starts it again. */
function hookText(): string {
  const state = join(lane.realHome, '.openclaw');
  return `#!/bin/sh
set -e
question=$(cat)
field() { printf '%s' "$question" | jq -r ".$1"; }
hook=$(field hook)
printf '%s %s\\n' "$hook" "$(field key)" >> calls.log
[ ! -e "no-$hook" ] || { echo "canary $TOKEN" >&2; exit 7; }
field '${'to // .version'}' > ${state}/version
[ "$hook" = pin ] && exit 0
[ ! -e bad ] || printf '{' > ${state}/config/openclaw.json
pkill -9 -f 'gateway run --port ${lane.port}$'
`;
}

beforeAll(async () => {
  const hosts = [{ name: 'mac-1', lanes: 1 }];
  rig = await startRig({ kind: bestBedKind(), hosts, dataBytes: 1e6 });
  [lane] = rig.bed.lanes as [BedLane];
  mkdirSync(join(rig.dir, 'hooks'), { recursive: true });
  const path = join(rig.dir, 'hooks/openclaw');
  writeFileSync(path, hookText(), { mode: 0o755 });
  writeFileSync(join(rig.dir, 'hooks/token'), canary, { mode: 0o600 });
  const hook = { command: ['hooks/openclaw'], env: { TOKEN: { file: 'hooks/token' } }, attempts: 1 };
  editFleet(rig, (fleet) => Object.assign(fleet, { hooks: { upgrade: hook, pin: hook } }));
  await rig.startWorker();
  first = await versionOf();
});

afterAll(() => stopRig(rig));

const canary = 'canary-of-the-hook-9d21';
const upgrade = async (to: string): Promise<UpgradeResult> =>
  (await startUpgrade(rig.client, { lane: lane.lane, to })).result();

async function versionOf(): Promise<string> {
  const { stdout } = await asLane(
    rig,
    lane,
    `${rig.bed.host('mac-1').tools['openclaw'] ?? '/usr/local/bin/openclaw'} --version`,
  );
  return /OpenClaw (\S+)/.exec(stdout)?.[1] ?? stdout;
}

function calls(): string[] {
  const log = join(rig.dir, 'calls.log');
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  rmSync(log, { force: true });
  return lines.map((line) => line.split(' ')[0] ?? '');
}

function told(name: string, isSo: boolean): void {
  if (isSo) writeFileSync(join(rig.dir, name), '');
  else rmSync(join(rig.dir, name));
}

/** Fetches every history of the section, as Temporal keeps it. */
async function temporalText(): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId } of rig.client.workflow.list())
    texts.push(JSON.stringify(await rig.client.workflow.getHandle(workflowId, runId).fetchHistory()));
  return texts.join('\n');
}

// one lane's days, in their order: what fails is not tried again
describe('a guarded upgrade', { retry: 0 }, () => {
  it('has a bundle of the version before, installs the new one, and is answered', async () => {
    const [pid] = gatewayPids(lane);
    const good = await upgrade('2025.12.1');
    expect(good).toMatchObject({ from: first, to: '2025.12.1', messageAnswered: true, warnings: [] });
    expect(good.receipt).not.toBeNull();
    expect(await versionOf()).toBe('2025.12.1');
    expect(gatewayPids(lane)).not.toEqual([pid]);
    expect(calls()).toEqual(['upgrade']);
  });

  it('to a bad version goes back, state and version together, and is answered', async () => {
    const before = pictureOf(lane);
    told('bad', true);
    const failure = await failureOf(upgrade('2025.12.2'));
    expect(failure.code).toBe('UpgradeFailed');
    expect(failure.message).toMatch(
      /^the upgrade of lane lane-1 failed: GatewayWouldNotStart [^]*; rolled back to OpenClaw 2025\.12\.1 and bundle \S+, gateway answers$/,
    );
    expect(calls()).toEqual(['upgrade', 'pin']);
    expect(await versionOf()).toBe('2025.12.1');
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
    expect(gatewayPids(lane)).toHaveLength(1);
    told('bad', false);
  });
});

/** A version that nobody guarded: it cannot read its configuration, and launchd starts it again and again. */
function upgradeUnguarded(version: string): void {
  overwrite(join(lane.realHome, '.openclaw/version'), `${version}\n`);
  overwrite(join(lane.realHome, '.openclaw/config/openclaw.json'), '{');
  killGateway(lane);
}

const recover = async (): Promise<IncidentState> => {
  const input = { lane: lane.lane, signal: { code: 'exit-loop', since: new Date().toISOString(), text: '3 restarts' } };
  const options = {
    taskQueue: queues.host,
    workflowId: incidentId('bed', 'bad-upgrade', lane.lane),
    args: [input] as [unknown],
  };
  return rig.client.workflow.execute<(input: unknown) => Promise<IncidentState>>(
    workflowNames.recoverBadUpgrade,
    options,
  );
};

/** Spoils the index of one segment of a bundle. @returns what mends it */
function spoil(bundle: string): () => void {
  const [segment] = readManifest(rig, lane.lane, bundle).segments;
  const path = join(rig.storePath, lane.lane, 'indexes', `${segment?.fingerprint}-${segment?.index.suffix}`);
  const good = readFileSync(path);
  const bad = Buffer.from(good);
  bad[bad.length - 20] = (bad.at(-20) ?? 0) ^ 1;
  writeFileSync(path, bad);
  return () => writeFileSync(path, good);
}

describe('a bad upgrade that nobody guarded', { retry: 0 }, () => {
  let bundle: string;
  let before: LanePicture;

  it('is not recovered from by a failing hook: the lane is as it was, and it says what to do', async () => {
    ({ bundle } = await backUp(rig, lane));
    before = pictureOf(lane);
    upgradeUnguarded('2025.12.9');
    told('no-pin', true);
    const failure = await failureOf(recover());
    expect(failure.code).toBe('RecoveryFailed');
    expect(failure.message).toContain('not brought back: lane-1 (HookFailed)');
    expect(failure.message).toContain(`./clawback restore lane-1 --bundle ${bundle} --stop-first --pin`);
    expect(await versionOf()).toBe('2025.12.9');
    expect(leftOn(lane).filter((name) => name.startsWith('stage/') || name === 'journal/journal.json')).toEqual([]);
    told('no-pin', false);
  });

  it('nor from a spoiled archive, for which nothing is stopped', async () => {
    const mend = spoil(bundle);
    const failure = await failureOf(recover());
    expect(failure.message).toContain('not brought back: lane-1 (BundleDamaged)');
    mend();
  });

  it('is recovered from alone: state and version as before it, and an answered message', async () => {
    calls();
    const state = await recover();
    expect(state).toMatchObject({
      phase: 'recovered',
      approval: { how: 'policy' },
      plan: { ask: null, lanes: [{ bundle }] },
      outcome: { escalation: null, lanes: [{ outcome: 'recovered', code: null }] },
    });
    expect(state.plan?.steps.map(({ step }) => step)).toEqual(['stop', 'restore', 'pin', 'smoke']);
    expect(calls()).toEqual(['pin']);
    expect(await versionOf()).toBe('2025.12.1');
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
    expect(gatewayPids(lane)).toHaveLength(1);
  });

  it('leaves no word of the hooks, nor their secret, in Temporal', async () => {
    const text = await temporalText();
    expect(text).toContain('HookFailed');
    expect(text).not.toContain('canary');
  });
});
