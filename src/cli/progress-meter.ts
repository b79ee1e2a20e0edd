// From snapshots of a followed workflow to what is shown: share, rate, time left, step and budget. Pure but for the
// samples it keeps; the clock is handed in.

import type { Following } from '../client/progress.ts';
import type { Progress } from '../contract/results.ts';
import { formatInstant } from './format.ts';

export interface Shown {
  readonly phase: string;
  /** Since following began. */
  readonly elapsedMs: number;
  /** Since the phase was first seen. */
  readonly phaseMs: number;
  readonly bytes?: {
    readonly done: number;
    readonly total: number;
    readonly perMs: number | null;
    readonly leftMs: number | null;
  };
  readonly segments?: { readonly done: number; readonly total: number };
  readonly step?: { readonly name: string; readonly ms: number; readonly budgetMs: number };
  /** What is wrong or late just now, a sentence each. */
  readonly remarks: readonly string[];
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** The rate is that of the last so many milliseconds: segments end in jumps. */
const windowMs = 20_000;
/** A step may wait a moment for its worker. */
const patienceMs = 5_000;

export class ProgressMeter {
  readonly #startedMs: number;
  #phase = '';
  #phaseSinceMs: number;
  #samples: Sample[] = [];
  #silentSinceMs: number | undefined;
  #waitingSinceMs: number | undefined;

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
    this.#phaseSinceMs = nowMs;
  }

  /** @param nowMs of the same clock as the constructor's; `clockMs` is that of `startedAt` fields, the wall clock */
  take(following: Following, nowMs: number, clockMs: number): Shown {
    const phase = following.silent ? this.#phase || 'waiting for Temporal' : phaseOf(following);
    this.#enter(phase, nowMs);
    this.#silentSinceMs = following.silent ? (this.#silentSinceMs ?? nowMs) : undefined;
    this.#waitingSinceMs = following.waiting.length > 0 ? (this.#waitingSinceMs ?? nowMs) : undefined;
    const { progress } = following;
    const shown = {
      phase,
      elapsedMs: nowMs - this.#startedMs,
      phaseMs: nowMs - this.#phaseSinceMs,
      remarks: this.#remarks(following, nowMs),
    };
    if (!progress || following.silent) return shown;
    return { ...shown, ...this.#flow(progress, following.bytesInFlight, nowMs), ...stepOf(progress, clockMs) };
  }

  #enter(phase: string, nowMs: number): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#phaseSinceMs = nowMs;
    this.#samples = [];
  }

  #flow(progress: Progress, inFlight: number, nowMs: number): Pick<Shown, 'bytes' | 'segments'> {
    const { bytesDone, bytesTotal, segmentsDone, segmentsTotal } = progress;
    // what comes after the last segment moves no bytes
    if (segmentsTotal === 0 || segmentsDone === segmentsTotal) return {};
    const segments = { done: segmentsDone, total: segmentsTotal };
    if (bytesTotal === 0) return { segments };
    // a segment that ends or starts again takes its bytes in flight away for a moment: shown is never less than before
    const done = Math.max(this.#samples.at(-1)?.bytes ?? 0, Math.min(bytesTotal, bytesDone + inFlight));
    this.#samples = [...this.#samples.filter(({ atMs }) => nowMs - atMs <= windowMs), { atMs: nowMs, bytes: done }];
    const perMs = this.#rate();
    const leftMs = perMs === null || perMs === 0 ? null : (bytesTotal - done) / perMs;
    return { segments, bytes: { done, total: bytesTotal, perMs, leftMs } };
  }

  #rate(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.atMs - first.atMs < 1_000) return null;
    return (last.bytes - first.bytes) / (last.atMs - first.atMs);
  }

  #remarks({ progress, retrying, waiting, heldBy }: Following, nowMs: number): string[] {
    const silentMs = nowMs - (this.#silentSinceMs ?? nowMs);
    const waitedMs = nowMs - (this.#waitingSinceMs ?? nowMs);
    return [
      ...(heldBy
        ? [`held since ${formatInstant(heldBy.startedAt)}; ./clawback follow ${heldBy.workflowId} shows it`]
        : []),
      ...(silentMs >= patienceMs
        ? [`Temporal has not answered for ${Math.round(silentMs / 1000)} s; the workflow goes on when it is back`]
        : []),
      ...(waitedMs >= patienceMs ? [`${[...new Set(waiting)].join(', ')} waits for a worker`] : []),
      ...retrying.map(({ step, attempt, message }) => `${step} is tried again (attempt ${attempt}): ${message}`),
      ...(progress?.overBudget ?? []).map((late) => `over budget: ${late}`),
    ];
  }
}

function phaseOf({ progress, heldBy }: Following): string {
  if (heldBy) return `waiting for the lane: ${heldBy.operation} holds it`;
  return progress?.phase ?? 'starting';
}

function stepOf({ step }: Progress, clockMs: number): Pick<Shown, 'step'> {
  if (!step) return {};
  return { step: { name: step.name, ms: Math.max(0, clockMs - Date.parse(step.startedAt)), budgetMs: step.budgetMs } };
}
