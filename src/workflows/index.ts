// The workflows, by their names in Temporal.

export { backupFleet } from './backup-fleet.ts';
export { backupLane } from './backup-lane.ts';
export { expireBundles } from './expire-bundles.ts';
export { laneSection } from './lane-section.ts';
export { recoverBadUpgrade } from './recover-bad-upgrade.ts';
export { recoverCrossWrite } from './recover-cross-write.ts';
export { recoverDiskFull } from './recover-disk-full.ts';
export { recoverHostLoss, recoverRegionLoss } from './recover-losses.ts';
export { replicateBundle } from './replicate-bundle.ts';
export { restoreFleet } from './restore-fleet.ts';
export { restoreLane } from './restore-lane.ts';
export { sweepStore } from './sweep-store.ts';
export { importArchive } from './import-archive.ts';
export { upgradeLane } from './upgrade-lane.ts';
export { verifyBundle } from './verify-bundle.ts';
export { keepMoved } from './keep-moved.ts';
export { watchFleet } from './watch-fleet.ts';
export { qualifyHost } from './qualify-host.ts';
export { watchRpo } from './watch-rpo.ts';
