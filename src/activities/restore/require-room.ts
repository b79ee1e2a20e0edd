import { Failure } from '../../domain/failure.ts';

/** DiskTooFull, with both numbers, when the lane's volume cannot hold the staging tree. */
export function requireRoom(lane: string, freeBytes: number, neededBytes: number): void {
  if (freeBytes >= neededBytes) return;
  throw new Failure(
    'DiskTooFull',
    `the volume of lane ${lane} has ${freeBytes} bytes free, the staging tree needs ${neededBytes}`,
    { lane, expectedBytes: neededBytes, actualBytes: freeBytes },
  );
}
