import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { describeFleetStep } from '../../../src/activities/host/lanes.ts';
import { type PlacementNeeds, placedSpec, placedSpecs } from '../../../src/activities/host/placed.ts';
import { movedId } from '../../../src/contract/names.ts';
import type { MovedMemo, Placement, PlacedHost } from '../../../src/contract/placement.ts';
import type { FleetDescription } from '../../../src/contract/step-types.ts';
import { limits } from '../../../src/domain/limits.ts';
import { signVouched } from '../../../src/receipt/vouched.ts';
import { fleetName, specOf } from '../../workflows/fake-lane.ts';
import { runStep } from './golden-stores.ts';

const vault = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const pem = (key: KeyObject, type: 'pkcs8' | 'spki'): string => key.export({ format: 'pem', type }).toString();
const keeper = movedId(fleetName, 'mac-1');
const vouchedAt = '2026-11-23T02:00:00.000Z';

const placement: Placement = {
  fleet: fleetName,
  keeper,
  incident: `incident/${fleetName}/host-loss/mac-1`,
  runId: 'r-1',
  lostHost: 'mac-1',
  lanes: ['lane-1', 'lane-2'],
  on: {
    host: 'mac-1-new',
    record: { address: '192.0.2.9', port: 22, user: 'admin', hostKey: `ssh-ed25519 ${'A'.repeat(68)}` },
  },
  vouchedAt,
};

function memoOf(of: Placement = placement, key = vault.privateKey): MovedMemo {
  const envelope = signVouched(of, pem(key, 'pkcs8')).toString('base64');
  return { placement: of, envelope, lanes: of.lanes };
}

/** A fleet of which the keeper of mac-1 has this memo; the asked ids are noted. */
function world(memo: unknown, startedAt = vouchedAt): PlacementNeeds & { readonly asked: string[] } {
  const asked: string[] = [];
  const laneSpec = (lane: string, placed?: PlacedHost) => {
    const spec = specOf(lane);
    if (placed === undefined) return spec;
    const host = { ...spec.target.host, name: placed.host, ...placed.record };
    return { ...spec, target: { ...spec.target, host } };
  };
  return {
    asked,
    fleet: { name: fleetName, laneSpec } as unknown as PlacementNeeds['fleet'],
    temporal: {
      movedLanes: async (ids: readonly string[]) => {
        asked.push(...ids);
        return memo === undefined ? [] : [{ workflowId: keeper, startedAt, memo }];
      },
    } as unknown as PlacementNeeds['temporal'],
    keys: { receiptPublicKeysPem: async () => [pem(vault.publicKey, 'spki')] } as unknown as PlacementNeeds['keys'],
  };
}

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'believed',
    (error: { code?: string; type?: string }) => error.code ?? error.type,
  );
}

describe('where a lane is', () => {
  it('is what the fleet file says, when nothing was moved', async () => {
    expect(await placedSpec(world(undefined), 'lane-1')).toEqual(specOf('lane-1'));
  });

  it('is where a recovery put it, for every lane that is still there', async () => {
    const memo = { ...memoOf(), lanes: ['lane-2'] };
    const [one, other] = await placedSpecs(world(memo), ['lane-1', 'lane-2']);
    expect(one?.target.host.name).toBe('mac-1');
    expect(other?.target.host).toMatchObject({ name: 'mac-1-new', address: '192.0.2.9' });
  });

  it('is asked for once a host, however many lanes it has', async () => {
    const needs = world(undefined);
    await placedSpecs(needs, ['lane-1', 'lane-2', 'lane-3']);
    expect(needs.asked).toEqual([keeper]);
  });

  it('stays that of a lane which the signed placement does not name', async () => {
    const memo = { ...memoOf(), lanes: ['lane-1', 'lane-9'] };
    expect((await placedSpec(world(memo), 'lane-9')).target.host.name).toBe('mac-1');
  });

  it.each([
    ['signed by another key', memoOf(placement, stranger.privateKey)],
    ['changed after it was signed', { ...memoOf(), placement: { ...placement, on: { host: 'mac-9' } } }],
    ['of another fleet', memoOf({ ...placement, fleet: 'other' })],
    ['of another keeper', memoOf({ ...placement, keeper: movedId(fleetName, 'mac-2') })],
    ['of an unknown form', { lanes: ['lane-1'] }],
    ['absent', null],
    ['no envelope', { ...memoOf(), envelope: 'AAAA' }],
  ])('is not believed when it is %s: nothing is sent to a host that nobody vouched for', async (_what, memo) => {
    expect(await refusal(placedSpec(world(memo), 'lane-1'))).toBe('PlacementBad');
  });

  it('is not believed when an old placement is shown again', async () => {
    const later = new Date(Date.parse(vouchedAt) + limits.vouchedMs + 1).toISOString();
    expect(await refusal(placedSpec(world(memoOf(), later), 'lane-1'))).toBe('PlacementBad');
  });
});

describe('the lanes of a host, for a run over them', () => {
  const hostOf = (lane: string): string => (lane === 'lane-3' ? 'mac-3' : 'mac-1');

  /** lane-1 and lane-2 are of mac-1 by the file, lane-3 is of mac-3; lane-1 was moved. */
  function choose(host: string): Promise<FleetDescription> {
    const needs = world({ ...memoOf(), lanes: ['lane-1'] });
    const laneSpec = (lane: string, placed?: PlacedHost) => {
      const spec = needs.fleet.laneSpec(lane, placed);
      return placed ? spec : { ...spec, target: { ...spec.target, host: { ...spec.target.host, name: hostOf(lane) } } };
    };
    const fleet = { ...needs.fleet, laneSpec, lanes: ['lane-1', 'lane-2', 'lane-3'], digest: 'd', caps: {} };
    const step = describeFleetStep({ ...needs, fleet } as unknown as Deps);
    return runStep(step, { all: false, host });
  }

  const told = ({ lanes }: FleetDescription): string[] => lanes.map(({ lane, host }) => `${lane} on ${host}`);

  it('are those of the file, wherever a recovery has put them: its schedules go on by its name', async () => {
    expect(told(await choose('mac-1'))).toEqual(['lane-1 on mac-1-new', 'lane-2 on mac-1']);
  });

  it('are those that were put there, of which the file does not know yet', async () => {
    expect(told(await choose('mac-1-new'))).toEqual(['lane-1 on mac-1-new']);
  });

  it('are not none: that is refused', async () => {
    expect(await refusal(choose('mac-2'))).toBe('UnknownLane');
  });
});
