// What an operator does who has nothing but the Temporal UI: starts a backup from its form, looks at it while it runs
// and when it is done, restores, and mistypes an input. `look` is called at each stop, with a name for it.

import { setTimeout as sleep } from 'node:timers/promises';
import { type BackupResult, type Progress, progressQuery, type RestoreResult } from '../../src/contract/results.ts';
import { laneSectionId } from '../../src/contract/names.ts';
import type { Rig } from '../rig/rig.ts';
import type { TemporalUi } from './temporal-ui.ts';

export interface Told {
  readonly backup: BackupResult;
  readonly restore: RestoreResult;
  /** What the pages said, as text. */
  readonly pages: Readonly<Record<string, string>>;
  /** From start to end of the workflow whose input was wrong. */
  readonly refusedInMs: number;
}

export const wrongInput = '{ "lane": "Lane 1", "teir": "B", "tier": "D" }';

export async function tellStory(rig: Rig, ui: TemporalUi, look: (name: string) => Promise<void>): Promise<Told> {
  const [lane = ''] = rig.bed.lanes.map(({ lane: name }) => name);
  const pages: Record<string, string> = {};
  const section = laneSectionId('bed', lane);
  const keep = async (name: string): Promise<void> => {
    pages[name] = await ui.text();
    await look(name);
  };
  const start = async (workflowType: string, input: string): Promise<string> => {
    const workflowId = `${workflowType}-from-the-ui${input === wrongInput ? '-mistyped' : ''}`;
    await ui.fillStartForm({ workflowId, workflowType, input });
    await keep(`${workflowId}-form`);
    await ui.pressStart();
    return workflowId;
  };

  const backupId = await start('backupLane', `{ "lane": "${lane}", "tier": "B" }`);
  await untilStreaming(rig, section);
  await ui.openWorkflow(section, 'user-metadata', /streaming segments|backed up|Keychain|committing/);
  await keep('backup-running');
  await ui.openWorkflow(section, 'history', 'backupSegment');
  await keep('backup-timeline');
  const backup = (await rig.client.workflow.getHandle(backupId).result()) as BackupResult;
  await ui.openWorkflow(backupId, 'history', backup.bundle);
  await keep('backup-done');
  await ui.openWorkflow(backupId, 'user-metadata', backup.bundle);
  await keep('backup-done-details');

  const restoreId = await start('restoreLane', `{ "lane": "${lane}" }`);
  const restore = (await rig.client.workflow.getHandle(restoreId).result()) as RestoreResult;
  await ui.openWorkflow(restoreId, 'user-metadata', 'test message');
  await keep('restore-done-details');
  await ui.openWorkflow(section, 'history', 'swapTrees');
  await keep('restore-timeline');

  const refusedId = await start('backupLane', wrongInput);
  await ui.openWorkflow(refusedId, 'history', 'InvalidInput');
  await keep('failed-input');
  const { startTime, closeTime } = await rig.client.workflow.getHandle(refusedId).describe();

  await ui.openWorkflow(backupId, 'search-attributes', 'ClawbackLane');
  await keep('search-attributes');
  await ui.openList(`ClawbackLane="${lane}"`);
  await keep('list-of-a-lane');
  return { backup, restore, pages, refusedInMs: (closeTime?.getTime() ?? Infinity) - startTime.getTime() };
}

/** The page shows the moment when it was drawn: it is opened once there is something to see. */
async function untilStreaming(rig: Rig, section: string): Promise<void> {
  const handle = rig.client.workflow.getHandle(section);
  for (let tries = 0; tries < 300; tries += 1) {
    const progress = await handle.query<Progress>(progressQuery).catch(() => undefined);
    if (progress && progress.bytesDone > 0) return;
    await sleep(100);
  }
  throw new Error('the backup did not come to its segments in half a minute');
}
