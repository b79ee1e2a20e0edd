// Follows a workflow until its end. Ctrl-C ends the following, never the workflow, and says so.

import type { Temporal } from '../client/connection.ts';
import { FleetFollower } from '../client/fleet-progress.ts';
import { type Following, readProgress } from '../client/progress.ts';
import { awaitResult, type Run } from '../client/run.ts';
import { type NeedsWorkers, readQueues } from '../client/workers.ts';
import { Failure } from '../domain/failure.ts';
import type { Cli } from './cli.ts';
import { ProgressMeter, type Shown } from './progress-meter.ts';
import { openView, type ProgressView, type ViewEnd } from './progress-view.ts';

const pollMs = 1_000;
/** For how long Temporal may be away while a workflow is followed: a server that is started again takes less. */
const silenceMs = 60_000;

export interface FollowRequest<R> {
  readonly run: Run<R>;
  readonly fleet: string;
  readonly lane: string;
  /** What stands before plain lines: `backup lane-1`. */
  readonly title: string;
  /** It enters no section of the lane. */
  readonly isSectionless?: boolean;
}

/**
 * The workflow's result.
 * @throws Failure what it ended with; Detached after Ctrl-C; TemporalUnreachable when it stays away for a minute
 */
export function follow<R>(cli: Cli, { client }: Temporal, request: FollowRequest<R>): Promise<R> {
  const { run, fleet, lane, title, isSectionless = false } = request;
  const look = (): Promise<Following> =>
    readProgress(client, { fleet, lane, workflowId: run.workflowId, isSectionless });
  return followBy(cli, { run, title, lane, look });
}

/** The same for a run over many lanes. */
export function followFleet<R>(
  cli: Cli,
  { client }: Temporal,
  { run, fleet, title }: Omit<FollowRequest<R>, 'lane'>,
): Promise<R> {
  const follower = new FleetFollower(client, fleet, run.workflowId);
  return followBy(cli, { run, title, look: () => follower.read(), tellsEnd: true });
}

interface Watched<R> {
  readonly run: Run<R>;
  readonly title: string;
  readonly lane?: string;
  /** A snapshot; never throws. */
  readonly look: () => Promise<Following>;
  /** Does it tell its end, too? Then that is what stands in the end. */
  readonly tellsEnd?: true;
}

async function followBy<R>(cli: Cli, { run, title, lane, look, tellsEnd }: Watched<R>): Promise<R> {
  const { interrupts } = cli.around;
  const view = openView(cli, title);
  const ended = new AbortController();
  const result = awaitResult(run, silenceMs).finally(() => ended.abort());
  const meter = new ProgressMeter(performance.now());
  const show = async (): Promise<Shown> => meter.take(await look(), performance.now(), Date.now());
  const watching = watch(show, view, AbortSignal.any([ended.signal, interrupts.signal]));
  let how: ViewEnd = 'failed';
  try {
    const answer = await interrupts.unlessInterrupted(result);
    how = answer ? 'done' : 'left';
    if (answer) return answer.value;
  } finally {
    await watching;
    if (how === 'done' && tellsEnd) view.show(await show());
    view.end(how);
  }
  throw new Failure('Detached', `detached: ${run.workflowId} goes on without you`, {
    workflowId: run.workflowId,
    ...(lane !== undefined && { lane }),
  });
}

async function watch(look: () => Promise<Shown>, view: ProgressView, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const shown = await look();
    if (!signal.aborted) view.show(shown);
    await pause(signal);
  }
}

function pause(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, pollMs);
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) resolve();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
}

/** Says at once which queues have no worker: the operation waits for them. */
export async function warnOfMissingWorkers(cli: Cli, temporal: Temporal, operation: NeedsWorkers): Promise<void> {
  const missing = (await readQueues(temporal.client, operation)).filter(({ polled }) => !polled);
  if (missing.length === 0) return;
  const names = missing.map(({ queue }) => queue).join(', ');
  cli.warn(
    `no worker polls ${names}: this waits until one does (./clawback worker --queues ${missing.map(({ role }) => role).join(',')})`,
  );
}

export function sayHowToFollow(cli: Cli, workflowId: string): void {
  cli.note(`workflow ${workflowId}`);
  cli.note(cli.paint('dim', 'Ctrl-C only stops watching; `./clawback cancel` with this id ends it'));
}
