// The clocks of a restore: one for each step and one for all. A budget is a timer: when it runs out while the
// step goes on, that is said at once (current details, progress), and the restore finishes all the same.

import { log } from '@temporalio/workflow';
import type { StepTime } from '../contract/results.ts';
import { type RestoreBudgets, type RestoreStep, restoreSteps } from '../domain/budget.ts';
import { besideTimer } from './beside-timer.ts';
import type { Evidence } from './evidence.ts';
import type { ProgressBoard, Section } from './section.ts';

export class RestoreClock {
  readonly startedMs: number;
  readonly #budgets: RestoreBudgets;
  readonly #progress: ProgressBoard;
  readonly #evidence: Evidence;
  readonly #spentMs = new Map<RestoreStep, number>();
  #answeredMs: number | undefined;

  constructor({ spec, progress, evidence, startedMs }: Section, sinceMs = startedMs) {
    this.#budgets = spec.budgets;
    this.#progress = progress;
    this.#evidence = evidence;
    this.startedMs = sinceMs;
  }

  /** Times `work` as (a part of) a step, beside a timer with what is left of the step's budget. */
  async step<T>(step: RestoreStep, phase: string, work: () => Promise<T>): Promise<T> {
    const budgetMs = this.#budgets.stepMs[step];
    const startedMs = Date.now();
    const spentMs = this.#spentMs.get(step) ?? 0;
    this.#progress.update({
      phase,
      step: { name: step, startedAt: new Date(startedMs - spentMs).toISOString(), budgetMs },
    });
    try {
      const timed = (): Promise<T> =>
        this.#besideTimer(`${step} (budget ${budgetMs / 60_000} min)`, budgetMs - spentMs, work);
      return await this.#evidence.part({ step, phase, budgetMs }, timed);
    } finally {
      this.#spentMs.set(step, spentMs + Date.now() - startedMs);
      this.#progress.update({ step: null });
    }
  }

  /** The whole restore beside the RTO's timer, which has run since the restore's start. */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    const leftMs = this.#budgets.rtoMs - (Date.now() - this.startedMs);
    return this.#besideTimer(`RTO (budget ${this.#budgets.rtoMs / 60_000} min)`, leftMs, work);
  }

  /** The test message was answered: the lane is back, and the clocks stand. What follows is ours alone. */
  answered(): void {
    this.#answeredMs = Date.now();
    this.#evidence.messageAnswered = true;
    this.#evidence.rtoMs = this.rtoMs;
  }

  times(): StepTime[] {
    return restoreSteps.map((step) => ({
      step,
      ms: this.#spentMs.get(step) ?? 0,
      budgetMs: this.#budgets.stepMs[step],
    }));
  }

  get rtoMs(): number {
    return (this.#answeredMs ?? Date.now()) - this.startedMs;
  }

  get answeredAt(): string | null {
    return this.#answeredMs === undefined ? null : new Date(this.#answeredMs).toISOString();
  }

  get rtoBudgetMs(): number {
    return this.#budgets.rtoMs;
  }

  #besideTimer<T>(name: string, leftMs: number, work: () => Promise<T>): Promise<T> {
    const onLate = (): void => {
      // a step in two parts is late once
      if (this.#answeredMs !== undefined || this.#progress.overBudget.includes(name)) return;
      log.warn('over budget', { budget: name });
      this.#progress.update({ overBudget: [...this.#progress.overBudget, name] });
    };
    return besideTimer({ name, leftMs, onLate }, work);
  }
}
