// Everything on the host that can be checked before anything is stopped: room, keychain, launchd. What would
// fail later is refused now, by name, with nothing changed.

import type { Journal } from '../../contract/journal.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';
import { usedRatioOf } from '../../domain/quantity.ts';
import { keychainState } from '../../lane/keychain.ts';
import { readJob } from '../../lane/launchd.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { diskOf, requirePortFree } from '../../lane/survey.ts';
import type { Deps } from '../deps.ts';
import { activity, reach } from '../step.ts';
import { lastRestored } from './journal-file.ts';
import { requireKeepable, unlock } from './rehydrate-secrets.ts';
import { neededFor, requireRoom } from './require-room.ts';

export function preflightRestoreStep(deps: Deps): VaultSteps['preflightRestore'] {
  return activity(async ({ target, sizeBytes, secrets, live }, run) => {
    const shell = await reach(deps, target, run);
    if (live) await checkGateway(shell);
    const made = secrets.length > 0 && live && (await willBeMade(deps, shell));
    if (secrets.length > 0 && !made) await requireUnlocked(deps, shell);
    if (live && !made) await requireKeepable(shell, secrets);
    const room = await diskOf(shell, target.home);
    const { freeBytes } = room;
    const neededBytes = neededFor(sizeBytes);
    requireRoom(target.lane, freeBytes, neededBytes);
    const warnings = fullWarnings(usedRatioOf(room, neededBytes));
    const lastRestore = (await lastRestored(shell))?.restore ?? null;
    return { freeBytes, neededBytes, lastRestore, warnings: made ? [madeWarning, ...warnings] : warnings };
  });
}

const madeWarning = 'the lane has no keychain on this host: it is made, with the password of fleet.yaml';

/** A keychain that is missing is made by a live restore, if there is a password for it: as on a new host. */
async function willBeMade(deps: Deps, shell: LaneShell): Promise<boolean> {
  if ((await keychainState(shell)) !== 'missing') return false;
  return (await deps.keychainPassword(shell.target.lane)) !== undefined;
}

/** The domain is there; and what listens on the lane's port is the lane's own. */
async function checkGateway(shell: LaneShell): Promise<void> {
  const job = await readJob(shell);
  if (job.pid === undefined) await requirePortFree(shell);
}

/** KeychainLocked, KeychainMissing, KeychainPasswordWrong. */
async function requireUnlocked(deps: Deps, shell: LaneShell): Promise<void> {
  await unlock(deps, shell);
  const state = await keychainState(shell);
  if (state === 'unlocked') return;
  const code = state === 'missing' ? 'KeychainMissing' : 'KeychainLocked';
  throw new Failure(code, `the keychain of lane ${shell.target.lane} is ${state}`, { lane: shell.target.lane });
}

/** What an undo keeps beside fits there. KeychainItemUnusable, and those of `requireUnlocked`. */
export async function requireUndoable(deps: Deps, shell: LaneShell, { replaced }: Journal): Promise<void> {
  if (!replaced) return;
  await requireUnlocked(deps, shell);
  await requireKeepable(shell, replaced);
}

/** The old trees stay beside the new ones: the mark is judged with them. */
function fullWarnings(usedRatio: number): string[] {
  if (usedRatio < limits.diskFullRatio) return [];
  return [
    `with the old tree kept beside it the volume will be ${Math.round(usedRatio * 100)} % full; the mark is ${limits.diskFullRatio * 100} %`,
  ];
}
