// The power of a host goes after any single command of a live restore, of its way back, or of an undo: whatever is settled
// afterwards is the lane as it was or restored, never a mixture. Without Temporal, so that every boundary can be met:
// `npm run faults` makes every cut, on both layouts; here are every second of a restore, and some of the ways back.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cut, CutRig, every } from './power-cuts.ts';

/** All rounds of cuts on a machine that does much else. */
const slowMs = 400_000;
const dir = mkdtempSync(join(tmpdir(), 'clawback-cuts-'));
let rig: CutRig;

beforeAll(async () => {
  rig = await CutRig.start(dir, [{ name: 'mac-1', lanes: 8 }]);
});

afterAll(async () => {
  await rig?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function brokenBy(cuts: readonly Cut[]): Promise<string[]> {
  const rows = await rig.sweep(cuts);
  expect(rows).toHaveLength(cuts.length);
  return rows.flatMap(({ operation, after, broken }) => broken.map((line) => `${operation}, cut ${after}: ${line}`));
}

describe('a host that loses its power', () => {
  it('after every other command of a restore has its lane as it was or restored, and its gateway running', {
    timeout: slowMs,
  }, async () => {
    const commands = await rig.countCommands('restore');
    expect(commands).toBeGreaterThan(10);
    expect(await brokenBy(every(2, 'restore', commands))).toEqual([]);
  });

  it('on the way back, or in an undo, ends up where that was going', async () => {
    const cuts = [
      ...every(7, 'way back', await rig.countCommands('way back')),
      ...every(7, 'undo', await rig.countCommands('undo')),
    ];
    expect(await brokenBy(cuts)).toEqual([]);
  });
});

describe('a host whose connection is lost', () => {
  it('after each command of each step, over and over, is restored all the same', async () => {
    const { cuts, broken } = await rig.restoreCutOften();
    expect(cuts).toBeGreaterThan(10);
    expect(broken).toEqual([]);
  });
});
