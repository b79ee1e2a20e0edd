import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BedKind, bestBedKind, cleanBed, startBed } from '../bed/bed.ts';
import { eventually, health } from '../bed/bed-shell.ts';
import { markedWith } from '../bed/processes.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bed-owner-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const kinds: readonly BedKind[] = [
  ...new Set<BedKind>([bestBedKind(), 'in-process', ...(bestBedKind() === 'in-process' ? [] : (['sshd'] as const))]),
];

function marks(): string[] {
  const file = JSON.parse(readFileSync(join(dir, 'bed.json'), 'utf8')) as { marks: string[] };
  return file.marks;
}

function alive(names: readonly string[]): number {
  return names.flatMap((mark) => markedWith(`BED_HOST=${mark}`)).length;
}

/** Another process starts a bed in `dir` and is killed as soon as it runs. */
async function ownerKilled(kind: BedKind, outlivesOwner: boolean): Promise<string[]> {
  const program = `import { startBed } from ${JSON.stringify(join(import.meta.dirname, '../bed/bed.ts'))};
    await startBed({ kind: '${kind}', dir: ${JSON.stringify(dir)}, hosts: [{ name: 'mac-1', lanes: 1 }], outlivesOwner: ${outlivesOwner} });
    console.log('up'); setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => owner.stdout.once('data', resolve));
  const names = marks();
  expect(alive(names)).toBeGreaterThan(1);
  owner.kill('SIGKILL');
  await new Promise((resolve) => owner.once('exit', resolve));
  return names;
}

describe.each(kinds)('the owner of a bed of kind %s', (kind) => {
  it('takes every process with it when it is killed', async () => {
    const names = await ownerKilled(kind, false);
    await eventually(async () => alive(names) === 0);
    expect(alive(names)).toBe(0);
  });

  it('is succeeded by the next bed in the same folder, which cleans up first', async () => {
    const names = await ownerKilled(kind, true);
    expect(alive(names)).toBeGreaterThan(1);
    const bed = await startBed({ kind, dir, hosts: [{ name: 'mac-1', lanes: 1 }] });
    expect(alive(names)).toBe(0);
    await eventually(async () => (await health(bed, 'lane-1')) === 200);
    await bed.stop();
    await cleanBed(dir);
    expect(existsSync(join(dir, 'bed.json'))).toBe(false);
  });
});

describe('a bed', () => {
  it('starts three lanes in under three seconds', async () => {
    const startedMs = Date.now();
    const bed = await startBed({ kind: bestBedKind(), dir, hosts: [{ name: 'mac-1', lanes: 3 }] });
    const tookMs = Date.now() - startedMs;
    await bed.stop();
    expect(tookMs).toBeLessThan(3000);
  });
});
