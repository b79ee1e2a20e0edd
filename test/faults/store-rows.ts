// What an S3 server may do to an operation, at each kind of request: it dies as the request comes, or right after it has
// done it; refuses for longer than the SDK tries; loses an answer; cuts or alters one; or is gone for good. Each row is
// one operation that meets one of these, and then everything that was promised is looked at.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule, HttpFault } from '../bed/http-faults.ts';
import { type Aftermath, aftermath } from './aftermath.ts';
import type { FaultRig } from './fault-rig.ts';
import { restores, startOperation } from './operations.ts';
import type { OperationName } from './points.ts';
import { type LaneStage, prepare, within } from './run-row.ts';
import { StoreWatch } from './store-watch.ts';

const requests = {
  'segment put': (method, target) => method === 'PUT' && target.includes('/segments/'),
  'manifest put': (method, target) => method === 'PUT' && target.includes('/manifests/'),
  'tombstone put': (method, target) => method === 'PUT' && target.includes('/tombstones/'),
  'record put': (method, target) => method === 'PUT' && target.includes('/verifications/'),
  'segment get': (method, target) => method === 'GET' && target.includes('/segments/'),
  'manifest get': (method, target) => method === 'GET' && target.includes('/manifests/'),
  list: (method, target) => method === 'GET' && target.includes('versions'),
  'manifest delete': (method, target) => method === 'DELETE' && target.includes('/manifests/'),
  'segment delete': (method, target) => method === 'DELETE' && target.includes('/segments/'),
} satisfies Readonly<Record<string, FaultRule['when']>>;
type RequestName = keyof typeof requests;

type StoreFault = 'killed before' | 'killed after' | 'refuses' | 'lost answer' | 'cut answer' | 'flipped bit' | 'gone';

export interface StorePoint {
  readonly operation: OperationName;
  readonly request: RequestName;
  readonly fault: StoreFault;
}

const writing: readonly StoreFault[] = ['killed before', 'killed after', 'refuses', 'lost answer'];
const reading: readonly StoreFault[] = ['killed before', 'refuses', 'cut answer', 'flipped bit'];
const listing: readonly StoreFault[] = ['killed before', 'refuses'];

const places: readonly (readonly [OperationName, RequestName, readonly StoreFault[]])[] = [
  ['backup', 'segment put', writing],
  ['backup', 'manifest put', writing],
  ['backup', 'list', listing],
  ['restore', 'manifest get', reading],
  ['restore', 'segment get', [...reading, 'gone']],
  ['copy', 'segment get', reading],
  ['verify', 'segment get', reading],
  ['verify', 'list', listing],
  ['verify', 'record put', writing],
  ['expire', 'tombstone put', writing],
  ['expire', 'list', listing],
  ['removal', 'manifest delete', writing],
  ['removal', 'segment delete', writing],
];

export const storePoints: readonly StorePoint[] = places.flatMap(([operation, request, faults]) =>
  faults.map((fault) => ({ operation, request, fault })),
);

export interface StoreRow extends StorePoint, Omit<Aftermath, 'runs'> {
  readonly store: 's3';
  readonly outcome: string;
  readonly elapsedMs: number;
}

/** A dead server is away for so long. */
const awayMs = 1_500;
/** Longer than the SDK's four tries, shorter than Temporal's. */
const refusedMs = 4_000;

/** @throws Error when no such request was made: then the row says nothing */
export async function runStoreRow(stage: LaneStage, point: StorePoint): Promise<StoreRow> {
  const startedMs = Date.now();
  const { operation } = point;
  const { rig, lane } = stage;
  const looks = await prepare(stage, operation);
  // what the replica has already is not read from the store
  if (operation === 'copy') rmSync(join(rig.replicaPath, lane.lane), { recursive: true, force: true });
  const store = new StoreWatch(rig.rig.storePath);
  const fault = new FaultyServer(rig, point);
  try {
    const running = await startOperation(stage, operation);
    const outcome = await within(running.outcome());
    const hits = await fault.end();
    if (hits === 0) throw new Error(`no ${point.request} was asked of the server: ${outcome}`);
    const { runs: _, ...after } = await aftermath(stage, { running, looks, store });
    const broken = [...after.broken, ...brokenPromises(point, outcome, after.lane)];
    return { store: 's3', ...point, outcome, ...after, broken, elapsedMs: Date.now() - startedMs };
  } finally {
    await fault.end();
    store.stop();
  }
}

function brokenPromises({ operation }: StorePoint, outcome: string, lane: Aftermath['lane']): string[] {
  const wanted = restores(operation) ? 'restored' : 'as-before';
  return [
    ...(outcome === 'completed' ? [] : [`the server's fault ended it: ${outcome}`]),
    ...(outcome === 'completed' && lane !== wanted ? [`completed, and the lane is ${lane}`] : []),
  ];
}

const answers: Partial<Record<StoreFault, { readonly fault: HttpFault; readonly times?: number }>> = {
  refuses: { fault: { answer: 503, code: 'SlowDown' } },
  'killed after': { fault: 'lose-answer', times: 1 },
  'lost answer': { fault: 'lose-answer', times: 1 },
  'cut answer': { fault: 'cut-answer', times: 1 },
  'flipped bit': { fault: 'flip-answer', times: 1 },
};

/** The fault of a row, from when it is made until its end: then the server is there again. */
class FaultyServer {
  readonly #rig: FaultRig;
  readonly #fault: StoreFault;
  #hits = 0;
  #back: Promise<void> | undefined;

  constructor(rig: FaultRig, { request, fault }: StorePoint) {
    this.#rig = rig;
    this.#fault = fault;
    const answer = answers[fault];
    const onDone = (): void => (fault === 'killed after' ? this.#die() : undefined);
    rig.storeProxy.set({
      onDone,
      when: (method, target) => {
        if (!requests[request](method, target)) return false;
        this.#hits += 1;
        if (this.#hits === 1) this.#begin();
        return answer !== undefined;
      },
      fault: answer?.fault ?? 'stall', // never meant: without an answer no request is held
      ...(answer?.times === undefined ? {} : { times: answer.times }),
    });
  }

  #begin(): void {
    if (this.#fault === 'killed before') this.#die();
    if (this.#fault === 'gone') this.#rig.rig.s3?.server.kill();
    if (this.#fault === 'refuses') this.#back = sleep(refusedMs).then(() => this.#rig.storeProxy.set(undefined));
  }

  #die(): void {
    this.#rig.rig.s3?.server.kill();
    this.#back = sleep(awayMs).then(() => this.#restart());
  }

  async #restart(): Promise<void> {
    await this.#rig.rig.s3?.kill();
    await this.#rig.rig.s3?.restart();
  }

  /** How many such requests there were; may be called again. */
  async end(): Promise<number> {
    this.#rig.storeProxy.set(undefined);
    if (this.#fault === 'gone' && this.#hits > 0) this.#back ??= this.#restart();
    await this.#back;
    return this.#hits;
  }
}
