// `status`: each lane's gateway, what runs on it, its backups against the RPO, its journal. Every part is looked at by
// itself: what cannot be seen says why, and hides nothing else.

import { Command } from 'commander';
import type { Temporal } from '../../client/connection.ts';
import { readFleetRuns, readQueues, readSection, type SectionHolder } from '../../client/workers.ts';
import { type HeldSchedule, listSchedules } from '../../client/schedules.ts';
import { readWatch } from '../../client/watch-view.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import { type ExitName, Failure } from '../../domain/failure.ts';
import { lookAtCaptures } from '../captures.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { probeLanes, type Seen } from '../lane-probe.ts';
import { parseLane } from '../parse.ts';
import { concernsOf, type FleetStatus, statusText, type TemporalStatus } from '../status-text.ts';
import { findWhereabouts } from '../whereabouts.ts';

export function statusCommand(cli: Cli): Command {
  const command = new Command('status')
    .description('how the lanes are: gateway, running work, age of backups against the RPO, restores')
    .argument('[LANE]', 'one lane (default: all)', parseLane('LANE'))
    .action(cli.action((lane: string | undefined) => status(cli, lane)));
  return documented(command, {
    examples: ['./clawback status', './clawback status lane-1', './clawback --json status'],
    json: [
      'each part is `seen`: the value, or `unseen`: why not, as `code` and `message`',
      '`fleet`; `temporal`: `address`, `namespace`, `queues` (a list of `role`, `queue`, `polled`), `runs` over many lanes that go on (a list of `workflowId`, `type`, `startedAt`), `watch`: what the watch saw last, or null (`at`; `signals`, a list of `scenario`, `subject`, `code`, `since`, `text`; `held`, `away`, `cutOff`, `blind`; `tries`: by lane, the `count` of sections that did not settle it, and `lastMs`)',
      '`schedules`: a list of `name`, `terms` (as `schedules list` has them), `paused`, `note`, `nextAt`, `lastAt`, `lastWorkflowId`, `lastOutcome`, `missed` (runs, ever, that came too late to be made up for); of one lane: its own and those of its host',
      '`lanes`: a list of `lane`, `host`, `rpoMs`, `gateway`, `restore`, `section`, `captures`, `copies`',
      '`gateway`: `loaded`, `disabled`, `pid`, `lastExit`, `healthy`',
      '`restore`: `unsettled` (`restore`, `phase`) or null; `kept` (`restore`, `restoredAt`, `until`) or null',
      '`section`: `operation`, `startedAt`, `startedBy`, `workflowId`, or null',
      '`captures`: `class1`, `class2` (`bundle`, `capturedAt`, `ageMs`, or null), `passedOver` (a list of `bundle`, `why`), `instead`: the `replica` that was read and `why`, where the store does not answer, or null',
      "`copies`, null where the store has no replica: `stores`, the lane's store and its replica (`store`, `region`, `bundles`, `newest` or null, `onlyHere`: those that the other one lacks, or null; of one that does not answer `store`, `region`, `code`, `message`), `lagMs`: how much older the replica's newest is, or null; `uncopiedMs`: since when the replica lacks the store's newest, or null",
      '`concerns`: what wants attention, a text each',
    ],
    notes: [
      'It changes nothing, and logs in on the hosts with the SSH key of the fleet file. Exit status 5 when something wants attention, 6 when Temporal does not answer.',
    ],
  });
}

async function status(cli: Cli, only: string | undefined): Promise<Outcome> {
  const file = only === undefined ? await cli.loadFleet() : await cli.stakeLane(only);
  const lanes = only === undefined ? Object.keys(file.fleet.lanes) : [only];
  const found = await lookAtFleet(cli, file, lanes);
  const concerns = concernsOf(found);
  const silent: ExitName = 'unseen' in found.temporal ? 'unreachable' : 'attention';
  return { json: { ...found, concerns }, text: statusText(found, concerns), exit: concerns.length > 0 ? silent : 'ok' };
}

async function lookAtFleet(cli: Cli, file: FleetFile, lanes: readonly string[]): Promise<FleetStatus> {
  const [states, work, captures, copies] = await Promise.all([
    probeLanes(file, lanes),
    lookAtTemporal(cli, file, lanes),
    Promise.all(lanes.map((lane) => lookAtCaptures(file, lane, Date.now()))),
    Promise.all(lanes.map((lane) => findWhereabouts(file, lane, Date.now()))),
  ]);
  return {
    fleet: file.fleet.fleet,
    temporal: 'unseen' in work ? work : { seen: work.seen.temporal },
    schedules: 'unseen' in work ? work : work.seen.schedules,
    lanes: states.map((state, at) => ({
      ...state,
      rpoMs: file.laneSpec(state.lane).rpoMs,
      section: 'unseen' in work ? work : { seen: work.seen.sections[at] ?? null },
      captures: captures[at] as (typeof captures)[number],
      copies: copies[at] ?? null,
    })),
  };
}

interface Work {
  readonly temporal: TemporalStatus;
  readonly sections: readonly (SectionHolder | null)[];
  readonly schedules: Seen<readonly HeldSchedule[]>;
}

function lookAtTemporal(cli: Cli, file: FleetFile, lanes: readonly string[]): Promise<Seen<Work>> {
  return seenOr(() => cli.withTemporal((temporal) => readWork(temporal, file, lanes)));
}

async function seenOr<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await look() };
  } catch (error) {
    if (error instanceof Failure) return { unseen: { code: error.code, message: error.message } };
    throw error;
  }
}

/** Of single lanes: theirs, those of their hosts, and the watches. */
async function schedulesOf(
  { client }: Temporal,
  { fleet }: FleetFile,
  lanes: readonly string[],
): Promise<readonly HeldSchedule[]> {
  const held = await listSchedules(client, fleet.fleet);
  if (lanes.length === Object.keys(fleet.lanes).length) return held;
  const owners = new Set(lanes.flatMap((lane) => [lane, fleet.lanes[lane]?.host]));
  return held.filter(({ name }) => !name.includes('/') || owners.has(name.slice(name.indexOf('/') + 1)));
}

async function readWork(temporal: Temporal, file: FleetFile, lanes: readonly string[]): Promise<Work> {
  const { client, address, namespace } = temporal;
  const queues = await readQueues(client, 'any');
  const sections = await Promise.all(lanes.map((lane) => readSection(client, file.fleet.fleet, lane)));
  const runs = await readFleetRuns(client);
  const watch = await readWatch(client, file.fleet.fleet);
  const schedules = await seenOr(() => schedulesOf(temporal, file, lanes));
  return { temporal: { address, namespace, queues, runs, watch }, sections, schedules };
}
