// Backups, expiry, sweeps, restores, proofs and clocks in every order, without any lock (fast-check). The first property
// lets whole steps follow each other over weeks, the second lets steps meet at each single operation of the store.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { classOf } from '../../../../src/domain/terms.ts';
import { proofOf } from '../../../../src/receipt/proven.ts';
import { provenBundles } from '../../../../src/activities/receipts/proven-bundles.ts';
import { dayMs, hourMs, type Mutation, mutations, World } from './world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T00:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is allowed to go wrong: a worker that died, clocks that differ, a backup that took too long, nothing there. */
const allowed = ['StoreUnreachable', 'ClockOff', 'BackupTooLong', 'NoRestorePoint'];

async function tolerant(work: Promise<unknown>, also: readonly string[] = []): Promise<void> {
  try {
    await work;
  } catch (error) {
    const code = error instanceof Failure ? error.code : (error as { type?: string }).type;
    if (![...allowed, ...also].includes(code ?? '')) throw error;
  }
}

/** The newest proven bundle of each class. */
async function lastProven(world: World): Promise<string[]> {
  const request = { fleet: 'fleet-1', lane: 'lane-1', store: 'primary', signal: new AbortController().signal };
  const { proven } = await provenBundles(world.deps, request);
  const bundles = world.stored().filter(({ manifest, sha256 }) => proofOf(proven, manifest.bundle, sha256));
  return ([1, 2] as const).flatMap((dataClass) => {
    const last = bundles.find(({ manifest }) =>
      manifest.segments.some(({ component }) => classOf(component) === dataClass),
    );
    return last ? [last.manifest.bundle] : [];
  });
}

/** An object that was written by a clock forty days back looks dead to the right one: only the commit notices. */
const clockJumps = 'the store’s clock jumps';

type Act = (world: World, nth: number) => Promise<unknown>;

const acts: Readonly<Record<string, Act>> = {
  'an hour passes': async (world) => world.pass(hourMs),
  'a day passes': async (world) => world.pass(dayMs),
  'three days pass': async (world) => world.pass(3 * dayMs),
  'a backup of tier A begins': (world) => world.beginBackup('A'),
  'a backup of tier B begins': (world) => world.beginBackup('B'),
  'a backup commits': (world, nth) => world.commitBackup(nth),
  'a backup of tier A is made': (world) =>
    world.beginBackup('A').then(() => world.commitBackup(world.begun.length - 1)),
  'a backup of tier B is made': (world) =>
    world.beginBackup('B').then(() => world.commitBackup(world.begun.length - 1)),
  'expiry runs': (world) => world.expire(),
  'configuration changes': async (world, nth) => world.change('config', nth),
  'transcripts change': async (world, nth) => world.change('transcripts', nth),
  'OpenClaw is upgraded': async (world) => {
    world.version = `${world.version}+`;
  },
  'the lane is nearly empty at the next backup': async (world) => {
    world.shrunk = !world.shrunk;
  },
  'expiry is planned': (world) => world.planExpiry(),
  'tombstones are set': (world) => world.bury(),
  'the expired is removed': (world) => world.removeExpired(),
  'a worker dies while it removes': async (world, nth) => {
    world.store.operationsLeft = nth;
    await tolerant(world.removeExpired());
    world.store.operationsLeft = Number.POSITIVE_INFINITY;
  },
  'a worker dies while it sets tombstones': async (world, nth) => {
    world.store.operationsLeft = nth % 3;
    await tolerant(world.bury());
    world.store.operationsLeft = Number.POSITIVE_INFINITY;
  },
  'the store is swept': (world) => world.sweep(),
  'a restore chooses': (world) => world.choose(),
  'a restore fetches': async (world) => expect(world.fetch()).toEqual([]),
  'a listed bundle is restored': async (world, nth) => {
    const bundles = world.stored();
    const named = bundles[nth % Math.max(bundles.length, 1)]?.manifest.bundle;
    if (named === undefined) return;
    await world.choose(named);
    const restore = world.chosen.pop();
    expect(restore?.keys.filter((key) => !world.store.objects.has(key))).toEqual([]);
  },
  'a bundle is proven': async (world, nth) => {
    const bundles = world.stored();
    const one = bundles[nth % Math.max(bundles.length, 1)];
    if (one) await world.prove(one.manifest.bundle, one.sha256);
  },
  [clockJumps]: async (world, nth) => {
    world.storeOffsetMs = world.storeOffsetMs === 0 ? (nth % 2 ? 40 : -40) * dayMs : 0;
  },
  'objects are locked from now on': async (world) => {
    world.store.lockMs = 3 * dayMs;
  },
};

function holds(world: World): void {
  expect(world.missing()).toEqual([]);
}

/** Weeks of quiet and of daily expiry: nothing dead is left, and what is kept is all there. */
async function settle(world: World): Promise<void> {
  Object.assign(world, { storeOffsetMs: 0, shrunk: false });
  world.begun.length = 0;
  world.plans.length = 0;
  // the first may be suspect for what the lane was before; the second is not
  for (let round = 0; round < 2; round++) {
    await world.beginBackup('B');
    await world.commitBackup();
    world.pass(hourMs);
  }
  world.pass(50 * dayMs);
  for (let round = 0; round < 4; round++) {
    await world.expire();
    world.pass(3 * dayMs);
  }
}

async function nothingDeadIsLeft(world: World): Promise<void> {
  world.store.lockMs = 0;
  const bundles = world.stored();
  const plan = await world.planExpiry();
  expect(plan.standsStill).toBeNull();
  expect(plan.bundles.filter(({ state }) => state !== 'kept')).toEqual([]);
  expect(plan.expiringBytes).toBe(0);
  const named = new Set(
    bundles.flatMap(({ manifest }) => manifest.segments.map(({ fingerprint, suffix }) => `${fingerprint}-${suffix}`)),
  );
  for (const folder of ['segments', 'indexes'])
    expect(world.keysBelow(folder)).toEqual([...named].map((name) => `lane-1/${folder}/${name}`).toSorted());
  const followed = bundles.map(({ manifest }) => `lane-1/tombstones/${manifest.predecessor?.bundle}.json`);
  expect(world.keysBelow('tombstones').filter((key) => !followed.includes(key))).toEqual([]);
  expect(world.keysBelow('clock')).toEqual([]);
}

/** So often as these more than any other act: without bundles that have gone there is nothing to see. */
const often: Readonly<Record<string, number>> = {
  'a backup of tier A is made': 8,
  'a backup of tier B is made': 8,
  'expiry runs': 10,
  'a day passes': 6,
  'three days pass': 6,
  'the expired is removed': 3,
  'a worker dies while it removes': 4,
  'transcripts change': 4,
};
const act = fc.oneof(...Object.keys(acts).map((name) => ({ weight: often[name] ?? 1, arbitrary: fc.constant(name) })));
const story = fc.array(fc.tuple(act, fc.nat(60)), { minLength: 10, maxLength: 60, size: 'max' });

async function play(lines: readonly (readonly [string, number])[], mutation?: Mutation): Promise<void> {
  const world = new World({ mutation });
  const mayLose = lines.some(([name]) => name === clockJumps) ? ['ObjectMissing'] : [];
  for (const [name, nth] of lines) {
    const before = await lastProven(world);
    await tolerant(acts[name]?.(world, nth) ?? Promise.reject(new Error(`no act ${name}`)), mayLose);
    holds(world);
    const left = new Set(world.stored().map(({ manifest }) => manifest.bundle));
    expect(before.filter((bundle) => !left.has(bundle))).toEqual([]);
  }
  await settle(world);
  holds(world);
  await nothingDeadIsLeft(world);
}

/** Steps that meet: each begins in a world of some days, and all run at once. */
const meeting: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a backup': async (world) => {
    await world.beginBackup('B');
    await world.commitBackup();
  },
  tombstones: (world) => world.bury(),
  'an expiry': (world) => world.expire(),
  'a removal': (world) => world.removeExpired(),
  'a sweep': (world) => world.sweep(),
  'a restore': (world) => world.choose(),
};

async function past(world: World, days: readonly number[]): Promise<void> {
  for (const day of days) {
    world.change('config', day);
    if (day % 3 === 0) world.change('transcripts', day);
    await world.beginBackup(day % 3 === 0 ? 'B' : 'A');
    await world.commitBackup();
    if (day % 4 === 0) await world.expire();
    world.pass(dayMs);
  }
  await world.planExpiry();
}

async function meet(days: readonly number[], who: readonly string[], scheduler: fc.Scheduler): Promise<void> {
  const world = new World();
  await past(world, days);
  world.store.pause = (operation) => scheduler.schedule(Promise.resolve(), operation);
  const running = Promise.all(who.map((name) => tolerant(meeting[name]?.(world) ?? Promise.resolve())));
  await scheduler.waitFor(running);
  world.store.pause = async () => undefined;
  expect(world.fetch()).toEqual([]);
  holds(world);
  await settle(world);
  await nothingDeadIsLeft(world);
}

type Story = readonly (readonly [string, number])[];
const one = (name: string, nth = 0): Story => [[name, nth]];
const tell = (...parts: readonly Story[]): Story => parts.flat();
const begins = one('a backup of tier B begins');
const backup = tell(begins, one('a backup commits'));
const expiry = tell(one('expiry is planned'), one('tombstones are set'));
const removal = one('the expired is removed');
const later = one('three days pass');
const hours = (count: number): Story => Array.from({ length: count }, () => one('an hour passes')).flat();
const changed = (generation: number): Story => one('transcripts change', generation);

/** Each is well under the rules as they are, and breaks a promise under one that was made wrong. */
const told: Readonly<Record<Mutation, Story>> = {
  'no grace': tell(backup, one('a restore chooses'), changed(1), backup, expiry, removal, one('a restore fetches')),
  'tombstones are not looked at': tell(
    backup,
    changed(1),
    backup,
    expiry,
    hours(47),
    changed(0),
    begins,
    hours(2),
    removal,
    one('a backup commits'),
  ),
  'backups may take for ever': tell(
    backup,
    begins,
    changed(1),
    begins,
    one('a backup commits', 1),
    expiry,
    later,
    removal,
    one('a backup commits'),
  ),
  'the young are swept': tell(begins, one('the store is swept'), one('a backup commits')),
  'proofs are not looked at': tell(
    backup,
    one('a bundle is proven'),
    hours(1),
    changed(1),
    backup,
    expiry,
    later,
    removal,
  ),
};

/** CLAWBACK_MODEL_RUNS=20 looks further, for minutes. */
const runs = Number(process.env['CLAWBACK_MODEL_RUNS'] ?? 1);

describe('in whatever order backups, expiry, sweeps, restores and clocks come', () => {
  it(
    'no manifest names what is gone, every listed bundle can be restored, the last proven stays, and the dead go',
    async () => {
      await fc.assert(
        fc.asyncProperty(story, (lines) => play(lines)),
        { numRuns: 20 * runs },
      );
    },
    120_000 * runs,
  );

  it(
    'so it is when steps meet at each operation of the store',
    async () => {
      const days = fc.array(fc.nat(11), { minLength: 3, maxLength: 8 });
      const who = fc.array(fc.constantFrom(...Object.keys(meeting)), { minLength: 2, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(days, who, fc.scheduler(), (past_, names, scheduler) => meet(past_, names, scheduler)),
        { numRuns: 15 * runs },
      );
    },
    120_000 * runs,
  );

  it.each(mutations)('a wrong rule is seen: %s', async (mutation) => {
    await play(told[mutation]);
    await expect(play(told[mutation], mutation)).rejects.toThrow();
  });
});
