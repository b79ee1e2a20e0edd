// The product's main job from outside: a lane backed up, wrecked, restored, answering again, identical by digest.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackup, startRestore } from '../../src/client/start.ts';
import type { RestoreResult } from '../../src/contract/results.ts';
import { provenBy } from '../../src/receipt/proven.ts';
import { openReceipt } from '../../src/receipt/receipt.ts';
import { type BedKind, type BedLane, bestBedKind } from '../bed/bed.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';

const best = bestBedKind();
const beds: readonly { kind: BedKind; profile: BedProfile }[] = [
  { kind: best, profile: 'slimvps-legacy' },
  ...(best === 'namespaces' ? [{ kind: 'sshd', profile: 'slimvps-legacy' } as const] : []),
  { kind: best, profile: 'openclaw-2026' },
];

/** The restore left a receipt that its key verifies, with attempts from Temporal's history, and it proves the bundle. */
async function expectProven(
  rig: Rig,
  lane: string,
  { bundle, restored }: { readonly bundle: string; readonly restored: RestoreResult },
): Promise<void> {
  const bytes = readFileSync(join(rig.storePath, lane, 'receipts', `${restored.receipt}.json`));
  const publicKeysPem = [readFileSync(join(rig.dir, 'keys/receipt.public.pem'), 'utf8')];
  const { receipt } = openReceipt(bytes, { publicKeysPem, of: { fleet: 'bed', lane } });
  expect(receipt).toMatchObject({ outcome: 'passed', laneAfter: 'restored', messageAnswered: true });
  expect(receipt.rto.ms).toBe(restored.rtoMs);
  expect(provenBy(receipt).map((one) => one.bundle)).toEqual([bundle]);
  for (const { phase, activities, attempts } of receipt.steps) {
    expect(activities, phase).toBeGreaterThanOrEqual(1);
    expect(attempts, phase).toBeGreaterThanOrEqual(activities);
  }
  const plan = await (await startRestore(rig.client, { lane, dryRun: true })).result();
  expect(plan).toMatchObject({ bundle, receipt: null, plan: { proven: true } });
}

/** What another day's gateway must not find: leases that would keep it down, deliveries that would be made again. */
const stale =
  "INSERT INTO delivery_queue VALUES (1, 'once'); INSERT INTO state_leases VALUES ('of-old', 'mac-0', 1, 0)";

function inState<T>(lane: BedLane, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(lane.realHome, '.openclaw/state/openclaw.sqlite'));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const countStale =
  "SELECT (SELECT count(*) FROM delivery_queue) AS deliveries, (SELECT count(*) FROM state_leases WHERE name = 'of-old') AS leases";

describe.each(beds)('on hosts of kind $kind, in the layout $profile', ({ kind, profile }) => {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-e2e-'));
  let rig: Rig;

  beforeAll(async () => {
    rig = await Rig.start({ kind, dir, hosts: [{ name: 'mac-1', lanes: 1, profile }], dataBytes: 5e6 });
    await rig.startWorker();
  });

  afterAll(async () => {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('brings a wrecked lane back, whole and answering', async () => {
    const [lane] = rig.bed.lanes;
    if (!lane) throw new Error('the bed has no lane');
    if (profile === 'openclaw-2026') inState(lane, (database) => database.exec(stale));
    const before = pictureOf(lane);
    const backup = await (await startBackup(rig.client, { lane: lane.lane, tier: 'B' })).result();
    expect(backup.sizeBytes).toBeGreaterThan(4e6);
    expect(backup.suspect).toEqual([]);
    expect(backup.warnings).toEqual([]);

    await wreckLane(rig.bed, lane);
    const restored = await (await startRestore(rig.client, { lane: lane.lane })).result();
    expect(restored.messageAnswered).toBe(true);
    expect(restored.overBudget).toEqual([]);
    expect(restored.rpo.map(({ dataClass }) => dataClass)).toEqual([1, 2]);
    expect(pictureDifferences(before, pictureOf(lane))).toEqual([]);
    await expectProven(rig, lane.lane, { bundle: backup.bundle, restored });
    if (profile === 'openclaw-2026')
      expect(inState(lane, (database) => database.prepare(countStale).get())).toEqual({ deliveries: 0, leases: 0 });
  });
});
