// What is known of a gate while it runs, what it can be told, and how it tells: the query, the workflow's page, the search
// attributes.

import type { ApplicationFailure } from '@temporalio/common';
import {
  type CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import {
  AbandonGateInput,
  type GateDay,
  gateMessages,
  type GateSignature,
  type GateState,
  type QualifyHostInput,
  RetryDayInput,
  SignGateInput,
} from '../contract/gate.ts';
import { searchAttributes } from '../contract/names.ts';
import { guardrailDay, guardrailPlan, judgeGuardrails, samplesExpected, signingFault } from '../domain/gate.ts';
import { shownOf } from '../domain/statements.ts';
import { asOwnFailure } from './failures.ts';
import { gateDetails } from './gate-details.ts';
import { Guardrails } from './gate-guardrails.ts';
import { changed, freshState, nextOf, now, refusal, unsaid, verdictOf } from './gate-state.ts';
import { parseInput } from './input.ts';
import { vault } from './steps.ts';

const query = defineQuery<GateState>(gateMessages.gate);
const sign = defineUpdate<GateState, [SignGateInput]>(gateMessages.sign);
const retryDay = defineUpdate<GateState, [RetryDayInput]>(gateMessages.retryDay);
const abandon = defineUpdate<GateState, [AbandonGateInput]>(gateMessages.abandon);

export class GateDesk {
  readonly guardrails: Guardrails;
  /** The work of the day, which `abandon` ends. */
  work: CancellationScope | undefined;
  /** Somebody's signature, until it is taken or refused. */
  signing: Omit<GateSignature, 'at'> | undefined;
  /** Why the last one was refused. */
  refused: ApplicationFailure | undefined;
  #state: GateState;
  #isMarked = false;
  #verifying = 0;
  #isClosed = false;

  constructor(input: QualifyHostInput) {
    const { carried, dayLengthMs = null } = input;
    this.#state = carried?.state ?? freshState(input);
    this.guardrails = new Guardrails(guardrailPlan(dayLengthMs), carried?.disk ?? null);
    this.#listen();
  }

  get state(): GateState {
    return this.#state;
  }

  #listen(): void {
    setHandler(query, () => this.#state);
    setHandler(sign, (input) => this.#onSign(parseInput(SignGateInput, input)), {
      validator: (input) => {
        parseInput(SignGateInput, input);
        this.#requireSignable();
      },
    });
    setHandler(retryDay, (input) => this.#onRetry(parseInput(RetryDayInput, input)), {
      validator: (input) => {
        const { day } = parseInput(RetryDayInput, input);
        this.#requireRunning();
        const { state } = this.row(day);
        if (state !== 'failed') throw refusal(`day ${day} of the gate of ${this.#state.host} is ${state}, not failed`);
      },
    });
    setHandler(abandon, (input) => this.#onAbandon(parseInput(AbandonGateInput, input)), {
      validator: (input) => {
        parseInput(AbandonGateInput, input);
        this.#requireRunning();
      },
    });
  }

  /** Is a signature looked at? Then this run does not hand over to the next. */
  get isBusy(): boolean {
    return this.#verifying > 0;
  }

  /** From now on this run takes no signature: the next one does, or it is over. */
  close(): void {
    this.#isClosed = true;
  }

  #requireRunning(): void {
    const { phase, host: name, abandoned } = this.#state;
    if (phase !== 'running' || abandoned) throw refusal(`the gate of ${name} is ${abandoned ? 'abandoned' : phase}`);
  }

  #requireSignable(): void {
    this.#requireRunning();
    const busy = this.#isClosed ? 'it goes on to its next run just now, sign again' : undefined;
    const fault = busy ?? (this.signing ? 'somebody signs it just now' : signingFault(this.#state.rows));
    if (fault !== undefined) throw refusal(`the gate of ${this.#state.host} cannot be signed: ${fault}`);
  }

  /** Whose word it is, is looked at first; what he signs must still be what is there. */
  async #onSign({ by, ...word }: SignGateInput): Promise<GateState> {
    const how = await this.#howSigned({ by, ...word });
    this.#requireSignable();
    this.refused = undefined;
    this.signing = { by, how };
    await condition(() => this.signing === undefined);
    const refused = this.#refusal();
    if (refused) throw refused;
    return this.#state;
  }

  async #howSigned(word: SignGateInput): Promise<GateSignature['how']> {
    this.#verifying += 1;
    try {
      const { how } = await vault.verifyApproval({ ...word, about: { kind: 'gate', shown: shownOf(this.#state) } });
      return how;
    } catch (error) {
      throw asOwnFailure(error);
    } finally {
      this.#verifying -= 1;
    }
  }

  #refusal(): ApplicationFailure | undefined {
    return this.refused;
  }

  #onRetry({ day, by }: RetryDayInput): GateState {
    if (day === guardrailDay) {
      const startedAt = now();
      const { attempts } = this.row(day);
      this.guardrails.begin(startedAt);
      this.change(day, { state: 'running', attempts: attempts + 1, startedAt, endedAt: null, ...unsaid });
    } else {
      this.change(day, { state: 'waiting', dueAt: now() });
    }
    log.info('a day is tried again', { day, by });
    return this.#state;
  }

  #onAbandon({ by, reason }: AbandonGateInput): GateState {
    this.set({ abandoned: { by, reason, at: now() } });
    this.work?.cancel();
    return this.#state;
  }

  /** What the looks at the disk have come to. */
  #judged(): Partial<GateState> {
    const { disk, plan } = this.guardrails;
    if (!disk || this.row(guardrailDay).state !== 'running') return {};
    if (disk.used.length < samplesExpected(plan)) return {};
    const { ok, evidence, advice } = judgeGuardrails(plan, disk.used, disk.totalBytes);
    const verdict = ok
      ? { state: 'passed' as const, code: null, message: null }
      : { state: 'failed' as const, code: 'GateDayFailed' as const, message: 'the disk is not stable' };
    return { rows: changed(this.#state.rows, guardrailDay, { ...verdict, evidence, advice, endedAt: now() }) };
  }

  /** After each look at the disk: the verdict, once the window is over. */
  judge(): void {
    this.#tell(this.#judged());
  }

  row(day: number): GateDay {
    return this.#state.rows[day] as GateDay;
  }

  change(day: number, change: Partial<GateDay>): void {
    this.set({ rows: changed(this.#state.rows, day, change) });
  }

  set(change: Partial<GateState>): void {
    this.#tell(change);
  }

  /** Changes what the query answers, and says it on the workflow's page. */
  #tell(change: Partial<GateState> = {}): void {
    const { disk, plan } = this.guardrails;
    const looks = { taken: disk?.used.filter((used) => used !== null).length ?? 0, expected: samplesExpected(plan) };
    const before = verdictOf(this.#state);
    const state = { ...this.#state, ...change, looks };
    this.#state = { ...state, next: nextOf(state) };
    setCurrentDetails(gateDetails(this.#state));
    const verdict = verdictOf(this.#state);
    if (verdict === before && this.#isMarked) return;
    this.#isMarked = true;
    upsertSearchAttributes([
      { key: searchAttributes.host, value: state.host },
      { key: searchAttributes.scenario, value: 'gate' },
      { key: searchAttributes.verdict, value: verdict },
    ]);
  }
}
