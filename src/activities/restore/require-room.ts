import { Failure } from '../../domain/failure.ts';

/** Beside the staged data: lists, the journal, a tar's rounding. */
const spareBytes = 64 * 1024 * 1024;

/** What the staging tree of so much data takes. */
export function neededFor(sizeBytes: number): number {
  return sizeBytes + spareBytes;
}

/** DiskTooFull, with both numbers, when the lane's volume cannot hold the staging tree. */
export function requireRoom(lane: string, freeBytes: number, neededBytes: number): void {
  if (freeBytes >= neededBytes) return;
  throw new Failure(
    'DiskTooFull',
    `the volume of lane ${lane} has ${freeBytes} bytes free, the staging tree needs ${neededBytes}`,
    { lane, expectedBytes: neededBytes, actualBytes: freeBytes },
  );
}
