// Does memory grow with the archive? One lane of a size is backed up and restored by workers as an operator runs them;
// the peak of each process is read from the kernel.

import type { Rig } from '../rig/rig.ts';
import { startBackup, startRestore } from '../../src/client/start.ts';
import { withRig } from './bench-rig.ts';
import { laneOf } from './compare.ts';
import { say } from './say.ts';
import { forgetPeak, peakRssBytes } from './usage.ts';

/** What docs/performance.md promises for each process, whatever the archive's size. */
const limitBytes = 256 * 1024 * 1024;

export interface MemoryReport {
  readonly ok: boolean;
  readonly sizeBytes: number;
  readonly peakRssBytes: number;
  readonly limitBytes: number;
  /** Of each process, in the order of the queues it polls. */
  readonly processes: readonly { readonly pid: number; readonly backupBytes: number; readonly restoreBytes: number }[];
}

async function peaks(pids: readonly number[], work: () => Promise<unknown>): Promise<number[]> {
  pids.forEach(forgetPeak);
  await work();
  return pids.map(peakRssBytes);
}

export function measureMemory(bytes: number): Promise<MemoryReport> {
  return withRig({ bytes, store: 'directory' }, async (rig: Rig) => {
    const { lane } = laneOf(rig);
    const pids = [...rig.workers].map(({ pid }) => pid);
    const { sizeBytes } = await (await startBackup(rig.client, { lane, tier: 'A' })).result();
    say(`warm: ${sizeBytes} bytes of class 1`);
    let size = 0;
    const backup = await peaks(pids, async () => {
      ({ sizeBytes: size } = await (await startBackup(rig.client, { lane, tier: 'B' })).result());
    });
    const restore = await peaks(pids, async () => (await startRestore(rig.client, { lane })).result());
    const peak = Math.max(...backup, ...restore);
    return {
      ok: peak <= limitBytes,
      sizeBytes: size,
      peakRssBytes: peak,
      limitBytes,
      processes: pids.map((pid, at) => ({ pid, backupBytes: backup[at] ?? 0, restoreBytes: restore[at] ?? 0 })),
    };
  });
}
