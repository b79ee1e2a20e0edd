// How far a run over many lanes is, as one picture: its own rows, and the bytes of the sections of its running lanes.

import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { FleetProgress } from '../contract/fleet-run.ts';
import { type Progress, progressQuery } from '../contract/results.ts';
import { type Following, nothingSeen, ownActivities, readProgress } from './progress.ts';

/** Sections that are asked at each look: a query each, and a screen has no room for more. */
const askedLanes = 8;
const askMs = 3_000;

type Amount = Pick<Progress, 'bytesDone' | 'bytesTotal' | 'segmentsDone' | 'segmentsTotal' | 'reusedBytes'>;
const none: Amount = { bytesDone: 0, bytesTotal: 0, segmentsDone: 0, segmentsTotal: 0, reusedBytes: 0 };

/** Follows one run; what it has seen of a lane counts as done once the lane is. */
export class FleetFollower {
  readonly #client: Client;
  readonly #fleet: string;
  readonly #workflowId: string;
  readonly #seen = new Map<string, Amount>();

  constructor(client: Client, fleet: string, workflowId: string) {
    this.#client = client;
    this.#fleet = fleet;
    this.#workflowId = workflowId;
  }

  /** A snapshot; never throws. */
  async read(): Promise<Following> {
    const progress = await readFleetProgress(this.#client, this.#workflowId);
    if (!progress || progress.lanes.length === 0) return ownActivities(this.#client, { workflowId: this.#workflowId });
    const running = progress.lanes.filter(({ phase }) => phase === 'running').slice(0, askedLanes);
    const followings = await Promise.all(
      running.map(async ({ lane, workflowId }) => {
        const following = await readProgress(this.#client, {
          fleet: this.#fleet,
          lane,
          workflowId: workflowId ?? '',
        });
        if (following.progress) this.#seen.set(lane, following.progress);
        return { lane, following };
      }),
    );
    const bytesInFlight = followings.reduce((sum, { following }) => sum + following.bytesInFlight, 0);
    return {
      ...nothingSeen,
      progress: {
        ...this.#sum(progress),
        phase: phaseOf(progress),
        startedAt: progress.startedAt,
        step: null,
        overBudget: progress.overBudget,
      },
      bytesInFlight,
      retrying: followings.flatMap(({ lane, following }) =>
        following.retrying.map((one) => ({ ...one, step: `${lane}: ${one.step}` })),
      ),
      // while streams run the others only wait for their turn, which is no want of a worker
      waiting: bytesInFlight > 0 ? [] : followings.flatMap(({ following }) => following.waiting),
    };
  }

  #sum({ lanes }: FleetProgress): Amount {
    return lanes.reduce((sum, { lane, phase }) => {
      const seen = this.#seen.get(lane) ?? none;
      const isDone = phase === 'ok' || phase === 'attention';
      return {
        bytesDone: sum.bytesDone + (isDone ? seen.bytesTotal : seen.bytesDone),
        bytesTotal: sum.bytesTotal + seen.bytesTotal,
        segmentsDone: sum.segmentsDone + (isDone ? seen.segmentsTotal : seen.segmentsDone),
        segmentsTotal: sum.segmentsTotal + seen.segmentsTotal,
        reusedBytes: sum.reusedBytes + seen.reusedBytes,
      };
    }, none);
  }
}

/** `2 of 5 lanes done, 2 running, 1 waiting, 1 failed`. */
function phaseOf({ lanes }: FleetProgress): string {
  const count = (...phases: readonly string[]): number => lanes.filter(({ phase }) => phases.includes(phase)).length;
  const parts = [
    [count('running'), 'running'],
    [count('waiting', 'measuring'), 'waiting'],
    [count('failed'), 'failed'],
    [count('cancelled'), 'cancelled'],
  ] as const;
  const rest = parts.filter(([some]) => some > 0).map(([some, what]) => `, ${some} ${what}`);
  return `${count('ok', 'attention')} of ${lanes.length} lanes done${rest.join('')}`;
}

/** What the run itself tells, also when it has ended; null when no worker answers, or there is no such run. */
export async function readFleetProgress(client: Client, workflowId: string): Promise<FleetProgress | null> {
  try {
    return await client.connection.withDeadline(Date.now() + askMs, () =>
      client.workflow.getHandle(workflowId).query<FleetProgress>(progressQuery),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof Error) return null;
    throw error;
  }
}
