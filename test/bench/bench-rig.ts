// A rig with one lane of a size, and workers as operators run them: the current user's sshd, no namespaces, for the bench
// needs nobody's root.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueRole } from '../../src/contract/names.ts';
import { Rig, type RigOptions } from '../rig/rig.ts';

/** As `clawback worker` starts them: one process for short steps, one for streams. */
const split: readonly (readonly QueueRole[])[] = [
  ['host', 'vault'],
  ['data', 'vaultData'],
];

export interface BenchRig {
  readonly bytes: number;
  readonly store: NonNullable<RigOptions['store']>;
}

export async function withRig<T>({ bytes, store }: BenchRig, work: (rig: Rig, dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'clawback-bench-'));
  try {
    const hosts = [{ name: 'mac-1', lanes: 1 }];
    const rig = await Rig.start({ dir, kind: 'sshd', hosts, dataBytes: bytes, store });
    try {
      for (const roles of split) await rig.startWorker(roles);
      return await work(rig, dir);
    } finally {
      await rig.stop();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
