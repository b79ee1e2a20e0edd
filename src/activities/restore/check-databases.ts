// Databases of an imported archive were copied as they lay there, beside a gateway that wrote them. Each is recovered in
// the staging tree and checked, so that a damaged one is told while the old gateway still runs.

import type { VaultDataSteps } from '../../contract/steps.ts';
import { databasesDamaged, recoverDatabase } from '../../lane/sqlite-check.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { requireProfile } from '../profiles.ts';
import { activity, reach } from '../step.ts';
import { stagedDatabases } from './staged-databases.ts';

export function checkDatabasesStep(deps: Deps): VaultDataSteps['checkDatabases'] {
  return activity(async ({ target, under, restore }, run) => {
    const shell = await reach(deps, target, run);
    const base = `${target.home}/${clawbackDirectory}/${stageDirectory(restore)}/home`;
    const databases = await stagedDatabases(shell, base, requireProfile(target.profile));
    let damaged = 0;
    for (const path of databases) {
      const isWhole = await recoverDatabase(shell, `${base}/${path}`, { fence: under, signal: run.signal });
      if (!isWhole) damaged++;
    }
    if (damaged > 0) throw databasesDamaged(shell, damaged, databases.length);
    return { databases: databases.length };
  });
}
