// Where each activity is met by its faults: in which operation, at which of its calls. An activity without a point
// here fails the sweep.

export const operations = [
  'backup',
  'small backup',
  'talking backup',
  'plan',
  'restore',
  'failing restore',
  'sandbox',
  'undo',
  'sweep',
  'fleet plan',
  'expire',
  'watch',
  'second backup',
] as const;
export type OperationName = (typeof operations)[number];

export const faultNames = ['kill', 'lost answer', 'fail'] as const;
/** The worker dies while the activity runs; it dies once the activity is done, its answer with it; a failure for good. */
export type FaultName = (typeof faultNames)[number];

/** They change nothing, so that a lost answer is no other fault than a death in the middle. */
const reading = [
  'resolveLane',
  'describeLane',
  'describeFleet',
  'describeHolder',
  'listLanes',
  'requirePollers',
  'surveyLane',
  'readUnsettled',
  'findReusable',
  'measureRestore',
  'chooseBundles',
  'preflightRestore',
  'checkBundles',
  'checkSandbox',
  'planExpiry',
];

export function faultsOf(activity: string): readonly FaultName[] {
  return reading.includes(activity) ? ['kill', 'fail'] : faultNames;
}

/** Called by the workflow that the operator starts, not by the lane's section below it. */
export function isInParent(activity: string): boolean {
  return ['resolveLane', 'describeFleet', 'measureRestore', 'describeHolder', 'listLanes', 'readUnsettled'].includes(
    activity,
  );
}

export interface Point {
  readonly operation: OperationName;
  /** The call that meets the fault; the first when left out. */
  readonly call?: number;
  /** How long the body runs before the worker dies, ms. */
  readonly delayMs?: number;
}

/** Files of the lane change while its segments are read, so that a supplement is planned. */
const talking: readonly Point[] = [{ operation: 'talking backup' }];
/** Tier B; tier A where the fault meets a step that both have. */
const backup: readonly Point[] = [{ operation: 'backup' }];
const small: readonly Point[] = [{ operation: 'small backup' }];
/** A restore that ends before it changes anything. */
const plan: readonly Point[] = [{ operation: 'plan' }];
const restore: readonly Point[] = [{ operation: 'restore' }];
const fleetPlan: readonly Point[] = [{ operation: 'fleet plan' }];
const watch: readonly Point[] = [{ operation: 'watch' }];

export const points: Readonly<Record<string, readonly Point[]>> = {
  resolveLane: small,
  describeLane: small,
  surveyLane: small,
  captureLane: backup,
  findReusable: small,
  backupSegment: [{ operation: 'backup', call: 2 }],
  planSupplement: talking,
  backupSecrets: small,
  commitManifest: small,
  appendBackupLog: small,
  dropOldBaks: small,
  describeHolder: [{ operation: 'second backup' }],
  requirePollers: [...plan, ...small],
  chooseBundles: plan,
  preflightRestore: plan,
  checkBundles: restore,
  openStage: restore,
  stageSegment: [{ operation: 'restore', call: 3 }],
  finishRanges: restore,
  stopWriters: [{ operation: 'restore', delayMs: 300 }],
  prepareSwap: restore,
  swapTrees: [{ operation: 'restore', delayMs: 300 }],
  rehydrateSecrets: [{ operation: 'restore', delayMs: 300 }],
  startGateway: [{ operation: 'restore', delayMs: 300 }],
  smokeTest: restore,
  commitRestore: restore,
  tidyLane: [{ operation: 'restore' }, { operation: 'small backup' }],
  settleLane: [
    { operation: 'small backup' },
    { operation: 'failing restore', call: 2, delayMs: 400 },
    { operation: 'undo', call: 2, delayMs: 400 },
  ],
  checkSandbox: [{ operation: 'sandbox' }],
  beginUndo: [{ operation: 'undo' }],
  writeReceipt: restore,
  sweepLane: [{ operation: 'sweep' }],
  describeFleet: fleetPlan,
  measureRestore: fleetPlan,
  planExpiry: [{ operation: 'expire' }],
  buryBundles: [{ operation: 'expire' }],
  removeExpired: [{ operation: 'expire' }],
  listLanes: watch,
  readUnsettled: watch,
};
