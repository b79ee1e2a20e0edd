// One Temporal server, a worker for each queue, and a fleet in memory. Opened once for a file of tests; lanes are
// as many as there are names, so that tests beside each other do not meet. `close` ends everything, also after a failure.

import type { Client, WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { describeHolder } from '../../src/client/temporal-view.ts';
import { toFailure } from '../../src/client/failures.ts';
import type { Operation } from '../../src/contract/inputs.ts';
import { queueRoles, queues, searchAttributes, workflowNames } from '../../src/contract/names.ts';
import type { BackupResult, RestoreResult, SectionResult } from '../../src/contract/results.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { type FakeLane, fleetDigest } from './fake-lane.ts';
import { fakeActivities, FakeFleet } from './fake-steps.ts';

export interface BenchOptions {
  /** `dev`: the full server in real time. `skipping`: timers pass at once; only what awaits its children. */
  readonly server: 'dev' | 'skipping';
  readonly program: string;
  /** Path of the bundled workflows. */
  readonly bundle: string;
}

export type Handle<R = unknown> = WorkflowHandle<() => Promise<R>>;

let installed = false;

/** Once for a process. Failing activities are the point of these tests, so that their warnings say nothing. */
export function installRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
  });
}

async function openServer({ server, program }: BenchOptions): Promise<TestWorkflowEnvironment> {
  const executable = { type: 'existing-path', path: program } as const;
  if (server === 'skipping') {
    const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
    await registerAttributes(env);
    return env;
  }
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable,
      searchAttributes: Object.values(searchAttributes),
      log: { format: 'pretty', level: 'error' },
    },
  });
}

/** This server cannot list what it has, but takes what it is told. */
async function registerAttributes(env: TestWorkflowEnvironment): Promise<void> {
  const keyword = 2;
  await env.client.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map(({ name }) => [name, keyword])),
  });
}

export class Bench {
  readonly fleet: FakeFleet;
  readonly client: Client;
  readonly #env: TestWorkflowEnvironment;
  readonly #workers: readonly Worker[];
  readonly #running: Promise<unknown>;
  #runs = 0;

  private constructor(env: TestWorkflowEnvironment, fleet: FakeFleet, workers: readonly Worker[]) {
    this.#env = env;
    this.fleet = fleet;
    this.client = env.client;
    this.#workers = workers;
    this.#running = Promise.all(workers.map((worker) => worker.run()));
    // told by `close`; until then a worker that died shows as a test that waits in vain
    this.#running.catch(() => undefined);
  }

  static async open(options: BenchOptions): Promise<Bench> {
    installRuntime();
    const env = await openServer(options);
    try {
      const fleet = new FakeFleet();
      const holderOf = ({ workflowId }: { workflowId: string }) => describeHolder(env.client, workflowId);
      const workers = await Promise.all(
        queueRoles.map((role) =>
          Worker.create({
            connection: env.nativeConnection,
            namespace: env.namespace ?? 'default',
            taskQueue: queues[role],
            activities: fakeActivities(fleet, role, holderOf),
            ...(role === 'host' ? { workflowBundle: { codePath: options.bundle } } : {}),
            maxHeartbeatThrottleInterval: 100,
            defaultHeartbeatThrottleInterval: 100,
            shutdownGraceTime: 1_000,
          }),
        ),
      );
      return new Bench(env, fleet, workers);
    } catch (error) {
      await env.teardown();
      throw error;
    }
  }

  /** Of a server that skips: lets so much time pass at once. */
  pass(ms: number): Promise<void> {
    return this.#env.sleep(ms);
  }

  async close(): Promise<void> {
    try {
      for (const worker of this.#workers) worker.shutdown();
      await this.#running;
    } finally {
      await this.#env.teardown();
    }
  }

  /** A lane of its own for a test. */
  lane(name: string): FakeLane {
    return this.fleet.lane(name);
  }

  start<R>(workflow: string, input: unknown, workflowId = this.#nextId(workflow)): Promise<Handle<R>> {
    return this.client.workflow.start(workflow, {
      taskQueue: queues.host,
      workflowId,
      args: [input],
      workflowTaskTimeout: '5s',
    }) as Promise<Handle<R>>;
  }

  backup({ name }: FakeLane, input: object = {}): Promise<Handle<BackupResult>> {
    return this.start(workflowNames.backupLane, { lane: name, tier: 'B', ...input });
  }

  restore({ name }: FakeLane, input: object = {}): Promise<Handle<RestoreResult>> {
    return this.start(workflowNames.restoreLane, { lane: name, ...input });
  }

  /** A section without a parent: all that the time-skipping server can run. */
  section({ name, id }: FakeLane, operation: Operation): Promise<Handle<SectionResult>> {
    return this.start(workflowNames.laneSection, { lane: name, fleetDigest, operation }, id);
  }

  /** @param runId the newest run when left out */
  handle(workflowId: string, runId?: string): Handle {
    return this.client.workflow.getHandle(workflowId, runId);
  }

  #nextId(workflow: string): string {
    this.#runs += 1;
    return `${workflow}-${this.#runs}`;
  }
}

/** What an operator would read of a run that failed; fails when it did not. */
export async function failureOf(handle: Handle): Promise<Failure> {
  let answer: unknown;
  try {
    answer = await handle.result();
  } catch (error) {
    return toFailure(error);
  }
  throw new Error(`${handle.workflowId} was to fail, and answered ${JSON.stringify(answer)}`);
}

/** Asks until it is so: the server tells nobody when a workflow has come somewhere. */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** However it ends. */
export async function ended(handle: Handle): Promise<Handle> {
  await handle.result().catch(() => undefined);
  return handle;
}

export async function statusOf(handle: Handle): Promise<string> {
  const { status } = await handle.describe();
  return status.name;
}

/** Has a request to cancel come to it? It comes to a section by way of its parent, some time after that was asked. */
export async function isCancelRequested(handle: Handle): Promise<boolean> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).some((event) => event.workflowExecutionCancelRequestedEventAttributes);
}
