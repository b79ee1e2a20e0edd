// The demo's one folder. Everything it writes is below it; a folder that no demo made is never touched.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/domain/failure.ts';
import { cleanBed } from '../bed/bed.ts';

const mark = '.made-by-the-clawback-demo';

/**
 * An empty folder for this run: what an earlier run left in it, processes too, is ended and removed.
 * InvalidInput when the folder holds something else, or another demo runs in it.
 */
export async function claimFolder(dir: string): Promise<void> {
  if (existsSync(dir) && readdirSync(dir).length > 0 && !existsSync(join(dir, mark)))
    throw new Failure('InvalidInput', `${dir} was not made by a demo; nothing was started`, { field: '--dir' });
  await endBed(dir);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, mark), '');
}

/** Ends what may still run in the folder, and removes it. May be called again. */
export async function removeFolder(dir: string): Promise<void> {
  await endBed(dir);
  rmSync(dir, { recursive: true, force: true });
}

async function endBed(dir: string): Promise<void> {
  try {
    await cleanBed(join(dir, 'bed'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure('InvalidInput', `another demo is under way: ${reason}`, { field: '--dir' });
  }
}
