// One run of a gate: its days in their order, the looks at the disk beside them, and what it can be told meanwhile.

import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import type { GateCarried, GateDay, GateSignature, GateState, QualifyHostInput } from '../contract/gate.ts';
import { type GateIdentity, guardrailDay, identityChange, lastGateDay } from '../domain/gate.ts';
import { gateLimits } from '../domain/gate-limits.ts';
import { asOwnFailure, workflowFailure } from './failures.ts';
import { dayAfter } from './gate-calendar.ts';
import { rpoFault, rpoOf, workOfDay } from './gate-days.ts';
import { GateDesk } from './gate-desk.ts';
import { type DayDone, dayFailure } from './gate-done.ts';
import { endGate, signGate } from './gate-end.ts';
import { type HostPicture, identityOf, pictureOf, specsOf } from './gate-host.ts';
import { emptyState, guardrailsGoOn, now, said, unsaid } from './gate-state.ts';

/** Between two runs: the next one goes on from what this one hands over. */
const handOver = 'hand over';
type Step = typeof handOver | 'go on' | 'ended';

export class Gate {
  readonly #input: QualifyHostInput;
  readonly #desk: GateDesk;
  #identity: GateIdentity | null;
  #minute: number | null;

  constructor(input: QualifyHostInput) {
    this.#input = input;
    this.#desk = new GateDesk(input);
    this.#identity = input.carried?.identity ?? null;
    this.#minute = input.carried?.minute ?? null;
  }

  async whole(): Promise<GateState> {
    if (this.#input.carried === undefined) await this.#open();
    this.#desk.set({});
    const looks = this.#desk.guardrails.run(this.#input.host, () => this.#desk.judge());
    // told by the days, which a cancellation ends too
    looks.catch(() => undefined);
    try {
      const step = await this.#days();
      this.#desk.close();
      await this.#desk.guardrails.stop(looks);
      await condition(allHandlersFinished);
      if (step === handOver) await this.#continue();
      return this.#desk.state;
    } catch (error) {
      if (isCancellation(error))
        await CancellationScope.nonCancellable(() => endGate(this.#desk, 'cancelled', this.#openclaw));
      throw error;
    }
  }

  /** UnknownLane when the fleet has no such host with lanes. */
  async #open(): Promise<void> {
    try {
      const { fleet, specs } = await specsOf(this.#input.host);
      if (fleet !== this.#desk.state.fleet)
        throw workflowFailure('InvalidInput', `the worker holds fleet ${fleet}, not ${this.#desk.state.fleet}`, {
          field: 'workflowId',
        });
      this.#desk.set({ lanes: specs.map(({ lane }) => lane) });
    } catch (error) {
      throw asOwnFailure(error);
    }
  }

  async #days(): Promise<Step> {
    for (;;) {
      const row = this.#desk.row(this.#desk.state.day);
      if (this.#desk.state.abandoned) {
        await endGate(this.#desk, 'abandoned', this.#openclaw);
        return 'ended';
      }
      const stands = row.state === 'failed' && row.day !== guardrailDay;
      if (stands || !(await this.#due(row))) {
        if (await this.#waitForWord(row)) return handOver;
        continue;
      }
      const step = row.day === lastGateDay ? await this.#lastDay() : await this.#day(row);
      if (step !== 'go on') return step;
    }
  }

  /** False when something else has come first. */
  async #due({ dueAt }: GateDay): Promise<boolean> {
    const leftMs = dueAt === null ? 0 : Date.parse(dueAt) - Date.now();
    if (leftMs <= 0) return true;
    this.#desk.set({ doing: `day ${this.#desk.state.day} begins at ${dueAt}` });
    return !(await condition(() => this.#desk.state.abandoned !== null, leftMs));
  }

  /** For a failed day: until it is to be tried again. @returns whether the history has grown too long for this run */
  async #waitForWord({ day }: GateDay): Promise<boolean> {
    if (this.#desk.state.abandoned) return false;
    this.#desk.set({ doing: `day ${day} failed: it waits for a retry, or to be abandoned` });
    const isToldOr = (long: boolean): boolean =>
      this.#desk.row(day).state !== 'failed' || this.#desk.state.abandoned !== null || long;
    await condition(() => isToldOr(workflowInfo().continueAsNewSuggested));
    return this.#desk.row(day).state === 'failed' && this.#desk.state.abandoned === null;
  }

  async #day({ day, attempts, action }: GateDay): Promise<Step> {
    const startedAt = now();
    const isJudgedLater = day === guardrailDay;
    if (!isJudgedLater)
      this.#desk.change(day, { state: 'running', attempts: attempts + 1, startedAt, endedAt: null, ...unsaid });
    this.#desk.set({ doing: `day ${day}: ${action}` });
    const done = await this.#working(() => this.#workOf(day));
    if (done === 'rearmed') return handOver;
    if (!isJudgedLater) this.#desk.change(day, { ...said(done), endedAt: now() });
    if (this.#desk.state.abandoned || (!isJudgedLater && done.state === 'failed')) return 'go on';
    if (done.archives)
      this.#desk.set({ archives: [...this.#desk.state.archives, ...done.archives.map((one) => ({ ...one, day }))] });
    return this.#next(day, startedAt);
  }

  async #look(): Promise<HostPicture> {
    const picture = await pictureOf(this.#input.host);
    this.#desk.set({ clockOffsetMs: Math.round(picture.lanes[0]?.survey.clockOffsetMs ?? 0) });
    return picture;
  }

  async #workOf(day: number): Promise<DayDone | 'rearmed'> {
    const picture = await this.#look();
    const identity = identityOf(picture);
    const change = this.#identity === null ? undefined : identityChange(this.#identity, identity);
    if (change !== undefined) return this.#rearm(change, picture);
    if (day === 0) this.#begin(identity, picture);
    if (day === guardrailDay) return guardrailsGoOn;
    const done = await workOfDay(day, picture, this.#desk.state);
    if (done.rto) this.#desk.set({ rto: done.rto });
    return done;
  }

  /** What the day's work answers or fails with; only cancelling the gate itself is thrown. */
  async #working<T>(work: () => Promise<T>): Promise<T | DayDone> {
    const scope = new CancellationScope();
    this.#desk.work = scope;
    try {
      return await scope.run(work);
    } catch (error) {
      if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
      return dayFailure(error);
    } finally {
      this.#desk.work = undefined;
    }
  }

  #begin(identity: GateIdentity, { lanes }: HostPicture): void {
    this.#identity = identity;
    const [first] = lanes;
    const timeZone = first?.spec.timeZone ?? first?.survey.timeZone ?? 'UTC';
    this.#desk.set({ lanes: identity.lanes.map(({ lane }) => lane), timeZone });
  }

  /** Readiness leads on at once; each other day to the local day after the one on which it began. */
  async #next(day: number, startedAt: string): Promise<Step> {
    if (day === 0) {
      this.#desk.guardrails.begin(startedAt);
      this.#desk.change(guardrailDay, { state: 'running', attempts: 1, startedAt });
    }
    const dueAt = day === 0 ? startedAt : await this.#dayAfter(startedAt);
    this.#desk.change(day + 1, { dueAt });
    this.#desk.set({ day: day + 1 });
    return day === 0 ? 'go on' : handOver;
  }

  async #dayAfter(startedAt: string): Promise<string> {
    const { at, minute, warning } = await dayAfter(startedAt, this.#minute, this.#desk.state);
    this.#minute = minute;
    if (warning !== undefined) this.#desk.set({ warnings: [...this.#desk.state.warnings, warning] });
    return at;
  }

  /** All days again, of what the host is now. */
  #rearm(why: string, { lanes }: HostPicture): 'rearmed' {
    log.warn('the gate goes back to day 1', { host: this.#desk.state.host });
    const rearmed = [{ at: now(), why }, ...this.#desk.state.rearmed].slice(0, gateLimits.rearmsTold);
    this.#identity = null;
    this.#minute = null;
    this.#desk.guardrails.clear();
    const fresh = { ...emptyState(this.#desk.state), startedAt: this.#desk.state.startedAt };
    this.#desk.set({ ...fresh, lanes: lanes.map(({ spec }) => spec.lane), rearmed, doing: `back to day 1: ${why}` });
    return 'rearmed';
  }

  async #lastDay(): Promise<Step> {
    const row = this.#desk.row(lastGateDay);
    if (row.state === 'waiting')
      this.#desk.change(lastGateDay, { state: 'running', attempts: row.attempts + 1, startedAt: now(), ...unsaid });
    this.#desk.set({ doing: 'waits for a signature' });
    await condition(
      () =>
        this.#desk.signing !== undefined ||
        this.#desk.state.abandoned !== null ||
        (workflowInfo().continueAsNewSuggested && !this.#desk.isBusy),
    );
    if (this.#desk.signing === undefined) return this.#desk.state.abandoned ? 'go on' : handOver;
    try {
      return await this.#seal(this.#desk.signing);
    } finally {
      this.#desk.signing = undefined;
    }
  }

  /** The host is looked at once more, and the signature stands when its receipt does. */
  async #seal(word: Omit<GateSignature, 'at'>): Promise<Step> {
    const done = await this.#working(async () => {
      const picture = await this.#look();
      const change = this.#identity === null ? undefined : identityChange(this.#identity, identityOf(picture));
      if (change !== undefined) return this.#rearm(change, picture);
      this.#desk.set({ rpo: await rpoOf(picture) });
      return rpoFault(this.#desk.state.rpo, picture) ?? (await signGate(this.#desk, word, this.#openclaw));
    });
    if (done === 'signed') return 'ended';
    const why = done === 'rearmed' ? (this.#desk.state.rearmed[0]?.why ?? '') : (done.message ?? '');
    this.#desk.refused = workflowFailure('GateRefused', `the gate is not signed: ${why}`, {
      host: this.#desk.state.host,
    });
    if (done === 'rearmed') return handOver;
    this.#desk.change(lastGateDay, { ...said(done), endedAt: now() });
    return 'go on';
  }

  get #openclaw(): string | null {
    return this.#identity?.lanes[0]?.openclaw ?? null;
  }

  async #continue(): Promise<never> {
    const { host: name, dayLengthMs } = this.#input;
    const carried: GateCarried = {
      state: this.#desk.state,
      identity: this.#identity,
      minute: this.#minute,
      disk: this.#desk.guardrails.disk,
    };
    return continueAsNew({ host: name, ...(dayLengthMs === undefined ? {} : { dayLengthMs }), carried });
  }
}
