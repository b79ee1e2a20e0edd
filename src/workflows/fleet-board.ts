// How far a run over many lanes is: answered to the query `progress`, and shown as current details in the Temporal UI.

import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { FleetLaneRow, FleetProgress, LanePhase } from '../contract/fleet-run.ts';
import { progressQuery } from '../contract/results.ts';
import type { FleetDescription } from '../contract/step-types.ts';
import type { FailureCode } from '../domain/failure.ts';
import { fleetDetails } from './details.ts';

const fleetProgressOf = defineQuery<FleetProgress>(progressQuery);

interface Lane {
  readonly lane: string;
  readonly host: string;
  readonly phase: LanePhase;
  readonly workflowId: string | null;
  readonly code: FailureCode | null;
}

export class FleetBoard {
  #now: FleetProgress;
  readonly #lanes = new Map<string, Lane>();

  constructor(startedMs: number) {
    this.#now = {
      phase: 'reading the fleet',
      startedAt: new Date(startedMs).toISOString(),
      fleetDigest: null,
      rtoBudgetMs: null,
      overBudget: [],
      lanes: [],
    };
    setHandler(fleetProgressOf, () => this.#now);
  }

  opened({ fleetDigest, lanes, rtoMs }: FleetDescription, hasRto: boolean): void {
    for (const { lane, host } of lanes)
      this.#lanes.set(lane, { lane, host, phase: 'waiting', workflowId: null, code: null });
    this.#show({ phase: 'working', fleetDigest, rtoBudgetMs: hasRto ? rtoMs : null });
  }

  lane(name: string, phase: LanePhase, workflowId: string | null = null): void {
    const known = this.#lanes.get(name);
    if (known) this.#lanes.set(name, { ...known, phase, workflowId: workflowId ?? known.workflowId });
    this.#show({});
  }

  ended({ lane, host, outcome, workflowId, code }: FleetLaneRow): void {
    this.#lanes.set(lane, { lane, host, phase: outcome, workflowId, code });
    this.#show({});
  }

  overBudget(text: string): void {
    this.#show({ overBudget: [...this.#now.overBudget, text] });
  }

  #show(change: Partial<FleetProgress>): void {
    this.#now = { ...this.#now, ...change, lanes: [...this.#lanes.values()] };
    setCurrentDetails(fleetDetails(this.#now));
  }
}
