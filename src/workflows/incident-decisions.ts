// Somebody's word on a plan: it counts for just that plan, and what it was given for is what runs.

import { defineUpdate, setHandler } from '@temporalio/workflow';
import type { RecoveryPlan } from '../contract/incident-plan.ts';
import type { IncidentState } from '../contract/incident-state.ts';
import { ApproveInput, DeclineInput, incidentMessages } from '../contract/incidents.ts';
import { asOwnFailure, workflowFailure } from './failures.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { parseInput } from './input.ts';
import { requireSigner } from './signers.ts';
import { vault } from './steps.ts';

const approve = defineUpdate<IncidentState, [unknown]>(incidentMessages.approve);
const decline = defineUpdate<IncidentState, [unknown]>(incidentMessages.decline);

/** Takes approvals and refusals of the present plan; `replan` makes it anew. */
export class Decisions {
  readonly #desk: IncidentDesk;
  readonly #replan: () => Promise<RecoveryPlan>;
  #deciding = 0;

  constructor(desk: IncidentDesk, replan: () => Promise<RecoveryPlan>) {
    this.#desk = desk;
    this.#replan = replan;
    setHandler(approve, (raw) => this.#approve(parseInput(ApproveInput, raw)), {
      validator: (raw) => this.#check(parseInput(ApproveInput, raw)),
    });
    setHandler(decline, (raw) => this.#decline(parseInput(DeclineInput, raw)), {
      validator: (raw) => {
        parseInput(DeclineInput, raw);
        this.#requireWaiting();
      },
    });
  }

  /** Has somebody decided, or has it decided itself? */
  get isDone(): boolean {
    const { approval, declined, clearedAt } = this.#desk.state;
    return this.#deciding === 0 && (approval ?? declined ?? clearedAt) !== null;
  }

  get isDeciding(): boolean {
    return this.#deciding > 0;
  }

  #requireWaiting(): void {
    const { phase, incident } = this.#desk.state;
    if (phase === 'awaiting-approval') return;
    throw workflowFailure('ApprovalRefused', `${incident} does not wait for an approval: it is ${phase}`);
  }

  #check({ digest, by, signature, expires }: ApproveInput): void {
    this.#requireWaiting();
    const { plan, approvers, incident } = this.#desk.state;
    if (plan?.digest !== digest)
      throw workflowFailure(
        'PlanStale',
        `the approval is of plan ${digest.slice(0, 12)}…, the plan of ${incident} is now ${plan?.digest.slice(0, 12)}…`,
      );
    requireSigner(approvers, { by, signature, expires }, 'approval');
  }

  /** The signature is checked by an activity, and the plan made once more: what it was given for must be what runs. */
  async #approve({ digest, by, waiveFence, expires, signature }: ApproveInput): Promise<IncidentState> {
    const desk = this.#desk;
    const { incident: workflowId, runId } = desk.state;
    this.#deciding += 1;
    try {
      const { fleetDigest } = desk.brief;
      const { how } = await vault.verifyApproval({
        fleetDigest,
        by,
        expires,
        signature,
        about: { kind: 'plan', workflowId, runId, digest, waiveFence },
      });
      const plan = await this.#replan();
      if (plan.digest !== digest)
        throw workflowFailure(
          'PlanStale',
          `the plan of ${workflowId} has changed since it was approved: it is ${plan.digest.slice(0, 12)}… now`,
        );
      if (desk.state.approval === null && desk.state.declined === null)
        desk.update({ approval: { by, at: new Date(Date.now()).toISOString(), digest, how, waiveFence } });
      return desk.state;
    } catch (error) {
      throw asOwnFailure(error); // who approves reads the cause, not that an activity failed
    } finally {
      this.#deciding -= 1;
    }
  }

  #decline({ by, reason }: DeclineInput): IncidentState {
    if (this.#desk.state.approval === null)
      this.#desk.update({ declined: { by, reason, at: new Date(Date.now()).toISOString() } });
    return this.#desk.state;
  }
}
