// The machine that takes a lost host's lanes over, made ready for them.

import { host } from './steps.ts';
import { HostRecord, type PlacedHost } from '../contract/placement.ts';
import { workflowFailure } from './failures.ts';
import { hasStep, keyOf, lanesOf, type Move, reachOf, versionOf } from './loss-move.ts';

/** The standby of the plan, or the machine that a hook or somebody brings. */
export async function targetOf(move: Move): Promise<PlacedHost> {
  const { plan, lost, desk } = move;
  const name = plan.lanes.find((lane) => lane.host === lost.host)?.toHost ?? lost.newName;
  if (hasStep(move, 'standby')) return { host: name };
  const phase = `a new Mac in the stead of ${lost.host}`;
  return desk.provisioning({ step: 'provision', phase }, async () => {
    const byHook = hasStep(move, 'provision');
    for (;;) {
      const { address, port = 22, user = lost.login, hostKey } = byHook ? await askHook(move) : await askHand(move);
      const record = HostRecord.safeParse({ address, port, user, hostKey, region: lost.newRegion });
      if (record.success) {
        const brought = { host: name, record: record.data };
        desk.update({ brought: [...desk.state.brought, brought] });
        return brought;
      }
      const field = record.error.issues[0]?.path.join('.') || 'it';
      const told = `the new machine in the stead of ${lost.host} is not described rightly: ${field}`;
      if (byHook) throw workflowFailure('HookAnswerInvalid', told, { field });
      desk.warn(told);
    }
  });
}

type Brought = { readonly [K in 'address' | 'hostKey' | 'user']?: string | undefined } & {
  readonly port?: number | undefined;
};

async function askHook(move: Move): Promise<Brought> {
  const { lost } = move;
  const { newRegion: region, profile } = lost;
  const lanes = lost.lanes.map(({ lane, user, port }) => ({ lane, user, port }));
  const input = { host: lost.host, region, profile, version: await versionOf(move), lanes };
  return move.hands.runHook({ hook: 'provision', key: keyOf(move, 'provision'), input });
}

function askHand({ lost, hands }: Move): Promise<Brought> {
  const users = lost.lanes.map(({ user }) => user).join(', ');
  return hands.ask(
    'provision',
    `provide a Mac in ${lost.newRegion} in the stead of ${lost.host} (accounts ${users}), and tell its address and SSH host key`,
  );
}

export async function prepare(move: Move, on: PlacedHost, dryRun: boolean): Promise<void> {
  const { fleetDigest, lanes } = move.plan;
  const own = lanesOf(move);
  const sizes = lanes.filter(({ lane }) => own.includes(lane)).map(({ sizeBytes }) => sizeBytes);
  const neededBytes = sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  await host.prepareHost({ ...on, fleetDigest, lanes: own, neededBytes, dryRun });
}

/** OpenClaw as the bundles have it, where a hook can do that; another version in the profile's range is told. */
export async function install(move: Move, on: PlacedHost): Promise<string[]> {
  const wanted = await versionOf(move);
  const { fleetDigest } = move.plan;
  const lanes = lanesOf(move);
  const look = { ...on, fleetDigest, lanes, neededBytes: 0, dryRun: true };
  const { openclawVersion } = await host.prepareHost(look);
  if (wanted === null || openclawVersion === wanted) return [];
  const has = openclawVersion ?? 'no OpenClaw';
  const [lane] = lanes;
  const own = move.lost.lanes.find((one) => one.lane === lane);
  if (move.kinds.includes('pin') && lane !== undefined && own !== undefined) {
    const { address, port, login } = await reachOf(move, on);
    const input = { lane, host: on.host, address, port, login, user: own.user, version: wanted };
    await move.hands.runHook({ hook: 'pin', key: keyOf(move, 'pin'), input });
    return [`OpenClaw ${wanted} was installed on ${on.host}, which had ${has}`];
  }
  if (openclawVersion === null)
    await move.hands.ask('install', `install OpenClaw ${wanted} on ${on.host}, for there is no pin hook`);
  return [`${on.host} had ${has}, the bundles are of ${wanted}`];
}
