// The bed's pid file, and the cleaning of a bed whose owner died: processes by pid and start time and by their mark.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endAll, isAlive, markedWith, type ProcessRecord, recordOf, treeOf } from './processes.ts';

interface BedFile {
  readonly owner: ProcessRecord | undefined;
  readonly outlivesOwner: boolean;
  readonly marks: readonly string[];
  readonly processes: readonly ProcessRecord[];
  /** Temporary folders outside the bed's own. */
  readonly folders: readonly string[];
}

function pathIn(dir: string): string {
  return join(dir, 'bed.json');
}

export function writeBedFile(dir: string, content: Omit<BedFile, 'owner'>): void {
  mkdirSync(dir, { recursive: true });
  const next = `${pathIn(dir)}.new`;
  writeFileSync(next, JSON.stringify({ owner: recordOf(process.pid), ...content }));
  renameSync(next, pathIn(dir));
}

/**
 * Ends what an earlier bed in `dir` left behind; nothing to do when there was none. Throws when that bed is alive in
 * another process, unless it was started to outlive its owner.
 */
export async function cleanBed(dir: string): Promise<void> {
  if (!existsSync(pathIn(dir))) return;
  const file = JSON.parse(readFileSync(pathIn(dir), 'utf8')) as BedFile;
  const { owner } = file;
  if (
    owner !== undefined &&
    owner.pid !== process.pid &&
    isAlive(owner) &&
    !file.outlivesOwner &&
    file.marks.length > 0
  ) {
    throw new Error(`process ${owner.pid} runs a bed in ${dir}`);
  }
  const first = treeOf(file.processes.filter(isAlive).map((record) => record.pid));
  await endAll(() => [
    ...new Set([
      ...first.splice(0),
      ...treeOf(file.processes.filter(isAlive).map((record) => record.pid)),
      ...file.marks.flatMap((mark) => markedWith(`BED_HOST=${mark}`)),
    ]),
  ]);
  for (const folder of file.folders) rmSync(folder, { recursive: true, force: true });
  rmSync(pathIn(dir));
}
