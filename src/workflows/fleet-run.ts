// Many lanes under one clock: every lane by a workflow of its own, as many at once as the caps and the disks allow. One
// lane's failure stops no other and stands in its row; cancelling the run cancels all lanes, and waits until each has
// put its own right.

import { CancelledFailure } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  ParentClosePolicy,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { FleetLaneRow, FleetResult, VolumeRow } from '../contract/fleet-run.ts';
import { searchAttributes, workflowNames } from '../contract/names.ts';
import type { FleetDescription, LaneChoice, RestoreRoom } from '../contract/step-types.ts';
import { bundleIdOf } from '../domain/terms.ts';
import { Admission, type Claim, streamShares } from './admission.ts';
import { besideTimer } from './beside-timer.ts';
import { fleetDoneDetails } from './details.ts';
import { asOwnFailure, workflowFailure } from './failures.ts';
import { FleetBoard } from './fleet-board.ts';
import { type Done, doneRow, failedRow, type FleetLane, resultOf, type RowStart, verdictOf } from './fleet-rows.ts';
import { host } from './steps.ts';

/** What a fleet run does to each of its lanes. */
export interface FleetWork<R> {
  readonly kind: FleetResult['kind'];
  /** Of the children's workflow ids: `backup`, `restore`, `plan-restore`. */
  readonly word: string;
  readonly choice: LaneChoice;
  /** A recovery of live lanes, which has an objective. */
  readonly hasRto: boolean;
  /** Called before anything is started; throws InvalidInput when the input does not fit the fleet. */
  readonly check: (fleet: FleetDescription) => void;
  /** What a lane will take, where that has to be known first. Throws what it cannot be restored for. */
  readonly measure: ((lane: FleetLane) => Promise<RestoreRoom>) | null;
  /** Does it write what was measured? A plan does not. */
  readonly writes: boolean;
  readonly input: (lane: FleetLane, room: RestoreRoom | null) => object;
  readonly row: (result: R) => Done;
}

export async function runFleet<R>(work: FleetWork<R>): Promise<FleetResult> {
  const board = new FleetBoard(workflowInfo().startTime.getTime());
  const fleet = await describe(work.choice);
  work.check(fleet);
  board.opened(fleet, work.hasRto);
  const run = new FleetRun(work, fleet, board);
  const result = await besideRto(work.hasRto ? fleet.rtoMs : null, board, () => run.whole());
  setCurrentDetails(fleetDoneDetails(result));
  if (CancellationScope.current().consideredCancelled && result.counts.cancelled > 0)
    throw new CancelledFailure(`the ${work.kind} of the fleet was cancelled; each lane's row says what it is now`);
  upsertSearchAttributes([{ key: searchAttributes.verdict, value: verdictOf(result) }]);
  return result;
}

async function describe(choice: LaneChoice): Promise<FleetDescription> {
  try {
    return await host.describeFleet(choice);
  } catch (error) {
    throw asOwnFailure(error);
  }
}

/** The RTO of the whole is a timer beside the work: when it runs out while lanes go on, that is said at once. */
function besideRto<T>(rtoMs: number | null, board: FleetBoard, work: () => Promise<T>): Promise<T> {
  if (rtoMs === null) return work();
  const name = `RTO of the fleet (${rtoMs / 60_000} min)`;
  const leftMs = rtoMs - (Date.now() - workflowInfo().startTime.getTime());
  return besideTimer({ name, leftMs, onLate: () => board.overBudget(name) }, work);
}

class FleetRun<R> {
  readonly #work: FleetWork<R>;
  readonly #fleet: FleetDescription;
  readonly #board: FleetBoard;
  readonly #admission: Admission;
  readonly #runMs = workflowInfo().startTime.getTime();
  readonly #volumes = new Map<string, VolumeRow>();

  constructor(work: FleetWork<R>, fleet: FleetDescription, board: FleetBoard) {
    this.#work = work;
    this.#fleet = fleet;
    this.#board = board;
    this.#admission = new Admission(fleet.caps);
  }

  /** Never throws for a lane's sake. */
  async whole(): Promise<FleetResult> {
    const { lanes: described, caps, fleetDigest } = this.#fleet;
    const shares = streamShares(described, caps);
    const lanes = described.map((lane): FleetLane => ({ ...lane, fleetDigest, streams: shares.get(lane.lane) ?? 1 }));
    const byHost = [...Map.groupBy(lanes, (lane) => lane.host).values()];
    const rows = (await Promise.all(byHost.map((some) => this.#onHost(some)))).flat();
    const { kind, hasRto } = this.#work;
    return resultOf({
      kind,
      hasRto,
      fleet: this.#fleet,
      runMs: this.#runMs,
      rows: lanes.flatMap(({ lane }) => rows.find((row) => row.lane === lane) ?? []),
      volumes: [...this.#volumes.values()],
    });
  }

  /** Lanes that may share a volume are all measured before the first of them writes; a silent host holds up no other. */
  async #onHost(lanes: readonly FleetLane[]): Promise<FleetLaneRow[]> {
    const measured = await Promise.all(lanes.map(async (lane) => ({ lane, ...(await this.#measure(lane)) })));
    for (const { lane, room } of measured) if (room) this.#note(lane, room);
    return Promise.all(
      measured.map(async ({ lane, room, row = null }) => {
        const ended = row ?? (await this.#lane(lane, room));
        this.#board.ended(ended);
        return ended;
      }),
    );
  }

  async #measure(lane: FleetLane): Promise<{ readonly room: RestoreRoom | null; readonly row?: FleetLaneRow }> {
    if (!this.#work.measure) return { room: null };
    this.#board.lane(lane.lane, 'measuring');
    try {
      const room = await this.#work.measure(lane);
      this.#board.lane(lane.lane, 'waiting');
      return { room };
    } catch (error) {
      return { room: null, row: failedRow(this.#unstarted(lane), error, null) };
    }
  }

  #unstarted(lane: FleetLane): RowStart {
    return { lane, workflowId: null, runMs: this.#runMs, startedMs: null };
  }

  #note({ lane, host: name }: FleetLane, { volume, freeBytes, neededBytes }: RestoreRoom): void {
    const key = volumeKey(name, volume);
    this.#admission.measured(key, freeBytes);
    const known = this.#volumes.get(key) ?? { host: name, volume, lanes: [], freeBytes, neededBytes: 0 };
    this.#volumes.set(key, {
      ...known,
      lanes: [...known.lanes, lane],
      freeBytes: Math.min(known.freeBytes, freeBytes),
      neededBytes: known.neededBytes + neededBytes,
    });
  }

  async #lane(lane: FleetLane, room: RestoreRoom | null): Promise<FleetLaneRow> {
    const reserved = this.#work.writes ? room : null;
    const claim: Claim = {
      ...lane,
      room: reserved && { volume: volumeKey(lane.host, reserved.volume), neededBytes: reserved.neededBytes },
    };
    try {
      await this.#enter(lane, claim, reserved);
    } catch (error) {
      return failedRow(this.#unstarted(lane), error, room);
    }
    const row = await this.#child(lane, room);
    // a live restore that stands keeps the old tree beside the new one; a sandbox is gone, a failed restore went back
    this.#admission.leave(claim, row.after === 'restored' ? 'kept' : 'released');
    return row;
  }

  /** Returns when it is the lane's turn. DiskTooFull when its volume cannot hold it, even alone. */
  async #enter(lane: FleetLane, claim: Claim, room: RestoreRoom | null): Promise<void> {
    const verdict = await this.#admission.enter(claim, CancellationScope.current().cancelRequested);
    if (verdict === 'go' || !room || !claim.room) return;
    const { freeBytes } = verdict === 'stale' && this.#work.measure ? await this.#work.measure(lane) : room;
    this.#admission.measured(claim.room.volume, freeBytes);
    // others may have come in while it was measured: then it waits once more
    if (verdict === 'stale' && freeBytes >= room.neededBytes) return this.#enter(lane, claim, room);
    throw workflowFailure(
      'DiskTooFull',
      `the volume of lane ${lane.lane} has ${freeBytes} bytes free, the staging tree needs ${room.neededBytes}`,
      { lane: lane.lane, expectedBytes: room.neededBytes, actualBytes: freeBytes },
    );
  }

  async #child(lane: FleetLane, room: RestoreRoom | null): Promise<FleetLaneRow> {
    const workflowId = `${this.#work.word}/${lane.lane}/${bundleIdOf(this.#runMs, workflowInfo().runId)}`;
    const start: RowStart = { lane, workflowId, runMs: this.#runMs, startedMs: Date.now() };
    this.#board.lane(lane.lane, 'running', workflowId);
    try {
      const result = await this.#execute(lane, room, workflowId);
      return doneRow(start, this.#work.row(result), this.#fleet.rtoMs);
    } catch (error) {
      return failedRow(start, error, room);
    }
  }

  #execute(lane: FleetLane, room: RestoreRoom | null, workflowId: string): Promise<R> {
    const { kind, word, input } = this.#work;
    const type = kind === 'backup' ? workflowNames.backupLane : workflowNames.restoreLane;
    return executeChild<(input: unknown) => Promise<R>>(type, {
      workflowId,
      args: [input(lane, room)],
      staticSummary: `${word} ${lane.lane}, by ${workflowInfo().workflowId}`,
      typedSearchAttributes: [
        { key: searchAttributes.host, value: lane.host },
        { key: searchAttributes.lane, value: lane.lane },
      ],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowTaskTimeout: '5s',
    });
  }
}

function volumeKey(name: string, volume: string): string {
  return `${name}\n${volume}`;
}
