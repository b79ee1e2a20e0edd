// A sweep of everything, however young, and the commit of a backup that is not known to go on: a lane's section keeps them
// apart, but for a worker that was thought dead. They meet at each single operation of the store (fast-check).

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { objectsOf } from '../../../../src/activities/bundle-objects.ts';
import { World } from './world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T00:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Met {
  readonly world: World;
  /** The code that the commit failed with. */
  readonly refused: string | undefined;
  /** What the sweep tells. */
  readonly damaged: readonly string[];
}

async function meet(scheduler: fc.Scheduler): Promise<Met> {
  const world = new World();
  await world.beginBackup('A');
  world.store.pause = (operation) => scheduler.schedule(Promise.resolve(), operation);
  const commit = world.commitBackup().then(
    () => undefined,
    (error: unknown) => String((error as { type?: string }).type),
  );
  const sweep = world.sweep(0);
  await scheduler.waitFor(Promise.all([commit, sweep]));
  world.store.pause = async () => undefined;
  return { world, refused: await commit, damaged: (await sweep).damaged };
}

function damagedIn(world: World): string[] {
  const isLost = (key: string): boolean => !world.store.objects.has(key);
  const lost = world.stored().filter(({ manifest }) => objectsOf(manifest).some(({ key }) => isLost(key)));
  return lost.map(({ manifest }) => manifest.bundle);
}

/** 200 interleavings on a machine that does much else. */
const slowMs = 120_000;

describe('a sweep that meets a commit', () => {
  it('leaves no bundle that lacks an object without one of the two saying so, and restores choose none', {
    timeout: slowMs,
  }, async () => {
    const seen = { whole: 0, refused: 0, 'given up': 0, told: 0 };
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const { world, refused, damaged } = await meet(scheduler);
        const lacking = damagedIn(world);
        const buried = world.keysBelow('tombstones').length > 0;
        if (lacking.length === 0) {
          seen[refused === undefined ? 'whole' : 'refused'] += 1;
          expect({ refused: refused ?? 'ObjectMissing', buried }).toEqual({ refused: 'ObjectMissing', buried: false });
        } else if (refused === undefined) {
          seen.told += 1;
          expect(damaged).toEqual(lacking);
        } else {
          seen['given up'] += 1;
          expect({ refused, buried }).toEqual({ refused: 'ObjectMissing', buried: true });
          await expect(world.choose()).rejects.toMatchObject({ type: 'NoRestorePoint' });
        }
      }),
      { numRuns: 200 },
    );
    // each way in which they can harm each other was met
    expect(Math.min(seen['given up'], seen.told)).toBeGreaterThan(0);
  });
});
