// A restore that fails, and whose old tree is spoiled by then: its gateway cannot be started again. Settling gives up after
// some tries and says so; once the operator has mended the tree, the lane is as it was, by whoever is left.

import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BedLane } from '../bed/bed.ts';
import { type Running, sectionOf, type Stage } from './stage.ts';

const config = 'config/openclaw.json';

/** @param failing starts a restore that goes back */
export async function stuckRestore(stage: Stage, failing: (stage: Stage) => Promise<Running>): Promise<Running> {
  const { rig, lane } = stage;
  const swapped = rig.faults.arm({
    activity: 'startGateway',
    call: 1,
    workflow: sectionOf(stage),
    when: 'before',
    action: 'pause',
  });
  const started = await failing(stage);
  await swapped.happens();
  const mend = spoil(join(lane.realHome, oldTree(lane), config), join(lane.realHome, '.openclaw', config));
  swapped.release();
  const outcome = async (): Promise<string> => {
    const ended = await started.outcome();
    mend();
    return ended;
  };
  return { ...started, outcome };
}

/** That of this restore: earlier ones may have left theirs. */
function oldTree({ lane, realHome }: BedLane): string {
  const isOld = (one: string): boolean => /^\.openclaw\.bak\.\d+$/.test(one);
  const time = (one: string): number => Number(one.split('.').at(-1));
  const name = readdirSync(realHome)
    .filter(isOld)
    .toSorted((one, other) => time(one) - time(other))
    .at(-1);
  if (name === undefined) throw new Error(`lane ${lane} keeps no old tree`);
  return name;
}

/** In place, so that its owner stays, and its time to the nanosecond. @returns mends it where it is by then */
function spoil(path: string, later: string): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'clawback-good-'));
  const good = join(folder, 'config');
  execFileSync('cp', ['-p', path, good]);
  overwrite(path, '{');
  return () => {
    overwrite(later, readFileSync(good, 'utf8'));
    execFileSync('touch', ['-r', good, later]);
    rmSync(folder, { recursive: true });
  };
}

function overwrite(path: string, text: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, text);
  ftruncateSync(file, Buffer.byteLength(text));
  closeSync(file);
}
