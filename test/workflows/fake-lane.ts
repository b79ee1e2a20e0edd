// A lane in memory: what its steps would do to a Mac and a store, as counts and a few words of state. It keeps
// what was called in which order, refuses a lost fence as a real lane does, and notes whenever a gateway runs on a
// mixture. A step can be told to fail, to break, to block, or to do its work and lose the answer.

import type { ToBury } from '../../src/contract/expiry.ts';
import { laneSectionId } from '../../src/contract/names.ts';
import type { Copies, ReplicaPlan } from '../../src/contract/copies.ts';
import type { LaneComparison, UncheckedDatabase, VerifyFindings, VerifyPlan } from '../../src/contract/verify.ts';
import type { HookAnswer, HookKind, HookRequest } from '../../src/contract/hooks.ts';
import type { IncidentReceiptRequest } from '../../src/contract/incident-plan.ts';
import type { PruneResult } from '../../src/contract/incident-state.ts';
import type { GateReceiptRequest, HostLook } from '../../src/contract/gate-steps.ts';
import type { LaneSpec } from '../../src/contract/lane-spec.ts';
import type { ObjectFault, SegmentPlan } from '../../src/contract/results.ts';
import type { ImportedArchive, OriginState } from '../../src/contract/import-types.ts';
import type { RpoLook } from '../../src/contract/rpo.ts';
import type { ReceiptRequest } from '../../src/contract/receipt-types.ts';
import type {
  BackupLogLine,
  BackupPlan,
  ChosenBundles,
  ChosenSegment,
  Fence,
  FleetCaps,
  ManifestRequest,
  RestoreRoom,
  ReusableSegment,
  SmokeResult,
  StepFence,
  Survey,
} from '../../src/contract/step-types.ts';
import type { DataSteps, HostSteps, VaultDataSteps, VaultSteps } from '../../src/contract/steps.ts';
import type { PreUpgradeChoice } from '../../src/contract/upgrade.ts';
import { defaultRestoreBudgets, defaultRpoMs } from '../../src/domain/budget.ts';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';

export type Steps = HostSteps & DataSteps & VaultSteps & VaultDataSteps;
export type StepName = keyof Steps;

export const fleetName = 'test-fleet';
export const fleetDigest = 'f1'.repeat(32);
export const bundleId = '20261122T031500Z-1a2b3c4d';

/** Which calls of a step go wrong, counted from 1 over all attempts; none given: every one. */
export interface Fault {
  readonly kind: 'fail' | 'break' | 'block' | 'lose';
  readonly code?: FailureCode;
  readonly message?: string;
  readonly from?: number;
  readonly to?: number;
  /** Only up to this attempt of each call. */
  readonly attempts?: number;
}

export interface Call {
  readonly step: StepName;
  readonly attempt: number;
  readonly input: unknown;
}

interface Journal {
  readonly restore: string;
  readonly phase: 'open' | 'undo';
  readonly before: 'running' | 'stopped';
}

type Generation = 'old' | 'new';

export function segmentPlan(id: string, more: Partial<SegmentPlan> = {}): SegmentPlan {
  return {
    id,
    component: 'config',
    kind: 'tar',
    base: 'home',
    fingerprint: id.padEnd(64, '0'),
    reusable: true,
    supplement: false,
    sizeBytes: 1_000,
    members: 3,
    listSha256: 'a'.repeat(64),
    ...more,
  };
}

export function planOf(segments: readonly SegmentPlan[], more: Partial<BackupPlan> = {}): BackupPlan {
  const omissions = [{ reason: 'socket', count: 2 }];
  const capturedAt = '2026-11-22T03:15:00.000Z';
  return { capturedAt, consistency: 'compared', segments, omissions, warnings: [], ...more };
}

function chosenSegment(id: string, more: Partial<ChosenSegment> = {}): ChosenSegment {
  return { bundle: bundleId, id, component: 'config', kind: 'tar', supplement: false, plainBytes: 1_000, ...more };
}

/** A bundle in which every kind of segment occurs, so that a restore of it calls every step. */
export const wholeBundle: ChosenBundles = {
  bundle: bundleId,
  tier: 'B',
  profile: 'slimvps-legacy',
  openclawVersion: '2026.11.1',
  proven: true,
  origin: { host: 'mac-1', os: 'macOS 26.1', user: 'agent-lane-1', home: '/Users/agent-lane-1', port: 11430 },
  imported: false,
  sources: [{ bundle: bundleId, components: ['config', 'plists', 'secrets', 'transcripts'] }],
  used: [
    {
      bundle: bundleId,
      manifestSha256: 'd'.repeat(64),
      tier: 'B',
      capturedAt: '2026-11-22T03:15:00.000Z',
      components: ['config', 'plists', 'secrets', 'transcripts'],
      whole: true,
    },
  ],
  segments: [
    chosenSegment('s-0001'),
    chosenSegment('s-0002', { component: 'plists' }),
    chosenSegment('s-0003', { component: 'transcripts', kind: 'range' }),
    chosenSegment('s-0004', { kind: 'directories' }),
    chosenSegment('s-0005', { component: 'transcripts', supplement: true }),
    chosenSegment('s-0006', { component: 'secrets', kind: 'secrets' }),
  ],
  copies: { store: 'primary' },
  sizeBytes: 6_000,
  sealedBytes: 4_000,
  captured: [{ dataClass: 1, bundle: bundleId, capturedAt: '2026-11-22T03:15:00.000Z' }],
  warnings: [],
};

export const importedArchive: ImportedArchive = {
  bundle: '20250301T021500Z-1a2b3c4d',
  tier: 'B',
  already: false,
  from: { archive: 'openclaw-full-20250301.tar.gz', sizeBytes: 5_000, sha256: 'e'.repeat(64) },
  plan: planOf([segmentPlan('s-0001', { reusable: false })]),
  results: [
    {
      id: 's-0001',
      suffix: '0'.repeat(16),
      sealedBytes: 700,
      sealedSha256: 'b'.repeat(64),
      plainBytes: 1_000,
      members: 3,
      index: { suffix: '1'.repeat(16), sealedBytes: 70, sealedSha256: 'c'.repeat(64) },
      vanished: 0,
      torn: 0,
    },
  ],
};

const survey: Survey = {
  openclawVersion: '2026.11.1',
  os: 'macOS 26.1',
  timeZone: 'Asia/Tokyo',
  clockOffsetMs: 12,
  freeBytes: 100_000_000,
  totalBytes: 256_000_000,
  versionKnown: true,
  warnings: [],
};

export function specOf(lane: string): LaneSpec {
  return {
    fleet: fleetName,
    fleetDigest,
    lane,
    target: {
      fleet: fleetName,
      lane,
      host: {
        name: 'mac-1',
        address: '192.0.2.7',
        port: 22,
        user: 'operator',
        hostKey: `ssh-ed25519 ${'A'.repeat(68)}`,
        root: '/',
        tools: { tar: '/opt/clawback/bin/bsdtar', sqlite3: '/opt/clawback/bin/sqlite3' },
      },
      user: 'agent-lane-1',
      home: '/Users/agent-lane-1',
      label: 'com.slimvps.openclaw-lane1',
      domain: 'system',
      port: 11430,
      profile: 'slimvps-legacy',
      keychain: '/Users/agent-lane-1/Library/Keychains/login.keychain-db',
    },
    region: 'tokyo',
    timeZone: 'Asia/Tokyo',
    store: 'primary',
    profile: 'slimvps-legacy',
    secrets: [{ service: 'openclaw-api', account: 'agent-lane-1' }],
    messageToken: { service: 'openclaw-api', account: 'agent-lane-1' },
    exclude: ['workspace/scratch/**'],
    budgets: defaultRestoreBudgets,
    rpoMs: defaultRpoMs,
    retention: { daily: 7, weekly: 5, monthly: 6, graceMs: 7 * 24 * 3_600_000 },
    hasKeychainPassword: true,
    verifyWithinMs: 30 * 24 * 3_600_000,
    limits: { streams: 2, waitForLaneMs: 1_800_000, segmentBytes: 268_435_456 },
  };
}

/** A door that a blocked step waits behind. */
class Gate {
  #open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  open(): void {
    this.#open();
  }
}

export class FakeLane {
  readonly name: string;
  spec: LaneSpec;
  readonly calls: Call[] = [];
  /** Where the lane was a mixture while its gateway ran, or was changed while it should not be. */
  readonly violations: string[] = [];

  gateway: 'running' | 'stopped' = 'running';
  tree: Generation = 'old';
  secrets: Generation = 'old';
  journal: Journal | null = null;
  /** A restore stands and may be undone. */
  restored = false;
  /** Does the gateway of an undone restore's old tree start? */
  startsAfterUndo = true;
  stage: string | null = null;
  /** Files in its trees that are of another lane. */
  mixed = 0;
  runDirectory: string | null = null;
  manifest: ManifestRequest | null = null;
  readonly logLines: BackupLogLine[] = [];
  readonly sent: string[] = [];
  /** As they would be in the store. */
  readonly receipts: ReceiptRequest[] = [];
  readonly staged: string[] = [];
  /** What a gate sees of its host when this is the first of its lanes, and is told. */
  look: HostLook = {
    diskUsedRatio: 0.5,
    diskTotalBytes: 256_000_000_000,
    memoryUsedRatio: 0.5,
    memoryTotalBytes: 16_000_000_000,
  };
  manifestSha256 = 'd'.repeat(64);
  keyProblems: readonly string[] = [];
  /** The node's log of backups is somebody else's. */
  logIsLost = false;
  readonly gateReceipts: GateReceiptRequest[] = [];

  /** The last of them is of a database. */
  plans: BackupPlan[] = [
    planOf([segmentPlan('s-0001'), segmentPlan('s-0002'), segmentPlan('s-0003', { base: 'copies', reusable: false })]),
  ];
  /** Torn members of a segment, by its id. */
  readonly torn = new Map<string, number>();
  reusable: readonly ReusableSegment[] = [];
  suspect: readonly string[] = [];
  /** Bundles that the replica lacks, beside the one that was made last. */
  uncopied: readonly string[] = [];
  readonly copied: string[] = [];
  readonly copiedSegments: string[] = [];
  copyFaults: readonly ObjectFault[] = [];
  replicaPlan: ReplicaPlan = {
    batches: [
      { segments: ['s-0001', 's-0002'], sealedBytes: 2_800 },
      { segments: ['s-0003'], sealedBytes: 1_400 },
    ],
    presentObjects: 4,
    faults: [],
  };
  survey = survey;
  /** What a bad upgrade is gone back from to. */
  preUpgrade: PreUpgradeChoice = {
    bundle: bundleId,
    version: '2026.11.1',
    capturedAt: '2026-11-22T03:15:00.000Z',
    because: 'before-upgrade',
  };
  /** That its fleet has; what each was told; and what it does and answers, where a test says so. */
  hooks: readonly HookKind[] = ['upgrade', 'pin'];
  readonly hookCalls: HookRequest[] = [];
  onHook: (request: HookRequest) => HookAnswer<HookKind> = () => ({});
  chosen = wholeBundle;
  /** What a look at the recovery points of its fleet answers. */
  rpo: RpoLook = { fleet: fleetName, rules: { graceMs: 0, remindEveryMs: 0 }, alerts: true, sights: [], unseen: [] };
  /** What is known of the host that its bundle is of. */
  originState: OriginState = 'down';
  imported: ImportedArchive = importedArchive;

  /** Receipts of incidents whose subject has its name. */
  readonly incidents: IncidentReceiptRequest[] = [];
  /** How often class 3 was removed, and what that answers. */
  pruned = 0;
  pruneResult: Omit<PruneResult, 'lane'> = {
    kinds: [{ kind: 'npm-cache', trees: 1, sizeBytes: 4_096 }],
    freeBeforeBytes: 1_000,
    freeAfterBytes: 100_000_000,
    totalBytes: 256_000_000,
    usedAfterRatio: 0.6,
  };
  smoke: SmokeResult = { healthy: true, answered: true, httpStatus: 200, diskUsedRatio: 0.5 };
  /** What a fleet run measures of it; its own volume, unless a test says so. */
  room: Omit<RestoreRoom, 'lastRestore'>;
  /** The restore that an undo would go back from. */
  lastRestore: string | null = null;
  /** Of a fleet run whose first lane it is: the fleet file and the caps that the run sees. */
  seenDigest = fleetDigest;
  caps: FleetCaps = { lanesAtOnce: 100, streamsAtOnce: 64, streamsPerHost: 8 };
  /** The watch gets no answer from its host. */
  unreachable = false;
  /** Of the lane that bears a lost host's name: what knocking at that host answers. */
  lostHost: 'silent' | 'answers' | 'foreign' = 'silent';
  /** Its gateway on the host that it has left. */
  left: 'running' | 'stopped' = 'running';
  /** Does the workers' fleet file say where a recovery put it? */
  inFleetFile = false;
  /** In the list that the watch reads. */
  watched = false;
  /** What is to expire, and what of it got a tombstone or went. */
  toBury: readonly ToBury[] = [];
  standsStill: string | null = null;
  readonly buried: string[] = [];
  due: readonly string[] = [];
  /** Replaces the answer of describeHolder. */
  holder: (() => Promise<Awaited<ReturnType<HostSteps['describeHolder']>>>) | undefined;

  readonly #faults: (Fault & { readonly step: StepName })[] = [];
  readonly #gates = new Map<StepName, { readonly reached: Gate; readonly released: Gate }>();
  #fence: Fence = { sectionStartMs: 0, order: 0, attempt: 0 };

  constructor(name: string) {
    this.name = name;
    this.spec = specOf(name);
    this.room = {
      bundle: bundleId,
      sizeBytes: 6_000,
      neededBytes: 12_000,
      freeBytes: 100_000_000,
      volume: name,
    };
  }

  verifyPlan: VerifyPlan = {
    bundles: 2,
    newest: bundleId,
    batches: [
      { bundle: bundleId, segments: ['s-0001', 's-0002'], open: ['s-0001', 's-0002'], sealedBytes: 1_400 },
      { bundle: bundleId, segments: ['s-0003'], open: [], sealedBytes: 700 },
    ],
    databaseBytes: 500,
    compare: [{ bundle: bundleId, segments: ['s-0001', 's-0003'], plainBytes: 2_000 }],
    faults: [],
    gaps: [],
  };
  unchecked: readonly UncheckedDatabase[] = [];
  readonly namedOnLane: UncheckedDatabase[] = [];
  verifyFaults: readonly ObjectFault[] = [];
  readonly findings: VerifyFindings[] = [];
  live: LaneComparison = { state: 'compared', compared: 5, changed: 2, different: 0 };
  /** What the lane's report was told. */
  readonly toldOnLane: ObjectFault[] = [];
  /** The segment from which on the primary store is gone. */
  primaryGoneAt: string | undefined;
  /** What stageSegment was told to ask first, by segment. */
  readonly askedFirst = new Map<string, string>();

  storeFor(segment: string, { store, replica }: Copies): string {
    this.askedFirst.set(segment, store);
    const isGone = this.primaryGoneAt !== undefined && segment >= this.primaryGoneAt;
    return isGone && store === 'primary' ? (replica ?? store) : store;
  }

  answerHook(request: HookRequest): HookAnswer<HookKind> {
    this.hookCalls.push(request);
    if (!this.hooks.includes(request.hook))
      throw new Failure('HookMissing', `fleet.yaml has no hooks.${request.hook}`, { field: `hooks.${request.hook}` });
    return this.onHook(request);
  }

  /** Of that host, as the fleet file has it. */
  onHost(name: string): this {
    const { target } = this.spec;
    this.spec = { ...this.spec, target: { ...target, host: { ...target.host, name } } };
    return this;
  }

  get id(): string {
    return laneSectionId(fleetName, this.name);
  }

  /** Half restored by a section that died, and watched. */
  leftUnsettled(): this {
    this.watched = true;
    this.journal = { restore: 'dead', phase: 'open', before: 'running' };
    this.tree = 'new';
    this.gateway = 'stopped';
    return this;
  }

  told(step: StepName, fault: Fault): this {
    this.#faults.push({ ...fault, step });
    return this;
  }

  /** Forgets all faults: the lane is well again. */
  heal(): void {
    this.#faults.length = 0;
  }

  /** The steps in the order of their calls, retries and repeats in a row once. */
  get order(): StepName[] {
    return this.calls.map(({ step }) => step).filter((step, at, all) => step !== all[at - 1]);
  }

  count(step: StepName): number {
    return this.calls.filter((call) => call.step === step).length;
  }

  /** Resolves when a step has been called so often, and then lets everything be well. */
  async heals(step: StepName, calls: number): Promise<void> {
    while (this.count(step) < calls) await new Promise((resolve) => setTimeout(resolve, 20));
    this.heal();
  }

  /** Resolves when a blocked step has been entered. */
  reached(step: StepName): Promise<void> {
    return this.#gate(step).reached.opened;
  }

  /** Lets a blocked step go on. */
  release(step: StepName): void {
    this.#gate(step).released.open();
  }

  enter(step: StepName): Promise<void> {
    const gate = this.#gate(step);
    gate.reached.open();
    return gate.released.opened;
  }

  begin(call: Call): Fault | undefined {
    this.calls.push(call);
    const nth = this.count(call.step);
    return this.#faults.find(
      ({ step, from = 1, to = Number.POSITIVE_INFINITY, attempts = Number.POSITIVE_INFINITY }) =>
        step === call.step && from <= nth && nth <= to && call.attempt <= attempts,
    );
  }

  /** A smaller fence than the last is lost: a newer attempt works on this lane. */
  takeFence(step: StepFence, attempt: number): Fence {
    const fence = { ...step, attempt };
    const { sectionStartMs, order } = this.#fence;
    const larger = [fence.sectionStartMs - sectionStartMs, fence.order - order, attempt - this.#fence.attempt].find(
      (difference) => difference !== 0,
    );
    if (larger === undefined || larger < 0) {
      throw new Failure('FenceLost', `fence ${order} of lane ${this.name} is newer than ${fence.order}`);
    }
    this.#fence = fence;
    return fence;
  }

  /** What fills the staging tree runs under the fence that opened it, while no newer one was taken. */
  requireUnder(under: Fence): void {
    if (JSON.stringify(under) !== JSON.stringify(this.#fence)) this.violations.push('staged under a lost fence');
  }

  /** Called after every step. */
  inspect(step: StepName): void {
    if (this.gateway === 'running' && this.tree !== this.secrets)
      this.violations.push(`the gateway ran on a mixture after ${step}`);
  }

  #gate(step: StepName): { readonly reached: Gate; readonly released: Gate } {
    const present = this.#gates.get(step);
    if (present) return present;
    const gate = { reached: new Gate(), released: new Gate() };
    this.#gates.set(step, gate);
    return gate;
  }
}
