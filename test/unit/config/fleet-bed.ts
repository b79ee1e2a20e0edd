// A folder with keys and fleet files for tests. Keys are made once for each test file: RSA-4096 takes a while.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeys } from '../../../src/config/generate-keys.ts';
import { sampleFleet } from '../../../src/config/sample-fleet.ts';

export interface FleetBed {
  readonly dir: string;
  /** Writes the sample with changes (each must fit) and gives its path. */
  fleet(...changes: readonly (readonly [from: string | RegExp, to: string])[]): Promise<string>;
  file(name: string, content: string | Buffer): Promise<string>;
  remove(): Promise<void>;
}

export async function makeFleetBed(): Promise<FleetBed> {
  const dir = await mkdtemp(join(tmpdir(), 'clawback-fleet-'));
  await generateKeys(join(dir, 'keys'));
  const file = async (name: string, content: string | Buffer): Promise<string> => {
    const path = join(dir, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const fleet: FleetBed['fleet'] = (...changes) => {
    let text = sampleFleet();
    for (const [from, to] of changes) {
      const changed = text.replace(from, to);
      if (changed === text) throw new Error(`the sample has no ${String(from)}`);
      text = changed;
    }
    return file('fleet.yaml', text);
  };
  return { dir, fleet, file, remove: () => rm(dir, { recursive: true, force: true }) };
}
