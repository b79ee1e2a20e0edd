// The activities of each queue, made of what they need.

import { lookAtRpoStep } from './rpo/look-at-rpo.ts';
import type { DataSteps, HostSteps, VaultDataSteps, VaultSteps } from '../contract/steps.ts';
import { findArchiveStep } from './archive/find-archive.ts';
import { importArchiveStep } from './archive/import-archive.ts';
import { backupSecretsStep } from './backup/backup-secrets.ts';
import { backupSegmentStep } from './backup/backup-segment.ts';
import { captureLaneStep } from './backup/capture-lane.ts';
import { commitManifestStep } from './backup/commit-manifest.ts';
import { findReusableStep } from './backup/find-reusable.ts';
import { planSupplementStep } from './backup/plan-supplement.ts';
import { commitReplicaStep } from './copy/commit-replica.ts';
import { copyReceiptsStep } from './copy/copy-receipts.ts';
import { copySegmentsStep } from './copy/copy-segments.ts';
import { listUncopiedStep, planReplicaStep } from './copy/plan-replica.ts';
import type { Deps, StoreUse, WorkerDeps } from './deps.ts';
import { appendBackupLogStep } from './host/append-backup-log.ts';
import {
  describeFleetStep,
  describeHolderStep,
  describeLaneStep,
  listLanesStep,
  requirePollersStep,
  resolveLaneStep,
} from './host/lanes.ts';
import { describeHooksStep, runHookStep } from './hooks/run-hook.ts';
import { probeOriginStep } from './host/probe-origin.ts';
import { readUnsettledStep } from './host/read-unsettled.ts';
import { surveyLaneStep } from './host/survey-lane.ts';
import { tidyLaneStep } from './host/tidy-lane.ts';
import { awaitHostStep, stopLeftStep } from './losses/left-host.ts';
import { describeHostStep, describeLostStep } from './losses/describe-lost.ts';
import { findRefugeStep } from './losses/find-refuge.ts';
import { prepareHostStep } from './losses/prepare-host.ts';
import { readMovedStep } from './losses/read-moved.ts';
import { vouchHostStep } from './losses/vouch-host.ts';
import { briefIncidentStep } from './recover/brief-incident.ts';
import { choosePreUpgradeStep } from './recover/choose-pre-upgrade.ts';
import { planRecoveryStep } from './recover/plan-recovery.ts';
import { pruneLaneStep } from './recover/prune-lane.ts';
import { writeIncidentReceiptStep } from './recover/write-incident-receipt.ts';
import { verifyApprovalStep } from './recover/verify-approval.ts';
import { checkBundlesStep } from './restore/check-bundles.ts';
import { checkDatabasesStep } from './restore/check-databases.ts';
import { checkSandboxStep } from './restore/check-sandbox.ts';
import { chooseBundlesStep } from './restore/choose-among-copies.ts';
import { beginUndoStep, commitRestoreStep } from './restore/commit-restore.ts';
import { finishRangesStep } from './restore/finish-ranges.ts';
import { measureRestoreStep } from './restore/measure-restore.ts';
import { openStageStep } from './restore/open-stage.ts';
import { preflightRestoreStep } from './restore/preflight-restore.ts';
import { applySchedulesStep } from './gate/apply-schedules.ts';
import { checkKeysStep } from './gate/check-keys.ts';
import { lookAtHostStep } from './gate/look-at-host.ts';
import { nextGateDayStep } from './gate/next-gate-day.ts';
import { readBackupLogStep } from './gate/read-backup-log.ts';
import { writeGateReceiptStep } from './gate/write-gate-receipt.ts';
import { prepareSwapStep } from './restore/prepare-swap.ts';
import { rehydrateSecretsStep } from './restore/rehydrate-secrets.ts';
import { smokeTestStep } from './restore/smoke-test.ts';
import { stageSegmentStep } from './restore/stage-segment.ts';
import { startGatewayStep } from './restore/start-gateway.ts';
import { stopWritersStep } from './restore/stop-writers.ts';
import { swapTreesStep } from './restore/swap-trees.ts';
import { dropOldBaksStep } from './settle/drop-old-baks.ts';
import { settleLaneStep } from './settle/settle-lane.ts';
import { writeReceiptStep } from './receipts/write-receipt.ts';
import { buryBundlesStep, planExpiryStep, removeExpiredStep } from './expire/expire.ts';
import { sweepLaneStep } from './sweep-lane.ts';
import { compareLaneStep } from './verify/compare-lane.ts';
import { verifyDatabasesStep } from './verify/verify-databases.ts';
import { planVerificationStep } from './verify/plan-verification.ts';
import { recordVerificationStep } from './verify/record-verification.ts';
import { countMixedStep } from './watch/count-mixed.ts';
import { describeWatchStep } from './watch/describe-watch.ts';
import { holdLaneStep } from './watch/hold-lane.ts';
import { probeControlsStep } from './watch/probe-controls.ts';
import { sampleHostStep } from './watch/sample-host.ts';
import { verifySegmentsStep } from './verify/verify-segments.ts';

export type { Archives, Deps, FleetView, Keys, TemporalView } from './deps.ts';

export interface Activities {
  readonly host: HostSteps;
  readonly data: DataSteps;
  readonly vault: VaultSteps;
  readonly vaultData: VaultDataSteps;
}

/** All activities, by the queue that runs them (contract/names.ts). */
export function createActivities(deps: WorkerDeps): Activities {
  const using = (use: StoreUse): Deps => ({ ...deps, store: (name) => deps.store(name, use) });
  const [backup, vault] = [using('backup'), using('vault')];
  return {
    host: hostSteps(vault),
    data: dataSteps(backup),
    vault: vaultSteps(vault),
    vaultData: vaultDataSteps(vault),
  };
}

function hostSteps(deps: Deps): HostSteps {
  return {
    resolveLane: resolveLaneStep(deps),
    describeLane: describeLaneStep(deps),
    describeFleet: describeFleetStep(deps),
    listLanes: listLanesStep(deps),
    describeHolder: describeHolderStep(deps),
    requirePollers: requirePollersStep(deps),
    surveyLane: surveyLaneStep(deps),
    probeOrigin: probeOriginStep(deps),
    readUnsettled: readUnsettledStep(deps),
    openStage: openStageStep(deps),
    stopWriters: stopWritersStep(deps),
    prepareSwap: prepareSwapStep(deps),
    swapTrees: swapTreesStep(deps),
    startGateway: startGatewayStep(deps),
    holdLane: holdLaneStep(deps),
    describeWatch: describeWatchStep(deps),
    sampleHost: sampleHostStep(deps),
    probeControls: probeControlsStep(deps),
    countMixed: countMixedStep(deps),
    commitRestore: commitRestoreStep(deps),
    tidyLane: tidyLaneStep(deps),
    pruneLane: pruneLaneStep(deps),
    appendBackupLog: appendBackupLogStep(deps),
    lookAtHost: lookAtHostStep(deps),
    nextGateDay: nextGateDayStep(),
    readBackupLog: readBackupLogStep(deps),
    prepareHost: prepareHostStep(deps),
    awaitHost: awaitHostStep(deps),
    stopLeft: stopLeftStep(deps),
    readMoved: readMovedStep(deps),
  };
}

function dataSteps(deps: Deps): DataSteps {
  return {
    captureLane: captureLaneStep(deps),
    planSupplement: planSupplementStep(deps),
    backupSegment: backupSegmentStep(deps),
    backupSecrets: backupSecretsStep(deps),
    commitManifest: commitManifestStep(deps),
    findArchive: findArchiveStep(deps),
    importArchive: importArchiveStep(deps),
    buryBundles: buryBundlesStep(deps),
  };
}

function vaultSteps(deps: Deps): VaultSteps {
  return {
    findReusable: findReusableStep(deps),
    vouchHost: vouchHostStep(deps),
    describeLost: describeLostStep(deps),
    describeHost: describeHostStep(deps),
    findRefuge: findRefugeStep(deps),
    measureRestore: measureRestoreStep(deps),
    chooseBundles: chooseBundlesStep(deps),
    briefIncident: briefIncidentStep(deps),
    planRecovery: planRecoveryStep(deps),
    verifyApproval: verifyApprovalStep(deps),
    writeIncidentReceipt: writeIncidentReceiptStep(deps),
    preflightRestore: preflightRestoreStep(deps),
    rehydrateSecrets: rehydrateSecretsStep(deps),
    beginUndo: beginUndoStep(deps),
    settleLane: settleLaneStep(deps),
    smokeTest: smokeTestStep(deps),
    dropOldBaks: dropOldBaksStep(deps),
    writeReceipt: writeReceiptStep(deps),
    sweepLane: sweepLaneStep(deps),
    listUncopied: listUncopiedStep(deps),
    planReplica: planReplicaStep(deps),
    copyReceipts: copyReceiptsStep(deps),
    planVerification: planVerificationStep(deps),
    recordVerification: recordVerificationStep(deps),
    commitReplica: commitReplicaStep(deps),
    planExpiry: planExpiryStep(deps),
    removeExpired: removeExpiredStep(deps),
    choosePreUpgrade: choosePreUpgradeStep(deps),
    lookAtRpo: lookAtRpoStep(deps),
    describeHooks: describeHooksStep(deps),
    runHook: runHookStep(deps),
    checkKeys: checkKeysStep(deps),
    applySchedules: applySchedulesStep(deps),
    writeGateReceipt: writeGateReceiptStep(deps),
  };
}

function vaultDataSteps(deps: Deps): VaultDataSteps {
  return {
    checkBundles: checkBundlesStep(deps),
    copySegments: copySegmentsStep(deps),
    verifySegments: verifySegmentsStep(deps),
    verifyDatabases: verifyDatabasesStep(deps),
    compareLane: compareLaneStep(deps),
    stageSegment: stageSegmentStep(deps),
    finishRanges: finishRangesStep(deps),
    checkDatabases: checkDatabasesStep(deps),
    checkSandbox: checkSandboxStep(deps),
  };
}
