import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tombstoneKey } from '../../../../src/bundle/object-keys.ts';
import { encodeTombstone } from '../../../../src/bundle/tombstone.ts';
import { signers } from '../../../golden/keys.ts';
import { dayMs, hourMs, World } from './world.ts';

let world: World;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-02T00:00:00Z') });
  world = new World();
});
afterEach(() => {
  vi.useRealTimers();
});

async function backUp(tier: 'A' | 'B' = 'B'): Promise<string> {
  await world.beginBackup(tier);
  const bundle = await world.commitBackup();
  world.pass(hourMs);
  return bundle ?? '';
}

/** Two bundles of one day: the first is not kept. */
async function twoOfOneDay(): Promise<[first: string, second: string]> {
  const first = await backUp();
  world.change('transcripts', 1);
  return [first, await backUp()];
}

const stateOf = async (bundle: string): Promise<string | undefined> =>
  (await world.planExpiry()).bundles.find((one) => one.bundle === bundle)?.state;

describe('expiry', () => {
  it('takes a bundle from its tombstone to its removal, with counts and bytes, and no sooner than after the grace', async () => {
    const [first, second] = await twoOfOneDay();
    const plan = await world.planExpiry();
    expect(plan.bundles.map(({ bundle, state }) => [bundle, state])).toEqual([
      [second, 'kept'],
      [first, 'expires'],
    ]);
    await world.bury();
    expect(await stateOf(first)).toBe('tombstoned');
    world.pass(2 * dayMs - hourMs);
    expect(await world.removeExpired()).toMatchObject({ removedBundles: [], removedObjects: 0 });
    world.pass(2 * hourMs);
    expect(await stateOf(first)).toBe('due');
    const removal = await world.removeExpired();
    // the transcripts of the first and the secrets, which are never reused, with their indexes
    expect(removal).toMatchObject({ removedBundles: [first], removedObjects: 4, lockedObjects: 0 });
    expect(removal.removedBytes).toBe(plan.expiringBytes);
    expect(world.stored().map(({ manifest }) => manifest.bundle)).toEqual([second]);
    expect(await world.removeExpired()).toMatchObject({ removedBundles: [], removedObjects: 0 });
  });

  it('keeps the tombstone while the next bundle says that it followed: the gap is explained', async () => {
    const [first] = await twoOfOneDay();
    await world.expire();
    world.pass(3 * dayMs);
    await world.expire();
    expect(world.keysBelow('tombstones')).toEqual([tombstoneKey('lane-1', first)]);
  });

  it('stands still for a suspect lane, and says which bundle', async () => {
    await twoOfOneDay();
    world.shrunk = true;
    const suspect = await backUp();
    expect((await world.planExpiry()).standsStill).toContain(`bundle ${suspect}`);
    expect(await world.removeExpired()).toMatchObject({ removedBundles: [] });
  });

  it.each(['storeOffsetMs', 'temporalOffsetMs'] as const)(
    'does nothing by a clock that is a minute off: %s',
    async (whose) => {
      await twoOfOneDay();
      const before = world.store.objects.size;
      for (const offsetMs of [62_000, -62_000]) {
        world[whose] = offsetMs;
        await expect(world.planExpiry()).rejects.toMatchObject({ type: 'ClockOff' });
        await expect(world.removeExpired()).rejects.toMatchObject({ type: 'ClockOff' });
        await expect(world.sweep()).rejects.toMatchObject({ type: 'ClockOff' });
      }
      expect(world.store.objects.size).toBe(before);
      world[whose] = 50_000;
      expect((await world.planExpiry()).standsStill).toBeNull();
    },
  );

  it('counts what is locked, and takes it once its retention has ended', async () => {
    const [first] = await twoOfOneDay();
    world.store.lockMs = 10 * dayMs;
    await world.expire();
    world.pass(3 * dayMs);
    const lockedUntil = '2026-03-12T00:00:00.000Z';
    expect(await world.removeExpired()).toMatchObject({
      removedBundles: [],
      removedObjects: 0,
      lockedObjects: 1,
      lockedUntil,
    });
    world.pass(8 * dayMs);
    expect(await world.removeExpired()).toMatchObject({
      removedBundles: [first],
      removedObjects: 4,
      lockedObjects: 0,
      lockedUntil: null,
    });
  });

  it('locks neither a tombstone nor a clock: what is kept again can be restored at once', async () => {
    const [first] = await twoOfOneDay();
    world.store.lockMs = 30 * dayMs;
    await world.expire();
    const [, { sha256 } = { sha256: '' }] = world.stored();
    await world.prove(first, sha256);
    world.pass(3 * dayMs);
    expect(await world.removeExpired()).toMatchObject({ reprieved: 1, lockedObjects: 0 });
    expect([world.keysBelow('tombstones'), world.keysBelow('clock')]).toEqual([[], []]);
  });

  it('takes the tombstone away from a bundle that is proven meanwhile', async () => {
    const [first] = await twoOfOneDay();
    await world.expire();
    const [, { sha256 } = { sha256: '' }] = world.stored();
    await world.prove(first, sha256);
    world.pass(3 * dayMs);
    expect(await stateOf(first)).toBe('reprieved');
    expect(await world.removeExpired()).toMatchObject({ reprieved: 1, removedBundles: [] });
    expect(await stateOf(first)).toBe('kept');
  });

  it('believes no tombstone of another signer, or of other bytes', async () => {
    const [first] = await twoOfOneDay();
    const sha256 = world.stored()[1]?.sha256 ?? '';
    const says = {
      format: 1,
      fleet: 'fleet-1',
      lane: 'lane-1',
      bundle: first,
      tombstonedAt: '2026-01-01T00:00:00Z',
    } as const;
    for (const forged of [
      encodeTombstone({ ...says, manifestSha256: sha256 }, signers.intruder),
      encodeTombstone({ ...says, manifestSha256: 'f'.repeat(64) }, signers.manifest),
      Buffer.from('{}'),
    ]) {
      await world.store.put(tombstoneKey('lane-1', first), forged);
      world.pass(3 * dayMs);
      expect(await stateOf(first)).toBe('distrusted');
      expect(await world.removeExpired()).toMatchObject({ removedBundles: [] });
      await world.store.delete(tombstoneKey('lane-1', first));
    }
  });

  it('stands still when a receipt cannot be believed', async () => {
    await twoOfOneDay();
    await world.store.put('lane-1/receipts/20260302T000000Z-00000001.json', Buffer.from('{}'));
    expect((await world.planExpiry()).standsStill).toContain('receipt 20260302T000000Z-00000001');
  });
});
