// The demo's first and third chapter: a backup of each lane; then a bad day for all, and the restore of them at once.

import type { Client } from '@temporalio/client';
import { watchScheduleId } from '../../src/contract/names.ts';
import { startBackup, startRestoreFleet } from '../../src/client/start.ts';
import type { FleetLaneRow, FleetResult } from '../../src/contract/fleet-run.ts';
import type { BackupResult, RestoreResult } from '../../src/contract/results.ts';
import { type LanePicture, pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';

export interface LaneReport {
  readonly lane: string;
  readonly backup: Pick<BackupResult, 'bundle' | 'segments' | 'sizeBytes' | 'sealedBytes'> & {
    readonly elapsedMs: number;
  };
  /** Missing where the lane did not come back: then `failed` says why. */
  readonly restore?: Pick<RestoreResult, 'rtoMs' | 'steps' | 'messageAnswered' | 'rpo'> & {
    readonly identical: boolean;
    readonly differences: readonly string[];
  };
  readonly failed?: string;
}

/** The restore of all lanes, under one clock; `sequenceMs` is the sum of the lanes' own times. */
export type FleetReport = Pick<FleetResult, 'wallMs' | 'sequenceMs' | 'rtoMs' | 'rtoBudgetMs'> & {
  readonly workflowId: string;
};

export interface BackedUp {
  readonly backups: readonly BackupResult[];
  /** How each lane was. */
  readonly before: ReadonlyMap<string, LanePicture>;
}

export async function backUpAll({ bed, client }: Rig): Promise<BackedUp> {
  const before = new Map(bed.lanes.map((lane) => [lane.lane, pictureOf(lane)]));
  const backups = await Promise.all(
    bed.lanes.map(async ({ lane }) => (await startBackup(client, { lane, tier: 'B' })).result()),
  );
  return { backups, before };
}

/** It is recovered from by hand, so the watch, which would open incidents, is paused meanwhile. */
export async function badDay(
  rig: Rig,
  { backups, before }: BackedUp,
  say: (line: string) => void,
): Promise<{ readonly fleet: FleetReport; readonly lanes: readonly LaneReport[] }> {
  const { bed, client } = rig;
  const watch = client.schedule.getHandle(watchScheduleId('bed'));
  await watch.pause('the bad day is recovered from by hand');
  say("the bad day: every lane's gateway is killed, its tree and its Keychain items are deleted");
  await Promise.all(bed.lanes.map((lane) => wreckLane(bed, lane)));
  say(`restoring ${bed.lanes.length} lanes at once…`);
  const run = await startRestoreFleet(client, { all: true });
  const { wallMs, sequenceMs, rtoMs, rtoBudgetMs, lanes: rows } = await run.result();
  await watch.unpause();
  const lanes = await Promise.all(
    backups.map(async (backup): Promise<LaneReport> => {
      const { lane, bundle, segments, sizeBytes, sealedBytes, elapsedMs } = backup;
      const row = rows.find((one) => one.lane === lane);
      const compare = (): string[] => pictureDifferences(before.get(lane) as LanePicture, pictureOf(bed.lane(lane)));
      const came = await cameBack(client, row, compare);
      return { lane, backup: { bundle, segments, sizeBytes, sealedBytes, elapsedMs }, ...came };
    }),
  );
  return { fleet: { workflowId: run.workflowId, wallMs, sequenceMs, rtoMs, rtoBudgetMs }, lanes };
}

/** What the lane's own workflow answered; the RTO is by the one clock of all lanes. */
async function cameBack(
  client: Client,
  row: FleetLaneRow | undefined,
  compare: () => readonly string[],
): Promise<Pick<LaneReport, 'restore' | 'failed'>> {
  if (!row?.workflowId || row.code !== null) return { failed: `${row?.code ?? 'Unexpected'}: ${row?.message ?? ''}` };
  const result = (await client.workflow.getHandle(row.workflowId).result()) as RestoreResult;
  const { steps, messageAnswered, rpo } = result;
  const differences = compare();
  return {
    restore: {
      rtoMs: row.rtoMs ?? result.rtoMs,
      steps,
      messageAnswered,
      rpo,
      identical: differences.length === 0,
      differences: differences.slice(0, 20),
    },
  };
}
