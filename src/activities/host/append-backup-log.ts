// The line that each backup leaves in /var/log/openclaw-backup.log on the node, for governance reviews
// (procedure, "Backup tiers"): time, host, lane, tier, bundle, bytes, SHA-256 of the manifest, seconds, outcome, error code.

import type { BackupLogLine } from '../../contract/step-types.ts';
import type { HostSteps } from '../../contract/steps.ts';
import type { LaneTarget } from '../../domain/lane-target.ts';
import { appendBackupLog } from '../../lane/backup-log.ts';
import type { Deps } from '../deps.ts';
import { activity, reach } from '../step.ts';

export function appendBackupLogStep(deps: Deps): HostSteps['appendBackupLog'] {
  return activity(async ({ target, line }, run) => {
    await appendBackupLog(await reach(deps, target, run), formatLine(new Date(), target, line));
  });
}

/** One line of `name=value` pairs in a fixed order; none of the values has a blank. */
export function formatLine(at: Date, target: LaneTarget, line: BackupLogLine): string {
  const pairs = {
    time: at.toISOString(),
    host: target.host.name,
    lane: target.lane,
    tier: line.tier,
    bundle: line.bundle,
    bytes: line.sizeBytes,
    sha256: line.manifestSha256 ?? '-',
    seconds: (line.elapsedMs / 1000).toFixed(1),
    outcome: line.outcome,
    error: line.errorCode ?? '-',
  };
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
