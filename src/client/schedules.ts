// The fleet's schedules in Temporal: what is to change, changing it, and what an operator does with single ones. Only ids
// of this fleet are touched. A pause outlives a change: it is somebody's decision.

import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { scheduleId } from '../contract/names.ts';
import type { PlannedSchedule } from '../contract/schedule-plan.ts';
import { Failure } from '../domain/failure.ts';
import { toFailure } from './failures.ts';
import { scheduleOptions, type ScheduleTerms, termsOfDescribed, termsOfPlanned } from './schedule-terms.ts';

/** One schedule that is not as the fleet file has it. */
export type ScheduleChange =
  | { readonly id: string; readonly change: 'create'; readonly to: ScheduleTerms }
  | {
      readonly id: string;
      readonly change: 'update';
      readonly fields: readonly FieldChange[];
      readonly paused: boolean;
    }
  | { readonly id: string; readonly change: 'remove' };

export interface FieldChange {
  readonly field: keyof ScheduleTerms;
  readonly from: string;
  readonly to: string;
}

/** What applying the plan would change, in its order; what is to be removed last. Changes nothing. */
export function compareSchedules(
  client: Client,
  fleet: string,
  planned: readonly PlannedSchedule[],
): Promise<ScheduleChange[]> {
  return translated(async () => {
    const changes: ScheduleChange[] = [];
    for (const one of planned) {
      const described = await describe(client, one.id);
      const change = described === undefined ? created(one) : updated(one, described);
      if (change !== undefined) changes.push(change);
    }
    const stray = (await idsOf(client, fleet)).filter((id) => !planned.some((one) => one.id === id));
    return [...changes, ...stray.map((id) => ({ id, change: 'remove' as const }))];
  });
}

/**
 * Makes Temporal's schedules those of the plan. May be called again, and by two at once: what another has done meanwhile
 * is seen and done no second time.
 * @returns what was changed
 */
export async function applySchedules(
  client: Client,
  fleet: string,
  planned: readonly PlannedSchedule[],
): Promise<ScheduleChange[]> {
  const changes = await compareSchedules(client, fleet, planned);
  await translated(async () => {
    for (const { id, change } of changes) {
      const one = planned.find((schedule) => schedule.id === id);
      if (one === undefined) await remove(client, id);
      else if (change !== 'create' || !(await createSchedule(client, one))) await update(client, one);
    }
  });
  return changes;
}

function created(one: PlannedSchedule): ScheduleChange {
  return { id: one.id, change: 'create', to: termsOfPlanned(one) };
}

function updated(one: PlannedSchedule, described: ScheduleDescription): ScheduleChange | undefined {
  const [from, to] = [termsOfDescribed(described), termsOfPlanned(one)];
  const fields = (Object.keys(to) as (keyof ScheduleTerms)[])
    .filter((field) => from[field] !== to[field])
    .map((field) => ({ field, from: String(from[field]), to: String(to[field]) }));
  if (fields.length === 0) return undefined;
  return { id: one.id, change: 'update', fields, paused: described.state.paused };
}

/** False when it is there already. */
export async function createSchedule(client: Client, one: PlannedSchedule): Promise<boolean> {
  try {
    await client.schedule.create({ scheduleId: one.id, ...scheduleOptions(one) });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

async function update(client: Client, one: PlannedSchedule): Promise<void> {
  await client.schedule.getHandle(one.id).update(({ state }) => ({ ...scheduleOptions(one), state }));
}

async function remove(client: Client, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

async function describe(client: Client, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** Ids that begin as this fleet's do. Temporal's list may lag behind by a second or two. */
async function idsOf(client: Client, fleet: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId: id } of client.schedule.list()) if (id.startsWith(scheduleId(fleet, ''))) ids.push(id);
  return ids.sort();
}

/** A schedule that Temporal holds. */
export interface HeldSchedule {
  /** `tier-a/mac-1` */
  readonly name: string;
  readonly terms: ScheduleTerms;
  readonly paused: boolean;
  /** Why it is paused, as who paused it said. */
  readonly note: string;
  readonly nextAt: string | null;
  readonly lastAt: string | null;
  readonly lastWorkflowId: string | null;
  /** How the last run ended (`COMPLETED`, `FAILED`, …), or `RUNNING`; null when there was none, or it is forgotten. */
  readonly lastOutcome: string | null;
  /** Runs that were missed for longer than the catch-up. */
  readonly missed: number;
}

/** Asked about at once: a fleet of a hundred lanes has some four hundred. */
const asked = 16;

export function listSchedules(client: Client, fleet: string): Promise<HeldSchedule[]> {
  return translated(async () => {
    const held: (HeldSchedule | undefined)[] = [];
    const ids = await idsOf(client, fleet);
    for (let at = 0; at < ids.length; at += asked)
      held.push(...(await Promise.all(ids.slice(at, at + asked).map((id) => lookUp(client, fleet, id)))));
    return held.filter((one) => one !== undefined);
  });
}

/** Undefined when it has been removed meanwhile. */
async function lookUp(client: Client, fleet: string, id: string): Promise<HeldSchedule | undefined> {
  const described = await describe(client, id);
  return described === undefined ? undefined : heldOf(client, fleet, described);
}

async function heldOf(client: Client, fleet: string, described: ScheduleDescription): Promise<HeldSchedule> {
  const { state, info } = described;
  const last = info.recentActions.at(-1);
  const lastWorkflow = last?.action.workflow;
  return {
    name: described.scheduleId.slice(scheduleId(fleet, '').length),
    terms: termsOfDescribed(described),
    paused: state.paused,
    note: state.note ?? '',
    nextAt: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    lastAt: last?.takenAt.toISOString() ?? null,
    lastWorkflowId: lastWorkflow?.workflowId ?? null,
    lastOutcome: lastWorkflow === undefined ? null : await outcomeOf(client, lastWorkflow.workflowId),
    missed: info.numActionsMissedCatchupWindow,
  };
}

async function outcomeOf(client: Client, workflowId: string): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch {
    // its retention in Temporal is over
    return null;
  }
}

export function pauseSchedule(client: Client, { fleet, name, note }: NamedSchedule & { note: string }): Promise<void> {
  return withSchedule({ fleet, name }, () => client.schedule.getHandle(scheduleId(fleet, name)).pause(note));
}

export function resumeSchedule(client: Client, { fleet, name, note }: NamedSchedule & { note: string }): Promise<void> {
  return withSchedule({ fleet, name }, () => client.schedule.getHandle(scheduleId(fleet, name)).unpause(note));
}

export function removeSchedule(client: Client, { fleet, name }: NamedSchedule): Promise<void> {
  return withSchedule({ fleet, name }, () => client.schedule.getHandle(scheduleId(fleet, name)).delete());
}

/**
 * Runs it once, also when it is paused, beside its times: now, or when the run that goes on is over. Temporal's preset
 * would let two runs go on at once, and the watches be told again what their last run told: only runs that may not overlap
 * are given the result of the one before.
 */
export function triggerSchedule(client: Client, { fleet, name }: NamedSchedule): Promise<void> {
  return withSchedule({ fleet, name }, () =>
    client.schedule.getHandle(scheduleId(fleet, name)).trigger(ScheduleOverlapPolicy.BUFFER_ONE),
  );
}

interface NamedSchedule {
  readonly fleet: string;
  readonly name: string;
}

/** InvalidInput when the fleet has no such schedule. */
async function withSchedule({ fleet, name }: NamedSchedule, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw toFailure(error);
    throw new Failure(
      'InvalidInput',
      `fleet ${fleet} has no schedule ${name.slice(0, 100)}: \`./clawback schedules list\` shows those that there are`,
      { field: 'NAME' },
    );
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFailure(error);
  }
}
