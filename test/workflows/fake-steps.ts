// The activities over lanes in memory, by queue. Each does what its namesake does, as far as its caller can tell,
// and fails as the real ones do: through activities/failures.ts.

import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { toApplicationFailure } from '../../src/activities/failures.ts';
import type { IncidentBrief, PlanRecovery, RecoveryPlan } from '../../src/contract/incident-plan.ts';
import type { HostFacts, Refuge } from '../../src/contract/losses.ts';
import type { QueueRole } from '../../src/contract/names.ts';
import type { SegmentPlan, SegmentResult, SettleResult } from '../../src/contract/results.ts';
import type { Mutating } from '../../src/contract/step-types.ts';
import type { DataSteps, HostSteps, VaultDataSteps, VaultSteps } from '../../src/contract/steps.ts';
import type { WatchPlan } from '../../src/contract/watch-types.ts';
import type { HostSample, SignalRules } from '../../src/domain/signals.ts';
import { minuteOfDay, onNextDay } from '../../src/domain/calendar.ts';
import { Failure } from '../../src/domain/failure.ts';
import {
  bundleId,
  type Fault,
  FakeLane,
  fleetDigest,
  fleetName,
  segmentPlan,
  type StepName,
  type Steps,
} from './fake-lane.ts';

/** So short that a few runs, one right after the other, are enough. */
const watchRules: SignalRules = {
  exitLoop: { restarts: 3, withinMs: 300_000 },
  disk: { full: 90, clear: 85, samples: 2 },
  crossWrite: { silentMs: 600_000, filesEveryMs: 600_000 },
  region: { silentMs: 120_000, hosts: 2 },
  host: { silentMs: 600_000 },
  clearMs: 0,
  againMs: 3_600_000,
};

/** The lanes of one bench, by name; made when first asked for. */
export class FakeFleet {
  readonly #lanes = new Map<string, FakeLane>();

  lane(name: string): FakeLane {
    const present = this.#lanes.get(name);
    if (present) return present;
    const made = new FakeLane(name);
    this.#lanes.set(name, made);
    return made;
  }

  /** The lanes of a host; a lane's own name finds that one. */
  onHost(subject: string): FakeLane[] {
    const there = [...this.#lanes.values()].filter(({ spec }) => spec.target.host.name === subject);
    return there.length > 0 ? there : [this.lane(subject)];
  }

  /** What the fleet file says of playbooks, and its digest; changed by tests. */
  policy: Pick<IncidentBrief, 'fleetDigest' | 'enabled' | 'approval' | 'remindEveryMs' | 'approvers' | 'diskFull'> = {
    fleetDigest,
    enabled: true,
    approval: 'auto',
    remindEveryMs: 900_000,
    approvers: [],
    diskFull: 90,
  };
  /** Subjects whose playbooks the watch may not open. */
  readonly disabled = new Set<string>();
  /** By subject, where a test wants it sooner. */
  readonly remindEveryOf = new Map<string, number>();
  readonly approversOf = new Map<string, readonly string[]>();
  /** Of the plan of an incident: why it asks, and the bundle that it found. */
  readonly planned = new Map<string, { readonly ask?: string; readonly bundle?: string }>();

  plan({
    scenario,
    subject,
    fleetDigest: seen,
    steps,
    lanes,
    warnings = [],
    ask: draftAsk,
  }: PlanRecovery): RecoveryPlan {
    const { ask = draftAsk ?? null, bundle = bundleId } = this.planned.get(subject) ?? {};
    const plan = {
      scenario,
      subject,
      fleetDigest: seen,
      steps,
      lanes: lanes.map(({ lane, kept = false, toHost, bundle: wanted = bundle }) => ({
        lane,
        host: this.lane(lane).spec.target.host.name,
        ...(toHost === undefined ? {} : { toHost }),
        bundle: wanted,
        tier: 'B' as const,
        proven: true,
        store: 'primary',
        sizeBytes: 6_000,
        estimateMs: kept ? 0 : 60_000,
        rpo: [],
        lost: [],
        used: [],
      })),
      estimatedRtoMs: 60_000,
      rtoBudgetMs: 5_400_000,
      ask,
      warnings,
    };
    return { ...plan, digest: createHash('sha256').update(JSON.stringify(plan)).digest('hex') };
  }

  /** What the file says of a host: its lanes, by their specification. */
  factsOf(host: string): HostFacts {
    const own = [...this.#lanes.values()].filter(({ spec }) => spec.target.host.name === host);
    const lanes = own.map(({ name, spec }) => ({ lane: name, user: spec.target.user, port: spec.target.port }));
    const facts = { address: '192.0.2.8', port: 22, login: 'operator', region: 'tokyo', profile: 'slimvps-legacy' };
    return { host, ...facts, arch: null, standby: false, lanes };
  }

  /** Where its lanes can go, unless a test says otherwise. */
  readonly refuges = new Map<string, Partial<Refuge>>();

  /** Hosts of a region. */
  readonly regions = new Map<string, readonly string[]>();

  refugeOf(host: string): Refuge {
    const lanes = this.factsOf(host).lanes.map(({ lane }) => ({ lane, fromReplica: false }));
    const found = { host, to: 'mac-9', version: '2026.11.1', neededBytes: 1_000, lanes, beyond: [], notes: [] };
    return { ...found, ...this.refuges.get(host) };
  }

  /** What the watch looks at, and what it sees of a host; a host that nobody set is not seen at all. */
  watchPlan: WatchPlan = { fleet: fleetName, fleetDigest, rules: watchRules, hosts: [], controls: [], stores: [] };
  readonly samples = new Map<string, HostSample>();
  readonly counted: string[] = [];

  sample(host: string, countForeign: boolean): HostSample {
    if (countForeign) this.counted.push(host);
    return this.samples.get(host) ?? { host, reach: 'unknown', clockOffsetMs: null, lanes: [] };
  }

  get watched(): FakeLane[] {
    return [...this.#lanes.values()].filter(({ watched }) => watched);
  }
}

type InputOf<K extends StepName> = Parameters<Steps[K]>[0];
type AnswerOf<K extends StepName> = Awaited<ReturnType<Steps[K]>>;
type Effects = {
  readonly [K in StepName]: (lane: FakeLane, input: InputOf<K>, attempt: number) => AnswerOf<K> | Promise<AnswerOf<K>>;
};

function sealed(): Pick<SegmentResult, 'suffix' | 'sealedBytes' | 'sealedSha256'> {
  return { suffix: crypto.randomUUID().slice(0, 16), sealedBytes: 700, sealedSha256: 'b'.repeat(64) };
}

function resultOf(lane: FakeLane, { id, sizeBytes, members }: SegmentPlan): SegmentResult {
  const torn = lane.torn.get(id) ?? 0;
  return { id, plainBytes: sizeBytes, members, vanished: 0, torn, ...sealed(), index: sealed() };
}

function settle(lane: FakeLane, input: Mutating, attempt: number): SettleResult {
  lane.takeFence(input.fence, attempt);
  const { journal } = lane;
  if (!journal) return { action: 'nothing', gateway: lane.gateway };
  lane.gateway = 'stopped';
  lane.tree = 'old';
  lane.secrets = 'old';
  lane.restored = false;
  lane.gateway = journal.phase === 'undo' && !lane.startsAfterUndo ? 'stopped' : journal.before;
  lane.journal = null;
  if (lane.stage === journal.restore) lane.stage = null;
  return { action: 'rolled-back', gateway: lane.gateway };
}

function requireDown(lane: FakeLane, step: StepName): void {
  if (lane.gateway === 'running' || !lane.journal) lane.violations.push(`${step} on a lane that was not stopped`);
}

export function effectsOn(fleet: FakeFleet, holderOf: Steps['describeHolder']): Effects {
  return {
    resolveLane: ({ spec }) => ({
      fleet: fleetName,
      fleetDigest,
      host: 'mac-1',
      store: spec.store,
      ...(spec.replica === undefined ? {} : { replica: spec.replica }),
      verifyWithinMs: spec.verifyWithinMs,
      streams: 2,
      waitForLaneMs: 1_800_000,
    }),
    describeLane: (lane) => lane.spec,
    describeFleet: (_lane, { lanes = [], host }) => {
      const chosen = host === undefined ? lanes.map((name) => fleet.lane(name)) : fleet.onHost(host);
      if (chosen.length === 0) throw new Failure('UnknownLane', `no lane on a host ${host}`);
      return {
        fleet: fleetName,
        fleetDigest: chosen[0]?.seenDigest ?? fleetDigest,
        rtoMs: chosen[0]?.spec.budgets.rtoMs ?? 1,
        caps: chosen[0]?.caps ?? { lanesAtOnce: 100, streamsAtOnce: 64, streamsPerHost: 8 },
        lanes: chosen.map(({ name, spec }) => ({
          lane: name,
          host: spec.target.host.name,
          streams: spec.limits.streams,
        })),
      };
    },
    briefIncident: ({ spec, hooks }, { subject }) => ({
      ...fleet.policy,
      enabled: !fleet.disabled.has(subject),
      remindEveryMs: fleet.remindEveryOf.get(subject) ?? fleet.policy.remindEveryMs,
      approvers: fleet.approversOf.get(subject) ?? fleet.policy.approvers,
      fleet: fleetName,
      alerts: hooks.includes('alert'),
      rtoMs: spec.budgets.rtoMs,
      rpoMs: spec.rpoMs,
      waitForLaneMs: 1_800_000,
      receipts: { store: 'primary' },
      lanes: fleet.onHost(subject).map(({ name, spec: { region, target } }) => ({
        lane: name,
        region,
        host: target.host.name,
      })),
      hosts: fleet.regions.get(subject) ?? [subject],
    }),
    planRecovery: (_lane, draft) => fleet.plan(draft),
    verifyApproval: (_lane, { signature }) => {
      if (signature?.includes('WRONG')) throw new Failure('ApprovalRefused', 'the signature is not of the key');
      return { how: signature === undefined ? 'stated' : 'signed' };
    },
    writeIncidentReceipt: (lane, request) => {
      lane.incidents.push(request);
      return { receipt: request.id };
    },
    describeWatch: () => fleet.watchPlan,
    sampleHost: (_lane, { host, countForeign }) => fleet.sample(host, countForeign),
    probeControls: () => {
      const answer = (region: string) => ({ region, answers: true });
      return { controls: fleet.watchPlan.controls.map(answer), stores: fleet.watchPlan.stores.map(answer) };
    },
    countMixed: (_lane, { lanes }) =>
      lanes.map((name) => ({ lane: name, owned: fleet.lane(name).mixed, named: 0, partly: false })),
    holdLane: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      const ran = lane.gateway === 'running';
      lane.gateway = 'stopped';
      return { ran };
    },
    pruneLane: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      lane.pruned += 1;
      return { lane: lane.name, ...lane.pruneResult };
    },
    measureRestore: (lane) => ({ ...lane.room, lastRestore: lane.lastRestore }),
    prepareHost: (_lane, { host }) => ({
      host,
      arch: 'arm64',
      freeBytes: 100_000_000,
      os: 'macOS 26.1',
      openclawVersion: '2026.11.1',
      created: [],
      present: [],
      missing: [],
      warnings: [],
    }),
    awaitHost: async (_lane, { host }) => {
      const { cancellationSignal: signal } = Context.current();
      while (fleet.lane(host).lostHost === 'silent' && !signal.aborted) {
        Context.current().heartbeat();
        await wait(50);
      }
      return { state: fleet.lane(host).lostHost };
    },
    stopLeft: (lane) => {
      lane.left = 'stopped';
      return { ran: true };
    },
    readMoved: (_lane, { lanes }) => {
      const moved = lanes.filter((name) => fleet.lane(name).inFleetFile);
      return { moved, fleetLines: moved.length === lanes.length ? [] : ['lanes:'] };
    },
    describeLost: (_lane, { hosts }) =>
      hosts.map((host) => ({ ...fleet.factsOf(host), newName: `${host}-new`, newRegion: 'osaka' })),
    describeHost: (_lane, { host }) => fleet.factsOf(host),
    findRefuge: (_lane, { hosts }) => hosts.map((host) => fleet.refugeOf(host)),
    vouchHost: (_lane, claim) => ({
      placement: { ...claim, vouchedAt: new Date().toISOString() },
      envelope: 'vouched',
    }),
    listLanes: () => fleet.watched.map(({ name, spec }) => ({ lane: name, fleetDigest, target: spec.target })),
    describeHolder: (lane, input) => lane.holder?.() ?? holderOf(input),
    requirePollers: () => undefined,
    surveyLane: (lane) => lane.survey,
    probeOrigin: (lane) => ({ state: lane.originState }),
    readUnsettled: (lane) => (lane.unreachable ? null : lane.journal !== null),

    captureLane: (lane, { fence, bundle }, attempt) => {
      lane.takeFence(fence, attempt);
      lane.runDirectory = bundle;
      const [plan, ...later] = lane.plans;
      if (!plan) throw new Failure('ListingFailed', 'the fake lane has no plan left');
      if (later.length > 0) lane.plans = later;
      return plan;
    },
    planSupplement: (lane, { fence, firstNumber, segments }, attempt) => {
      lane.takeFence(fence, attempt);
      const ids = segments.map((_, at) => `s-${String(firstNumber + at).padStart(4, '0')}`);
      return {
        segments: ids.map((id) => segmentPlan(id, { reusable: false, supplement: true })),
        omissions: [],
      };
    },
    findReusable: (lane, { fingerprints }) => ({
      predecessor: { bundle: '20261121T031500Z-00000000', sha256: 'c'.repeat(64), sizes: [] },
      segments: lane.reusable.filter(({ fingerprint }) => fingerprints.includes(fingerprint)),
    }),
    backupSegment: (lane, { segment }) => {
      lane.sent.push(segment.fingerprint);
      return resultOf(lane, segment);
    },
    backupSecrets: (lane, { segmentId }) => {
      const plan = segmentPlan(segmentId, { component: 'secrets', kind: 'secrets', reusable: false });
      return { plan, result: resultOf(lane, plan), warnings: [] };
    },
    commitManifest: (lane, request) => {
      lane.manifest = request;
      return { sha256: lane.manifestSha256, suspect: lane.suspect };
    },
    appendBackupLog: (lane, { line }) => void lane.logLines.push(line),
    dropOldBaks: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      return { removed: false };
    },

    findArchive: (lane) => ({ sizeBytes: lane.imported.from.sizeBytes }),
    importArchive: (lane) => lane.imported,
    chooseBundles: (lane) => lane.chosen,
    preflightRestore: ({ lastRestore }) => ({
      freeBytes: 100_000_000,
      neededBytes: 12_000,
      lastRestore,
      warnings: [],
    }),
    openStage: (lane, { fence, restore }, attempt) => {
      lane.stage = restore;
      return lane.takeFence(fence, attempt);
    },
    stageSegment: (lane, { under, restore, segment, ...copies }) => {
      if (lane.stage !== restore) lane.violations.push('staged without a staging tree');
      lane.requireUnder(under);
      lane.staged.push(segment.id);
      return { plainBytes: segment.plainBytes, members: 3, store: lane.storeFor(segment.id, copies) };
    },
    checkBundles: (_lane, { segments }) => ({ members: 3 * segments.length }),
    checkDatabases: (lane, { under }) => {
      lane.requireUnder(under);
      return { databases: 1 };
    },
    finishRanges: (lane, { under }) => lane.requireUnder(under),
    checkSandbox: (lane, { under }) => {
      lane.requireUnder(under);
      return { warnings: [], configurations: 2, secrets: 1 };
    },
    stopWriters: (lane, { fence, restore }, attempt) => {
      lane.takeFence(fence, attempt);
      lane.journal ??= { restore, phase: 'open', before: lane.gateway };
      lane.gateway = 'stopped';
    },
    prepareSwap: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      requireDown(lane, 'prepareSwap');
      return { epoch: 1_795_000_000, renames: 2, plist: true };
    },
    swapTrees: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      requireDown(lane, 'swapTrees');
      lane.tree = 'new';
    },
    rehydrateSecrets: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      requireDown(lane, 'rehydrateSecrets');
      lane.secrets = 'new';
      return { items: 1 };
    },
    startGateway: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      lane.gateway = 'running';
    },
    smokeTest: (lane) => lane.smoke,
    commitRestore: (lane, { fence, restore }, attempt) => {
      lane.takeFence(fence, attempt);
      if (!lane.journal && !lane.restored) throw new Failure('JournalDamaged', 'neither open nor committed');
      lane.journal = null;
      lane.restored = true;
      lane.lastRestore = restore;
    },
    beginUndo: (lane, { fence }, attempt) => {
      lane.takeFence(fence, attempt);
      if (lane.journal?.phase === 'undo') return { epoch: 1_795_000_000 };
      if (!lane.restored) throw new Failure('NothingToUndo', `lane ${lane.name} has nothing to undo`);
      lane.journal = { restore: bundleOfUndo, phase: 'undo', before: 'running' };
      return { epoch: 1_795_000_000 };
    },
    tidyLane: (lane, { fence, run }, attempt) => {
      lane.takeFence(fence, attempt);
      if (lane.stage === run) lane.stage = null;
      if (lane.runDirectory === run) lane.runDirectory = null;
    },
    settleLane: settle,
    listUncopied: (lane) =>
      [...(lane.manifest ? [lane.manifest.bundle] : []), ...lane.uncopied].filter((id) => !lane.copied.includes(id)),
    planVerification: (lane) => lane.verifyPlan,
    verifySegments: (lane, { segments }) => ({
      faults: lane.verifyFaults.filter(({ segment }) => segment !== undefined && segments.includes(segment)),
      members: 3 * segments.length,
      readBytes: 700 * segments.length,
    }),
    compareLane: (lane, { faults, unchecked }) => {
      lane.toldOnLane.push(...faults);
      lane.namedOnLane.push(...unchecked);
      return lane.live;
    },
    verifyDatabases: (lane) => ({
      checked: 1,
      tooLarge: lane.unchecked.length,
      unchecked: lane.unchecked,
      dangling: 0,
      faults: [],
    }),
    recordVerification: (lane, findings) => {
      lane.findings.push(findings);
      const compared = findings.compared.flatMap(({ segments }) => segments).length;
      const { withinMs } = findings;
      return {
        segments: 3,
        opened: 1,
        withinMs,
        oldestOpenedAt: null,
        comparable: 2,
        compared,
        oldestComparedAt: null,
      };
    },
    copyReceipts: () => ({ sentObjects: 0 }),
    planReplica: (lane) => lane.replicaPlan,
    copySegments: (lane, { segments }) => {
      lane.copiedSegments.push(...segments);
      return {
        sentObjects: 2 * segments.length,
        sentBytes: 1_400 * segments.length,
        presentObjects: 0,
        faults: lane.copyFaults,
      };
    },
    commitReplica: (lane, { bundle }) => {
      lane.copied.push(bundle);
      return { sentObjects: 1, sentBytes: 500, presentObjects: 0 };
    },
    writeReceipt: (lane, request) => {
      if (!lane.receipts.some(({ id }) => id === request.id)) lane.receipts.push(request);
      return { receipt: request.id };
    },
    sweepLane: () => ({
      removedObjects: 4,
      removedBytes: 4_096,
      keptObjects: 9,
      lockedObjects: 0,
      lockedUntil: null,
      staleUploads: 1,
      damaged: [],
    }),
    planExpiry: (lane) => ({
      standsStill: lane.standsStill,
      bundles: [],
      bundlesTotal: 0,
      expiringBytes: 0,
      toBury: lane.toBury,
    }),
    buryBundles: (lane, { bundles }) => {
      lane.buried.push(...bundles.map(({ bundle }) => bundle));
    },
    choosePreUpgrade: (lane) => lane.preUpgrade,
    lookAtHost: (_lane, { host }) => fleet.onHost(host)[0]?.look ?? fleet.lane(host).look,
    nextGateDay: (_lane, { timeZone, after, minute: given }) => {
      const minute = given ?? minuteOfDay(Date.parse(after), timeZone);
      return { at: new Date(onNextDay(Date.parse(after), minute, timeZone)).toISOString(), minute };
    },
    readBackupLog: (lane, { bundle }) => {
      const line = lane.logLines.findLast((one) => one.bundle === bundle);
      return line && !lane.logIsLost ? { outcome: line.outcome, manifestSha256: line.manifestSha256 ?? '-' } : null;
    },
    checkKeys: (lane) => ({ problems: lane.keyProblems }),
    applySchedules: () => ({ schedules: 5 }),
    writeGateReceipt: (lane, request) => {
      if (!lane.gateReceipts.some(({ id }) => id === request.id)) lane.gateReceipts.push(request);
      return { receipt: request.id };
    },
    lookAtRpo: ({ rpo }) => rpo,
    describeHooks: (lane) => ({ kinds: lane.hooks }),
    runHook: (lane, request) => lane.answerHook(request),
    removeExpired: (lane) => {
      const removedBundles = lane.due;
      lane.due = [];
      return {
        removedBundles,
        removedObjects: 2,
        removedBytes: 2_048,
        lockedObjects: 0,
        lockedUntil: null,
        staleUploads: 0,
        reprieved: 0,
      };
    },
  };
}

const bundleOfUndo = '20261122T040000Z-2b3c4d5e';

/** Which steps each queue runs; the compiler refuses it when one is missing or misplaced. */
const stepsOf = {
  host: {
    resolveLane: 1,
    describeLane: 1,
    describeFleet: 1,
    listLanes: 1,
    describeHolder: 1,
    lookAtHost: 1,
    nextGateDay: 1,
    readBackupLog: 1,
    requirePollers: 1,
    surveyLane: 1,
    probeOrigin: 1,
    readUnsettled: 1,
    stopWriters: 1,
    openStage: 1,
    prepareSwap: 1,
    swapTrees: 1,
    startGateway: 1,
    commitRestore: 1,
    tidyLane: 1,
    pruneLane: 1,
    holdLane: 1,
    describeWatch: 1,
    sampleHost: 1,
    probeControls: 1,
    countMixed: 1,
    appendBackupLog: 1,
    prepareHost: 1,
    awaitHost: 1,
    stopLeft: 1,
    readMoved: 1,
  },
  data: {
    captureLane: 1,
    planSupplement: 1,
    backupSegment: 1,
    backupSecrets: 1,
    commitManifest: 1,
    findArchive: 1,
    importArchive: 1,
    buryBundles: 1,
  },
  vault: {
    findReusable: 1,
    checkKeys: 1,
    applySchedules: 1,
    writeGateReceipt: 1,
    vouchHost: 1,
    describeLost: 1,
    describeHost: 1,
    findRefuge: 1,
    measureRestore: 1,
    briefIncident: 1,
    planRecovery: 1,
    verifyApproval: 1,
    writeIncidentReceipt: 1,
    chooseBundles: 1,
    preflightRestore: 1,
    rehydrateSecrets: 1,
    beginUndo: 1,
    settleLane: 1,
    smokeTest: 1,
    dropOldBaks: 1,
    writeReceipt: 1,
    sweepLane: 1,
    listUncopied: 1,
    planReplica: 1,
    copyReceipts: 1,
    planVerification: 1,
    recordVerification: 1,
    commitReplica: 1,
    planExpiry: 1,
    removeExpired: 1,
    choosePreUpgrade: 1,
    lookAtRpo: 1,
    describeHooks: 1,
    runHook: 1,
  },
  vaultData: {
    copySegments: 1,
    verifySegments: 1,
    verifyDatabases: 1,
    compareLane: 1,
    checkDatabases: 1,
    checkBundles: 1,
    stageSegment: 1,
    finishRanges: 1,
    checkSandbox: 1,
  },
} as const satisfies {
  host: Record<keyof HostSteps, 1>;
  data: Record<keyof DataSteps, 1>;
  vault: Record<keyof VaultSteps, 1>;
  vaultData: Record<keyof VaultDataSteps, 1>;
};

export type FakeActivities = Record<string, (input: unknown) => Promise<unknown>>;

export function fakeActivities(fleet: FakeFleet, role: QueueRole, holderOf: Steps['describeHolder']): FakeActivities {
  const effects = effectsOn(fleet, holderOf) as unknown as Record<StepName, (...all: unknown[]) => unknown>;
  const names = Object.keys(stepsOf[role]) as StepName[];
  const steps = names.map((step) => [step, (input: unknown) => perform(fleet, step, input, effects[step])] as const);
  return Object.fromEntries([...steps, ['default', refuseUnknown]]);
}

/** Temporal retries an activity that a worker does not have for ever; a test that waits for it says nothing. */
function refuseUnknown(): never {
  const { activityType } = Context.current().info;
  throw ApplicationFailure.nonRetryable(`there is no fake of the step ${activityType} on this queue`, 'Unexpected');
}

interface Addressed {
  readonly lane?: string;
  readonly target?: { readonly lane: string };
  readonly subject?: string;
  readonly state?: { readonly subject: string };
  readonly workflowId?: string;
  /** Of what looks at a whole host: its first lane is told. */
  readonly lanes?: readonly (string | { readonly lane: string })[];
}

/** The lane is told by the section's id, or by the input of what runs outside a section. */
function laneNameOf(workflowId: string, input: unknown): string {
  const { lane, target, state, subject = state?.subject, lanes, workflowId: asked } = (input ?? {}) as Addressed;
  const id = asked ?? workflowId;
  const first = typeof lanes?.[0] === 'object' ? lanes[0].lane : undefined;
  const ofId = /^(lane|incident)\//.test(id) ? id.slice(id.lastIndexOf('/') + 1) : '';
  return lane ?? target?.lane ?? subject ?? first ?? ofId;
}

async function perform(
  fleet: FakeFleet,
  step: StepName,
  input: unknown,
  effect: (...all: unknown[]) => unknown,
): Promise<unknown> {
  const { info, cancellationSignal: signal } = Context.current();
  const lane = fleet.lane(laneNameOf(info.workflowExecution?.workflowId ?? '', input));
  const fault = lane.begin({ step, attempt: info.attempt, input });
  try {
    await goWrong(lane, step, fault);
    const answer = await effect(lane, input, info.attempt);
    lane.inspect(step);
    if (fault?.kind === 'lose')
      throw new Failure(fault.code ?? 'HostConnectionLost', fault.message ?? `the answer of ${step} was lost`);
    return answer;
  } catch (error) {
    throw toApplicationFailure(error, signal.aborted);
  }
}

async function goWrong(lane: FakeLane, step: StepName, fault: Fault | undefined): Promise<void> {
  if (fault?.kind === 'fail')
    throw new Failure(fault.code ?? 'HostOutputUnexpected', fault.message ?? messageOfFailing(step), { step });
  if (fault?.kind === 'break') throw new TypeError(fault.message);
  if (fault?.kind === 'block') await standStill(lane, step);
}

/** Non-retryable by its default code, and found again in what the operator reads. */
export function messageOfFailing(step: StepName): string {
  return `step ${step} was told to fail`;
}

/** Beats, so that cancellation is heard, until it comes or the test lets the step go on. */
async function standStill(lane: FakeLane, step: StepName): Promise<void> {
  const { cancellationSignal: signal } = Context.current();
  const released = lane.enter(step).then(() => true);
  for (;;) {
    Context.current().heartbeat();
    if (await Promise.race([released, wait(50, false)])) return;
    if (signal.aborted) throw new CancelledFailure('cancelled');
  }
}
