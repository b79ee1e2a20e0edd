// A guarded upgrade on the bed, with hooks that do there what an operator's do on a Mac: install a version, restart the
// gateway, or break what a bad version breaks.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUpgrade } from '../../src/client/start.ts';
import type { UpgradeResult } from '../../src/contract/upgrade.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { asLane, editFleet, failureOf, leftOn, restore, startRig, stopRig } from './kit.ts';

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
  let before: LanePicture;

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
    before = pictureOf(lane);
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
  });

  it('whose way back fails too says both, and is gone back from later with the bundle that it took', async () => {
    told('no-pin', true);
    const failure = await failureOf(upgrade('2025.12.3'));
    expect(failure.message).toMatch(/AND THE WAY BACK FAILED: HookFailed the hook pin ended with status 7 /);
    expect(calls()).toEqual(['upgrade', 'pin', 'pin']);
    expect(await versionOf()).toBe('2025.12.3');
    const left = leftOn(lane).filter((name) => /^(?:stage|run|journal)\//.test(name));
    expect(left).toEqual(['journal/restored.json', 'journal/rolled-back.json']);
    told('no-pin', false);
    const bundle = /--bundle (\S+) --pin/.exec(failure.message)?.[1];
    if (!bundle) throw new Error(failure.message);
    const back = await restore(rig, lane, { bundle, pin: true, stopFirst: true, acceptVersion: true });
    expect(back).toMatchObject({ bundle, messageAnswered: true });
    expect(back.plan?.warnings).toContain('OpenClaw is set back to 2025.12.1 by the pin hook (it is 2025.12.3 now)');
    expect(await versionOf()).toBe('2025.12.1');
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
  });

  it('leaves no word of its hooks, nor their secret, in Temporal', async () => {
    const text = await temporalText();
    expect(text).toContain('HookFailed');
    expect(text).not.toContain('canary');
  });
});
