// What an incident knows while it runs: where it stands, who was asked, what was told. The query answers from here, and
// updates and signals come in here; incident.ts says in which order things happen.

import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { IncidentBrief } from '../contract/incident-plan.ts';
import type { IncidentState } from '../contract/incident-state.ts';
import { ClearedInput, HandDoneInput, type IncidentCommon, incidentMessages } from '../contract/incidents.ts';
import { Evidence, type Part } from './evidence.ts';
import { asOwnFailure, codeOf, messageOf, workflowFailure } from './failures.ts';
import { recordHand } from './incident-hand.ts';
import { type About, opened } from './incident-opened.ts';
import { incidentDetails, nextOf } from './incident-text.ts';
import { parseInput } from './input.ts';
import { requireSigner } from './signers.ts';
import { hooks, vault } from './steps.ts';

const handDone = defineUpdate<IncidentState, [unknown]>(incidentMessages.handDone);
const cleared = defineSignal<[unknown]>(incidentMessages.cleared);
const incidentQuery = defineQuery<IncidentState>(incidentMessages.incident);

/** Where somebody can read what an alert is about. */
const runbook = 'docs/playbooks.md';

export class IncidentDesk {
  readonly about: About;
  readonly input: IncidentCommon;
  readonly evidence = new Evidence();
  #state: IncidentState;
  #brief: IncidentBrief | undefined;
  #hand: HandDoneInput | undefined;
  readonly #told: Promise<void>[] = [];

  constructor(about: About, input: IncidentCommon) {
    this.about = about;
    this.input = input;
    this.#state = opened(about, input);
    setHandler(incidentQuery, () => this.#state);
    setHandler(cleared, (raw) => this.#clear(raw));
    setHandler(handDone, (raw) => this.#takeHand(parseInput(HandDoneInput, raw)), {
      validator: (raw) => this.#requireHand(parseInput(HandDoneInput, raw)),
    });
  }

  get state(): IncidentState {
    return this.#state;
  }

  /** The same, where it has been read. */
  get found(): IncidentBrief | undefined {
    return this.#brief;
  }

  /** What the fleet file says of it; after `readBrief`. */
  get brief(): IncidentBrief {
    if (this.#brief) return this.#brief;
    throw workflowFailure('Unexpected', 'the incident has not read the fleet file yet');
  }

  /** RTO and ages count from here. */
  get sinceMs(): number {
    return Date.parse(this.#state.since);
  }

  update(change: Partial<IncidentState>): void {
    const next = { ...this.#state, ...change };
    this.#state = { ...next, next: nextOf(next) };
    setCurrentDetails(incidentDetails(this.#state));
  }

  /** In words, what it does now. */
  doing(doing: string): void {
    this.update({ doing });
  }

  warn(text: string): void {
    if (!this.#state.warnings.includes(text)) this.update({ warnings: [...this.#state.warnings, text] });
  }

  /** Does a part of the work, for details and receipt. */
  part<T>(part: Part, work: () => Promise<T>): Promise<T> {
    this.doing(part.phase);
    return this.evidence.part(part, work);
  }

  /** The same for a machine to be provided: its time is shown apart. */
  async provisioning<T>(part: Part, work: () => Promise<T>): Promise<T> {
    const startedMs = Date.now();
    try {
      return await this.part(part, work);
    } finally {
      const { rto } = this.#state;
      this.update({ rto: { ...rto, provisioningMs: rto.provisioningMs + Date.now() - startedMs } });
    }
  }

  /** Waits for a person, and counts it; reminds meanwhile, each eight times half as often. */
  async forPeople(isDone: () => boolean, remind: () => Promise<void>): Promise<void> {
    const startedMs = Date.now();
    const { waitingMs } = this.#state.rto;
    const count = (): void =>
      this.update({ rto: { ...this.#state.rto, waitingMs: waitingMs + Date.now() - startedMs } });
    try {
      for (let reminders = 0; !(await condition(isDone, this.#reminderMs(reminders))); reminders += 1) {
        this.update({ reminders: this.#state.reminders + 1 });
        count();
        await remind();
      }
    } finally {
      count();
    }
  }

  /** A day at most between two: 15 m at first are a year of waiting in some 3,000 events. */
  #reminderMs(reminders: number): number {
    return Math.min(this.brief.remindEveryMs * 2 ** Math.floor(reminders / 8), 24 * 3_600_000);
  }

  /** Waits until somebody says that he has done a step by hand. */
  async byHand(step: string, what: string): Promise<HandDoneInput> {
    this.#hand = undefined;
    this.update({ hand: { step, what }, doing: `waits for somebody: ${what}` });
    this.alert('critical', 'HandWanted', `by hand: ${what}`);
    await this.forPeople(
      () => this.#hand !== undefined,
      async () => this.alert('critical', 'HandWanted', `still to be done by hand: ${what}`),
    );
    this.update({ hand: null });
    return this.#given();
  }

  #given(): HandDoneInput {
    if (this.#hand) return this.#hand;
    throw workflowFailure('Unexpected', 'nobody did it by hand');
  }

  /** Tells people, by the alert hook where there is one; it holds nothing up, and its failure is a warning. */
  alert(severity: 'warning' | 'critical' | 'resolved', code: string, message: string): void {
    const { incident, scenario, subject, since } = this.#state;
    log.warn(message, { incident, scenario, code });
    if (this.#brief?.alerts !== true || this.input.rehearse) return;
    const key = `${incident}/${workflowInfo().runId}/alert-${this.#told.length}`;
    const input = {
      severity,
      code,
      subject: `${scenario} ${subject}`,
      message: message.slice(0, 2000),
      since,
      runbook,
    };
    this.#told.push(
      CancellationScope.nonCancellable(() => hooks.runHook({ hook: 'alert', key, input })).then(
        () => undefined,
        (error: unknown) => this.warn(`the alert ${code} was not told: ${codeOf(error) ?? messageOf(error)}`),
      ),
    );
  }

  /** Before it ends: what was told must have gone, but is not waited for for ever. */
  async untilTold(): Promise<void> {
    await CancellationScope.nonCancellable(() => Promise.race([Promise.all(this.#told), sleep('5 minutes')]));
  }

  async readBrief(): Promise<IncidentBrief> {
    const brief = await vault.briefIncident(this.about);
    this.#brief = brief;
    const { fleet, rtoMs, approvers } = brief;
    this.update({ fleet, approvers, rto: { ...this.#state.rto, budgetMs: rtoMs } });
    return brief;
  }

  #clear(raw: unknown): void {
    const parsed = ClearedInput.safeParse(raw);
    if (parsed.success && this.#state.clearedAt === null) this.update({ clearedAt: parsed.data.at });
  }

  #requireHand({ step, ...word }: HandDoneInput): void {
    const { hand, incident, approvers } = this.#state;
    if (hand?.step === step) return requireSigner(approvers, word, 'statement');
    const waits = hand === null ? 'for nothing to be done by hand' : `for the step ${hand.step}`;
    throw workflowFailure('InvalidInput', `${incident} waits ${waits}, not for ${step}`, { step });
  }

  /** Whose word it is, is looked at by an activity; meanwhile somebody else may have told it. */
  async #takeHand(done: HandDoneInput): Promise<IncidentState> {
    const { hand: asked, incident } = this.#state;
    try {
      const recorded = await recordHand(this.#state, done);
      if (asked === null || this.#state.hand !== asked || this.#hand !== undefined)
        throw workflowFailure('InvalidInput', `${incident} was told meanwhile that ${done.step} is done`);
      this.#hand = done;
      this.update({ hands: [...this.#state.hands, recorded] });
      return this.#state;
    } catch (error) {
      throw asOwnFailure(error);
    }
  }
}
