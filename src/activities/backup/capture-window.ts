// The window in which a lane is captured: its gateway is suspended where it can be, and goes on however the capture
// ends. A worker that dies inside leaves a lease that ends by itself; the next attempt asks with the same id, renews
// that lease, and resumes it. Refused (a busy gateway), the capture goes on without a window and says so.

import { limits } from '../../domain/limits.ts';
import type { Fence } from '../../lane/fence.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { resumeGateway, suspendGateway } from '../../lane/suspension.ts';
import { requireProfile } from '../profiles.ts';

export interface Window {
  /** Milliseconds until the gateway goes on; 0 when it has. */
  leftMs(): number;
}

export interface WindowRequest {
  readonly bundle: string;
  readonly fence: Fence;
  readonly signal: AbortSignal;
}

/**
 * Runs a capture in a window; in none where the profile or the gateway gives none.
 * @returns its answer, and what the operator should know
 */
export async function inWindow<T>(
  shell: LaneShell,
  { bundle, fence, signal }: WindowRequest,
  capture: (window: Window | undefined) => Promise<T>,
): Promise<{ readonly answer: T; readonly warnings: readonly string[] }> {
  const { suspension } = requireProfile(shell.target.profile);
  if (!suspension) return { answer: await capture(undefined), warnings: [] };
  const id = await suspendGateway(shell, suspension, { requestId: bundle, fence, signal });
  if (id === undefined) return { answer: await capture(undefined), warnings: [notSuspended] };

  const endsAtMs = performance.now() + limits.suspensionMs;
  const leftMs = (): number => Math.max(0, endsAtMs - performance.now());
  // never aborted: a cancelled backup's gateway goes on too. Under the fence: a newer attempt's suspension is not ended.
  const resume = once(() => resumeGateway(shell, suspension, id, { fence }).catch(() => false));
  const timer = setTimeout(() => void resume(), limits.suspensionMs);
  let inTime = false;
  let resumed = false;
  let answer: T;
  try {
    answer = await capture({ leftMs });
    inTime = leftMs() > 0;
  } finally {
    clearTimeout(timer);
    resumed = await resume();
  }
  return { answer, warnings: [...(inTime ? [] : [tooLong]), ...(resumed ? [] : [notResumed])] };
}

const notSuspended =
  'the gateway was not suspended (it is busy, stopped, or its command failed): databases and files were taken beside it, not at one moment';
const tooLong = `the capture took longer than the ${limits.suspensionMs / 1000} s for which the gateway is suspended: what was taken after them is younger`;
const notResumed = 'the gateway did not say that it went on; its suspension ends by itself within two minutes';

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => (begun ??= work());
}
