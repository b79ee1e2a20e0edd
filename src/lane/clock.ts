// How far a host's clock is off the worker's. BSD's date has no fractions, so one look is good to a second and half its
// round trip; each of several narrows the interval in which the offset must lie.

import { Failure } from '../domain/failure.ts';
import type { LaneShell } from './lane-shell.ts';

/** One look: the worker's clock before and after (ms), the host's whole seconds. */
export interface ClockSample {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly hostSeconds: number;
}

/**
 * Host minus worker, ms. The host's clock stood in [s, s+1) at some instant between sending and receiving, so the offset
 * lies in (s − received, s + 1 s − sent); the middle of what all samples allow is taken.
 */
export function offsetOf(samples: readonly ClockSample[]): number {
  const low = Math.max(...samples.map(({ hostSeconds, receivedAtMs }) => hostSeconds * 1000 - receivedAtMs));
  const high = Math.min(...samples.map(({ hostSeconds, sentAtMs }) => (hostSeconds + 1) * 1000 - sentAtMs));
  return Math.round((low + high) / 2);
}

const samplesWanted = 3;

/** Host minus worker, ms; good to half a second and half a round trip, mostly better. */
export async function clockOffset(shell: LaneShell): Promise<number> {
  const samples: ClockSample[] = [];
  while (samples.length < samplesWanted) {
    const sentAtMs = Date.now();
    const { stdout } = await shell.run(['/bin/date', '+%s'], { as: 'login', tool: 'date' });
    const hostSeconds = Number(stdout.toString().trim());
    if (!Number.isSafeInteger(hostSeconds))
      throw new Failure('HostOutputUnexpected', `date on ${shell.target.host.name} printed no number`, {
        host: shell.target.host.name,
        tool: 'date',
      });
    samples.push({ sentAtMs, receivedAtMs: Date.now(), hostSeconds });
  }
  return offsetOf(samples);
}
