// The line of a bundle in the node's own log of backups, read back: the gate's first day wants it there.

import type { GateHostSteps } from '../../contract/gate-steps.ts';
import { readBackupLog } from '../../lane/backup-log.ts';
import type { Deps } from '../deps.ts';
import { activity, reach } from '../step.ts';

export function readBackupLogStep(deps: Deps): GateHostSteps['readBackupLog'] {
  return activity(async ({ target, bundle }, run) => {
    const lines = await readBackupLog(await reach(deps, target, run), bundle);
    const mine = lines
      .map(pairsOf)
      .filter((pairs) => pairs.get('lane') === target.lane && pairs.get('bundle') === bundle);
    const last = mine.at(-1);
    return last ? { outcome: last.get('outcome') ?? '-', manifestSha256: last.get('sha256') ?? '-' } : null;
  });
}

function pairsOf(line: string): Map<string, string> {
  return new Map(
    line.split(' ').map((pair): [string, string] => {
      const at = pair.indexOf('=');
      return [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)];
    }),
  );
}
