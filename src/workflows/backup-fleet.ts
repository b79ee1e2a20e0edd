// Backs up many lanes at once: the workflow that operators and schedules start.

import type { FleetResult } from '../contract/fleet-run.ts';
import { BackupFleetInput } from '../contract/inputs.ts';
import type { BackupResult } from '../contract/results.ts';
import type { Done } from './fleet-rows.ts';
import { runFleet } from './fleet-run.ts';
import { parseInput } from './input.ts';

export async function backupFleet(raw: unknown): Promise<FleetResult> {
  const { all, host, lanes, tier, waitMs } = parseInput(BackupFleetInput, raw);
  return runFleet<BackupResult>({
    kind: 'backup',
    choice: { all, host, lanes },
    hasRto: false,
    check: () => undefined,
    measure: null,
    writes: false,
    word: 'backup',
    input: ({ lane, streams, fleetDigest }) => ({ lane, tier, waitMs, streams, fleetDigest }),
    row: ({ bundle, sizeBytes, suspect }): Done => ({
      after: 'backed up',
      bundle,
      sizeBytes,
      remarks: suspect,
      answeredAt: null,
    }),
  });
}
