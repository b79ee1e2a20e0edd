// `stores init`: the one command that makes a folder a store.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { type Ran, run } from './around.ts';

let bed: FleetBed;
let dir: string;
let fleet: string;

beforeAll(async () => {
  bed = await makeFleetBed();
}, 60_000);
afterAll(() => bed.remove());

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'clawback-stores-'));
  fleet = await bed.fleet([
    'primary: { kind: directory, path: bundles, region: tokyo }',
    `primary: { kind: directory, path: ${join(dir, 'one')}, region: tokyo }\n  second: { kind: directory, path: ${join(dir, 'two')}, region: seoul }`,
  ]);
  return () => rmSync(dir, { recursive: true });
});

const clawback = (...argv: string[]): Promise<Ran> => run(argv, { cwd: dir, env: { CLAWBACK_FLEET: fleet } });

describe('stores init', () => {
  it('makes each folder a store, and says which was one already', async () => {
    const first = await clawback('stores', 'init', 'second');
    expect(first).toMatchObject({ status: 0, out: `store second: ${join(dir, 'two')} is a store now\n` });
    expect(readdirSync(dir)).toEqual(['two']);
    const all = await clawback('stores', 'init', '--json');
    expect(all.status).toBe(0);
    expect(JSON.parse(all.out)).toMatchObject({
      stores: [
        { store: 'primary', path: join(dir, 'one'), made: true },
        { store: 'second', path: join(dir, 'two'), made: false },
      ],
    });
    expect(readdirSync(join(dir, 'one'))).toEqual(['.clawback-store']);
  });

  it('refuses a store that the fleet does not have, and a folder whose parent is missing', async () => {
    const unknown = await clawback('stores', 'init', 'third');
    expect(unknown.status).toBe(2);
    expect(unknown.err).toContain('the fleet has no store third (stores: primary, second)');
    rmSync(dir, { recursive: true });
    const missing = await run(['stores', 'init'], { cwd: '/', env: { CLAWBACK_FLEET: fleet } });
    expect(missing.status).toBe(6);
    expect(missing.err).toContain('store primary: cannot make its folder a store (ENOENT)');
    expect(() => readdirSync(dir)).toThrow('ENOENT');
    dir = mkdtempSync(join(tmpdir(), 'clawback-stores-'));
  });
});
