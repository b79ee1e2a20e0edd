// Consistent copies of the lane's SQLite databases, beside the run, and their segments. Never the live file,
// its -wal or its -shm.

import { planBundle } from '../../bundle/plan.ts';
import type { DataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import type { FileEntry } from '../../domain/file-entry.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { readLaneFile, removeLaneTree } from '../../lane/lane-files.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { listFiles } from '../../lane/listing.ts';
import { copyDatabase } from '../../lane/sqlite.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, copiesDirectory, databaseRecords } from '../lane-paths.ts';
import { activity, fenceOf, reach, type Run } from '../step.ts';
import { decodeRecords } from './member-lists.ts';
import { planOptions } from './plan-backup.ts';
import { countOmissions, writeSegmentLists } from './write-plan.ts';

export function copyDatabasesStep(deps: Deps): DataSteps['copyDatabases'] {
  return activity(async (request, run) => {
    const shell = await reach(deps, request.target, run);
    const fence = fenceOf(request.fence, run);
    await takeFence(shell, fence, run.signal);
    const listedAtMs = Date.now();
    const copies = await copyAll(shell, request.bundle, fence, run);
    const options = await planOptions(deps, request, listedAtMs);
    const plan = planBundle(copies, { ...options, base: 'copies', firstNumber: request.firstNumber, reuse: false });
    return {
      capturedAt: new Date(listedAtMs).toISOString(),
      segments: await writeSegmentLists(shell, request.bundle, plan.segments, fence),
      omissions: countOmissions([plan]),
      databases: 0,
    };
  });
}

/** Into an empty folder: half a copy of a dead attempt, or one of a database that is gone, would be listed as well. */
async function copyAll(shell: LaneShell, bundle: string, fence: Fence, run: Run): Promise<FileEntry[]> {
  const records = await readLaneFile(shell, databaseRecords(bundle));
  if (!records)
    throw new Failure('PlanLost', `the list of databases is gone from lane ${shell.target.lane}`, {
      lane: shell.target.lane,
    });
  const base = `${shell.target.home}/${clawbackDirectory}/${copiesDirectory(bundle)}`;
  await removeLaneTree(shell, copiesDirectory(bundle), { fence, signal: run.signal });
  for (const { path } of decodeRecords(records)) {
    const name = path.toString('utf8');
    const place = { from: `${shell.target.home}/${name}`, to: `${base}/${name}` };
    await copyDatabase(shell, { ...place, fence, signal: run.signal });
  }
  const copies: FileEntry[] = [];
  for await (const entry of listFiles(shell, { base, paths: ['.'], signal: run.signal })) {
    if (entry.type === 'file') copies.push(entry);
  }
  return copies;
}
