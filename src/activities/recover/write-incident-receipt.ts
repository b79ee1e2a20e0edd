// Signs what an incident did, however it ended, and puts it beside its subject's receipts: created, never overwritten.

import type { IncidentReceiptRequest, IncidentSteps } from '../../contract/incident-plan.ts';
import type { RecordedStep } from '../../contract/receipt-types.ts';
import { isFailure } from '../../domain/failure.ts';
import { subjectKinds } from '../../domain/incident.ts';
import { limits } from '../../domain/limits.ts';
import {
  encodeIncidentReceipt,
  type IncidentReceipt,
  incidentReceiptKey,
  type IncidentSubject,
} from '../../receipt/incident-receipt.ts';
import { isSilence, isWorthWaiting } from '../copied-store.ts';
import type { ActivityAttempts, Deps } from '../deps.ts';
import { hostKeyFingerprint } from '../receipts/write-receipt.ts';
import { activity } from '../step.ts';

export function writeIncidentReceiptStep(deps: Deps): IncidentSteps['writeIncidentReceipt'] {
  return activity(async (request, { signal, attempt, scheduledAtMs }) => {
    const { privateKeyPem } = await deps.keys.receiptSigner();
    const { incident: id, runId } = request.state;
    const ran = await deps.temporal.activityAttempts({ id, runId });
    const worker = { version: deps.version, offsetMs: Math.round(Date.now() - scheduledAtMs), fleet: deps.fleet };
    const receipt = buildIncidentReceipt(request, ran, worker);
    const bytes = encodeIncidentReceipt(receipt, subjectsOf(request), privateKeyPem);
    const put = async (store: string): Promise<void> => {
      try {
        await deps.store(store).put(incidentReceiptKey(receipt.subject, receipt.id), bytes, { signal });
      } catch (error) {
        // the same run wrote it, in an attempt whose answer was lost
        if (!isFailure(error, 'ObjectExists')) throw error;
      }
    };
    const { store, replica } = request;
    try {
      await put(store);
    } catch (error) {
      if (replica === undefined || !isSilence(error) || isWorthWaiting(error, attempt)) throw error;
      await put(replica);
    }
    return { receipt: receipt.id };
  });
}

type State = IncidentReceiptRequest['state'];

/** The manifests of the plan; the fleet file where it has none. */
function subjectsOf({ state: { plan }, fleetDigest }: IncidentReceiptRequest): IncidentSubject[] {
  const used = new Map(
    plan?.lanes.flatMap(({ used: of }) => of.map((one) => [one.bundle, one.manifestSha256] as const)) ?? [],
  );
  const manifests = [...used].map(([name, sha256]) => ({ name, sha256 }));
  return manifests.length > 0 ? manifests : [{ name: 'fleet.yaml', sha256: fleetDigest }];
}

/** The worker that signs, and the file that it holds. */
export interface Signing {
  readonly version: string;
  readonly offsetMs: number;
  readonly fleet: Pick<Deps['fleet'], 'hostTarget' | 'hostFacts' | 'laneSpec'>;
}

/** A pure function of the incident's state, its history and who signs. */
export function buildIncidentReceipt(
  { id, state, steps }: IncidentReceiptRequest,
  ran: readonly ActivityAttempts[],
  { version, offsetMs, fleet }: Signing,
): IncidentReceipt {
  const { plan, outcome, approval, signal, rto, declined } = state;
  const escalation = outcome?.escalation ?? null;
  return {
    id,
    kind: 'incident',
    fleet: state.fleet,
    scenario: state.scenario,
    subject: state.subject,
    workflow: { id: state.incident, runId: state.runId },
    openedBy: state.openedBy,
    rehearsal: state.rehearsal,
    signal,
    since: state.since,
    startedAt: state.openedAt,
    endedAt: state.endedAt ?? state.openedAt,
    clearedAt: state.clearedAt,
    plan: plan && {
      digest: plan.digest,
      fleetSha256: plan.fleetDigest,
      estimatedRtoMs: plan.estimatedRtoMs,
      ask: plan.ask && cut(plan.ask),
      steps: plan.steps.map(({ step, what, lane = null, host = null }) => ({ step, what: cut(what), lane, host })),
    },
    approval,
    hands: state.hands
      .slice(0, limits.receiptSteps)
      .map(({ what, address = null, port = null, user = null, hostKey = null, ...hand }) => ({
        ...hand,
        what: cut(what),
        address,
        port,
        user,
        hostKey,
      })),
    declined,
    hosts: hostsOf(state, fleet),
    lanes: lanesOf(state, fleet),
    steps: steps.slice(0, limits.receiptSteps).map((step) => attempted(step, ran)),
    rto,
    pruned: (outcome?.pruned ?? []).map(({ lane, freeBeforeBytes, freeAfterBytes, kinds }) => ({
      lane,
      freeBeforeBytes,
      freeAfterBytes,
      removedBytes: kinds.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    })),
    outcome: state.phase,
    failure: state.code,
    escalation: escalation === null ? null : cut(escalation),
    versions: { clawback: version },
    clocks: { workerOffsetMs: offsetMs },
    warnings: [...state.warnings, ...(plan?.warnings ?? [])].slice(0, limits.receiptWarnings).map(cut),
    disclaimers: approval?.waiveFence === true ? ['UNFENCED: the lost host may still write'] : [],
  };
}

/** By name; a machine that was brought is not in the file, and one that the file has no longer is known by nothing. */
function hostsOf({ plan, scenario, subject, brought }: State, fleet: Signing['fleet']): IncidentReceipt['hosts'] {
  const names = [
    ...(subjectKinds[scenario] === 'host' ? [subject] : []),
    ...(plan?.lanes ?? []).flatMap(({ host, toHost }) => [host, ...(toHost === undefined ? [] : [toHost])]),
  ];
  return [...new Set(names)].flatMap((name) => {
    const own = brought.find(({ host }) => host === name)?.record;
    const hostKey = own?.hostKey ?? fleet.hostTarget(name)?.hostKey;
    if (hostKey === undefined) return [];
    const region = own?.region ?? fleet.hostFacts(name)?.region ?? null;
    return [{ name, region, hostKey: hostKeyFingerprint(hostKey) }];
  });
}

/** Null when the file has the lane no longer. */
function profileOf(fleet: Signing['fleet'], lane: string): string | null {
  try {
    return fleet.laneSpec(lane).target.profile;
  } catch (error) {
    if (isFailure(error, 'UnknownLane')) return null;
    throw error;
  }
}

function lanesOf({ plan, outcome }: State, fleet: Signing['fleet']): IncidentReceipt['lanes'] {
  return (plan?.lanes ?? []).map(({ lane, host, toHost = null, bundle, tier, proven, store, rpo, lost, ...of }) => {
    const became = outcome?.lanes.find((one) => one.lane === lane);
    return {
      lane,
      host,
      toHost,
      workflowId: became?.workflowId ?? null,
      bundle,
      bundles: of.used.map(({ bundle: id, manifestSha256, tier: held }) => ({
        bundle: id,
        manifestSha256,
        tier: held,
      })),
      profile: profileOf(fleet, lane),
      openclaw: of.openclaw ?? null,
      tier,
      proven,
      store,
      rpo: rpo.map(({ ageMs, ...one }) => ({ ...one, ms: Math.round(ageMs) })),
      lost: lost.slice(0, 8).map(cut),
      outcome: became?.outcome ?? null,
      answeredAt: became?.answeredAt ?? null,
      failure: became?.code ?? null,
    };
  });
}

function attempted(
  { afterEvent, untilEvent, ...step }: RecordedStep,
  ran: readonly ActivityAttempts[],
): IncidentReceipt['steps'][number] {
  const own = ran.filter(({ eventId }) => afterEvent < eventId && eventId <= untilEvent);
  return { ...step, activities: own.length, attempts: own.reduce((sum, { attempts }) => sum + attempts, 0) };
}

function cut(text: string): string {
  return text.slice(0, limits.receiptTextLength);
}
