// The plan of a recovery from a loss: where the lanes of each lost host go, how that host is fenced, what a hook does and
// what somebody has to do by hand. Where nothing fits, the plan says why.

import type { HookKind } from '../contract/hooks.ts';
import type { PlanDraft, PlannedStep } from '../contract/incident-plan.ts';
import type { LostHost, Refuge } from '../contract/losses.ts';
import { formatBytes } from '../domain/quantity.ts';
import { workflowFailure } from './failures.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { vault } from './steps.ts';

/** What is lost. */
export interface Loss {
  readonly hosts: readonly string[];
  readonly lostRegion?: string | undefined;
}

/** Looking, preparing, fencing and DNS, beside the restores: a minute each, and five for a hook that powers off. */
const fixedMs = 8 * 60_000;
/** A provider's machine: what renting a Mac takes is not known here; shown apart in the receipt. */
const provisionMs = 20 * 60_000;

export async function planLoss(desk: IncidentDesk, loss: Loss): Promise<PlanDraft> {
  const { fleetDigest } = desk.brief;
  const { kinds } = await vault.describeHooks({ fleetDigest });
  const request = { fleetDigest, ...loss };
  const [lost, refuges] = await Promise.all([
    vault.describeLost(request),
    vault.findRefuge({ ...request, standby: desk.input.standby }),
  ]);
  requireStandby(desk.input.standby, refuges);
  const pairs = lost.flatMap((host) => {
    const refuge = refuges.find((one) => one.host === host.host);
    return refuge === undefined || refuge.lanes.length === 0 ? [] : [{ host, refuge }];
  });
  if (pairs.length === 0) throw nothingLeft(refuges);
  return {
    steps: pairs.flatMap((pair) => [...stepsOf(pair, kinds), ...gateStep(pair, desk, loss)]),
    lanes: pairs.flatMap(({ host, refuge }) =>
      refuge.lanes.map(({ lane, fromReplica }) => ({
        lane,
        toHost: refuge.to ?? host.newName,
        fromReplica,
        layered: true,
      })),
    ),
    fixedMs: fixedMs + (pairs.some(({ refuge }) => refuge.to === null) ? provisionMs : 0),
    warnings: refuges.flatMap(({ notes, beyond }) => [
      ...beyond.map(({ why }) => `NOT RECOVERED: ${why}`),
      ...notes.map((note) => `passed over: ${note}`),
    ]),
  };
}

function requireStandby(wanted: string | undefined, refuges: readonly Refuge[]): void {
  if (wanted === undefined || refuges.some(({ to }) => to === wanted)) return;
  const notes =
    refuges.flatMap((refuge) => refuge.notes).join('; ') || 'it is no standby of the profile, outside the loss';
  throw workflowFailure('NoStandby', `host ${wanted} cannot take the lanes over: ${notes}`, { host: wanted });
}

function nothingLeft(refuges: readonly Refuge[]): unknown {
  const why = refuges.flatMap(({ beyond }) => beyond.map((one) => one.why)).join('; ') || 'no lane was there';
  return workflowFailure('NoRestorePoint', `nothing can be brought back: ${why}`);
}

interface Pair {
  readonly host: LostHost;
  readonly refuge: Refuge;
}

function stepsOf({ host, refuge }: Pair, kinds: readonly HookKind[]): PlannedStep[] {
  const { host: lost } = host;
  const to = refuge.to ?? host.newName;
  const lanes = refuge.lanes.map(({ lane }) => lane);
  const named = lanes.join(', ');
  const by = (kind: HookKind, does: string): PlannedStep =>
    kinds.includes(kind)
      ? { step: kind, host: lost, what: `the ${kind} hook ${does}` }
      : { step: `${kind}-by-hand`, host: lost, what: `BY HAND, for there is no ${kind} hook: somebody ${does}` };
  return [
    refuge.to === null
      ? by('provision', `gives a new Mac in ${host.newRegion} for ${named}; it gets the name ${host.newName}`)
      : {
          step: 'standby',
          host: lost,
          what: `${named} go to the standby ${to}, which has room for ${formatBytes(refuge.neededBytes)}`,
        },
    by('fence', `powers ${lost} off or revokes its channel tokens, before anything is started elsewhere`),
    {
      step: 'prepare',
      host: to,
      what: `accounts and OpenClaw ${refuge.version ?? 'of the bundles'} are made ready there`,
    },
    ...lanes.map((lane) => ({
      step: 'restore',
      lane,
      host: to,
      what: 'restore it there, until a test message is answered',
    })),
    by('dns', `points names at ${to}`),
    {
      step: 'guard',
      host: lost,
      what: `when ${lost} answers again, its gateways of ${named} are stopped and disabled`,
    },
  ];
}

/** The procedure has it after the loss of one host. It runs for days and drills: a rehearsal leaves none behind. */
function gateStep({ host, refuge }: Pair, { input }: IncidentDesk, { lostRegion }: Loss): PlannedStep[] {
  if (lostRegion !== undefined || input.rehearse) return [];
  const what = `when its lanes answer, the 7-day gate of ${refuge.to ?? host.newName} begins`;
  return [{ step: 'gate', host: host.host, what }];
}
