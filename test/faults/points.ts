// Where each activity is met by its faults: in which operation, at which of its calls. An activity without a point
// here fails the sweep.

import type { BedProfile } from '../bed/bed-types.ts';

export const operations = [
  'backup',
  'small backup',
  'talking backup',
  'plan',
  'restore',
  'failing restore',
  'stuck restore',
  'sandbox',
  'import',
  'sandbox of an archive',
  'move',
  'undo',
  'sweep',
  'fleet plan',
  'fleet restore',
  'expire',
  'removal',
  'watch',
  'second backup',
  'copy',
  'copy all',
  'verify',
  'upgrade',
  'plan recovery',
  'signals',
  'rpo watch',
  'disk full',
  'cross-write',
  'plan of a loss',
  'host loss',
  'gate',
] as const;
export type OperationName = (typeof operations)[number];

/** What a row needs of its rig: lanes of the procedure's layout, or of today's; a host that is all of it; hosts to lose. */
export type RigKind = 'lanes' | 'modern' | 'host' | 'losses';

export function kindOf({ operation, profile }: Point): RigKind {
  if (profile !== undefined) return 'modern';
  if (operation === 'plan of a loss' || operation === 'host loss') return 'losses';
  const wholeHost: readonly OperationName[] = ['signals', 'rpo watch', 'disk full', 'cross-write', 'gate'];
  return wholeHost.includes(operation) ? 'host' : 'lanes';
}

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
  'planExpiry',
  'findArchive',
  'probeOrigin',
  'listUncopied',
  'planReplica',
  'planVerification',
  'verifySegments',
  'verifyDatabases',
  'compareLane',
  'describeHooks',
  'choosePreUpgrade',
  'briefIncident',
  'planRecovery',
  'describeWatch',
  'sampleHost',
  'probeControls',
  'countMixed',
  'lookAtHost',
  'nextGateDay',
  'readBackupLog',
  'awaitHost',
  'readMoved',
  'vouchHost',
  'describeLost',
  'describeHost',
  'findRefuge',
  'verifyApproval',
  'lookAtRpo',
  'checkKeys',
];

/** What fails for good in these is told as a warning, and costs neither the bundle nor the restored lane. */
export const onlyWarns: readonly string[] = [
  'appendBackupLog',
  'tidyLane',
  'dropOldBaks',
  'writeReceipt',
  'readUnsettled',
];

/** A look that is not made again: it is told that nothing was seen, and the next run sees. */
export const looksOnce: readonly string[] = ['describeWatch', 'sampleHost', 'probeControls'];

/** Of the keeper of a lost host, which does not end before it has its answer. */
export const keepers: readonly string[] = ['awaitHost', 'stopLeft'];

/** Asked once more by their workflow, whatever they fail with: then nothing is to be told. */
export const askedAgain: readonly string[] = [...keepers, 'pruneLane'];

export function faultsOf(activity: string, { profile, faults }: Point): readonly FaultName[] {
  if (faults !== undefined) return faults;
  if (profile !== undefined) return ['kill'];
  return reading.includes(activity) ? ['kill', 'fail'] : faultNames;
}

const inParent = [
  'resolveLane',
  'describeFleet',
  'measureRestore',
  'describeHolder',
  'listLanes',
  'readUnsettled',
  'listUncopied',
  'copyReceipts',
  'planReplica',
  'copySegments',
  'commitReplica',
  'planVerification',
  'verifySegments',
  'verifyDatabases',
  'compareLane',
  'recordVerification',
  'choosePreUpgrade',
  'briefIncident',
  'planRecovery',
  'describeWatch',
  'sampleHost',
  'probeControls',
  'countMixed',
  'lookAtHost',
  'nextGateDay',
  'readBackupLog',
  'prepareHost',
  'awaitHost',
  'stopLeft',
  'readMoved',
  'vouchHost',
  'describeLost',
  'describeHost',
  'findRefuge',
  'verifyApproval',
  'writeIncidentReceipt',
  'lookAtRpo',
  'checkKeys',
  'applySchedules',
  'writeGateReceipt',
];

/** Called by the workflow that the operator starts, not by the lane's section below it. */
export function isInParent(activity: string): boolean {
  return inParent.includes(activity);
}

export interface Point {
  readonly operation: OperationName;
  /** The call that meets the fault; the first when left out. */
  readonly call?: number;
  /** How long the body runs before the worker dies, ms. */
  readonly delayMs?: number;
  /** All that the activity can meet, when left out. */
  readonly faults?: readonly FaultName[];
  /** Of the lane; the procedure's when left out. Others are met by one fault only. */
  readonly profile?: BedProfile;
}

/** Files of the lane change while its segments are read, so that a supplement is planned. */
const talking: readonly Point[] = [{ operation: 'talking backup' }];
/** Tier B; tier A where the fault meets a step that both have. */
const backup: readonly Point[] = [{ operation: 'backup' }];
const small: readonly Point[] = [{ operation: 'small backup' }];
/** A restore that ends before it changes anything. */
const plan: readonly Point[] = [{ operation: 'plan' }];
/** A plan, and what writes: there the room of each lane is measured before any of them begins. */
const fleets: readonly Point[] = [{ operation: 'fleet plan' }, { operation: 'fleet restore' }];
const watch: readonly Point[] = [{ operation: 'watch' }];
/** A layout with databases whose tables are emptied, launchd's modern verbs, and one root. */
const modern = (point: Point): Point => ({ ...point, profile: 'openclaw-2026' });
const restores: readonly Point[] = [{ operation: 'restore' }, modern({ operation: 'restore' })];
const restoresLate: readonly Point[] = restores.map((point) => ({ ...point, delayMs: 300 }));
/** Of a bundle that the replica has: everything is read again there. */
const copy: readonly Point[] = [{ operation: 'copy' }];
const verify: readonly Point[] = [{ operation: 'verify' }];

/** Its hooks do nothing, so that an upgrade that went back leaves the lane as it was. */
const upgrade: readonly Point[] = [{ operation: 'upgrade' }];

const signals: readonly Point[] = [{ operation: 'signals' }];
/** Its plan is approved by signature. */
const diskFull: readonly Point[] = [{ operation: 'disk full' }];
const planOfLoss: readonly Point[] = [{ operation: 'plan of a loss' }];
const hostLoss: readonly Point[] = [{ operation: 'host loss' }];
/** To its second day, by the calendar, and abandoned there. */
const gate: readonly Point[] = [{ operation: 'gate' }];

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
  checkBundles: restores,
  openStage: restores,
  stageSegment: restores.map((point) => ({ ...point, call: 3 })),
  finishRanges: restores,
  stopWriters: restoresLate,
  prepareSwap: restores,
  swapTrees: restoresLate,
  rehydrateSecrets: restoresLate,
  startGateway: restoresLate,
  smokeTest: restores,
  commitRestore: restores,
  tidyLane: [{ operation: 'restore' }, { operation: 'small backup' }],
  settleLane: [
    { operation: 'small backup' },
    { operation: 'failing restore', call: 2, delayMs: 400 },
    { operation: 'stuck restore', call: 2, delayMs: 400, faults: ['kill'] },
    { operation: 'undo', call: 2, delayMs: 400 },
    modern({ operation: 'undo', call: 2, delayMs: 400 }),
  ],
  checkSandbox: [{ operation: 'sandbox' }, modern({ operation: 'sandbox' })],
  findArchive: [{ operation: 'import' }],
  importArchive: [{ operation: 'import', delayMs: 300 }],
  checkDatabases: [{ operation: 'sandbox of an archive' }],
  probeOrigin: [{ operation: 'move' }],
  beginUndo: [{ operation: 'undo' }, modern({ operation: 'undo' })],
  writeReceipt: restores,
  sweepLane: [{ operation: 'sweep' }],
  describeFleet: fleets,
  measureRestore: fleets,
  planExpiry: [{ operation: 'expire' }],
  buryBundles: [{ operation: 'expire' }],
  removeExpired: [{ operation: 'expire' }, { operation: 'removal' }],
  listLanes: watch,
  readUnsettled: watch,
  listUncopied: [{ operation: 'copy all' }],
  copyReceipts: [{ operation: 'copy all' }],
  planReplica: copy,
  copySegments: copy,
  commitReplica: copy,
  planVerification: verify,
  verifySegments: verify,
  verifyDatabases: verify,
  compareLane: verify,
  recordVerification: verify,
  describeHooks: upgrade,
  runHook: [{ operation: 'upgrade', delayMs: 500 }],
  choosePreUpgrade: [{ operation: 'plan recovery' }],
  briefIncident: [{ operation: 'plan recovery' }],
  planRecovery: [{ operation: 'plan recovery' }],
  describeWatch: signals,
  sampleHost: signals,
  probeControls: signals,
  lookAtRpo: [{ operation: 'rpo watch' }],
  pruneLane: diskFull,
  verifyApproval: diskFull,
  writeIncidentReceipt: diskFull,
  holdLane: [{ operation: 'cross-write', delayMs: 200 }],
  countMixed: [{ operation: 'cross-write' }],
  describeLost: planOfLoss,
  findRefuge: planOfLoss,
  // the first call only looks
  prepareHost: [{ operation: 'host loss', call: 2, delayMs: 200 }],
  vouchHost: hostLoss,
  describeHost: hostLoss,
  readMoved: hostLoss,
  awaitHost: hostLoss,
  stopLeft: [{ operation: 'host loss', delayMs: 200 }],
  checkKeys: gate,
  lookAtHost: gate,
  applySchedules: [{ operation: 'gate', delayMs: 200 }],
  readBackupLog: gate,
  nextGateDay: gate,
  writeGateReceipt: gate,
};
