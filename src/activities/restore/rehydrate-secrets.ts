// Step 3 of a restore: the Keychain items of the bundle are written back. Old values are kept first, as
// `<service>.bak.<epoch>`, and the journal says which items there were, before the first one is replaced.

import { decodeSecrets, type SecretItem } from '../../bundle/secrets-file.ts';
import { bakName, type Journal, undoneItemName } from '../../contract/journal.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { KeychainItem } from '../../domain/lane-target.ts';
import { type Fence, takeFence } from '../../lane/fence.ts';
import { createLaneKeychain, deleteKeychain, keychainState, neverLock, unlockKeychain } from '../../lane/keychain.ts';
import { deleteItem, findItem, findItems, requireFits, writeItem, writeItems } from '../../lane/keychain-items.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { fromCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { readWhole } from '../read-whole.ts';
import { activity, fenceOf, reach } from '../step.ts';
import { openStored } from './open-stored.ts';
import { requireJournal, saveJournal } from './journal-file.ts';

export function rehydrateSecretsStep(deps: Deps): VaultSteps['rehydrateSecrets'] {
  return activity(async ({ target, fence: step, store, replica, segment }, run) => {
    const shell = await reach(deps, target, run);
    const fence = fenceOf(step, run);
    await takeFence(shell, fence, run.signal);
    const journal = await withKeychain(deps, shell, await requireJournal(shell), fence);
    const { fleet, lane } = target;
    const secrets = await fromCopies(deps, { store, replica }, async (reading) => {
      const stored = await openStored(reading, { fleet, lane, store, segment, signal: run.signal });
      return decodeSecrets(await readWhole(await stored.plain()));
    });
    const items = pickItems(secrets, journal.items, lane);
    await unlock(deps, shell);
    if (journal.keychainMade) await neverLock(shell, { fence });
    await keepOldValues(shell, journal, fence);
    await writeItems(
      shell,
      items.map(({ value, ...item }) => ({ item, value })),
      { fence },
    );
    return { items: items.length };
  });
}

/** On a new host there is none yet: it is made, and the journal says so first. KeychainMissing without a password for it. */
async function withKeychain(deps: Deps, shell: LaneShell, journal: Journal, fence: Fence): Promise<Journal> {
  if ((await keychainState(shell)) !== 'missing') return journal;
  const password = await deps.keychainPassword(shell.target.lane);
  if (password === undefined)
    throw new Failure('KeychainMissing', `the keychain of lane ${shell.target.lane} is missing`, {
      lane: shell.target.lane,
    });
  const made: Journal = { ...journal, keychainMade: true };
  await saveJournal(shell, made, fence);
  await createLaneKeychain(shell, password, { fence });
  return made;
}

/** The items that are named; one that the bundle lacks is refused, one it has beside is left out. KeychainItemMissing. */
export function pickItems(stored: readonly SecretItem[], named: readonly KeychainItem[], lane: string): SecretItem[] {
  return named.map(({ service, account }) => {
    const found = stored.find((item) => item.service === service && item.account === account);
    if (found) return found;
    throw new Failure(
      'KeychainItemMissing',
      `the bundle holds no item ${service} for account ${account} of lane ${lane}`,
      { lane },
    );
  });
}

/** Once: after this the journal has `replaced`, and no later attempt reads a value that is ours as the old one. */
async function keepOldValues(shell: LaneShell, journal: Journal, fence: Fence): Promise<void> {
  if (journal.replaced) return;
  const olds = await findItems(shell, journal.items);
  const copies = journal.items.flatMap((item, at) => {
    const old = olds[at];
    return old ? [{ item: kept(item, journal.epoch), value: old }] : [];
  });
  await writeItems(shell, copies, { fence });
  const replaced = journal.items.map((item, at) => ({ ...item, had: olds[at] !== undefined }));
  await saveJournal(shell, { ...journal, replaced }, fence);
}

/**
 * Old values back, items that were not there removed, the kept copies removed. May be repeated: a kept copy
 * goes only after its value is back. In an undo what is live now is kept beside, as trees are.
 */
export async function takeSecretsBack(deps: Deps, shell: LaneShell, journal: Journal, fence: Fence): Promise<void> {
  // an undo leaves it: who knows what else is in it by then
  if (journal.keychainMade && journal.phase === 'open') return deleteKeychain(shell, { fence });
  if (!journal.replaced) return dropKept(deps, shell, journal, fence);
  await unlock(deps, shell);
  for (const { had, ...item } of journal.replaced) {
    const old = had ? await findItem(shell, kept(item, journal.epoch)) : undefined;
    if (had && !old) continue; // back already: its copy went after it
    if (journal.phase === 'undo') await keepUndone(shell, { item, old, epoch: journal.epoch }, fence);
    if (old) await writeItem(shell, item, old, { fence });
    else await deleteItem(shell, item, { fence });
  }
  for (const { had: _, ...item } of journal.replaced) await deleteItem(shell, kept(item, journal.epoch), { fence });
}

/** Nothing was replaced yet; copies, if any, equal the values beside them. A locked keychain keeps no gateway down for them. */
async function dropKept(deps: Deps, shell: LaneShell, { items, epoch }: Journal, fence: Fence): Promise<void> {
  if (items.length === 0) return;
  // after a reboot it is locked; a password that is wrong now is told by whoever needs the keychain
  await unlock(deps, shell).catch(passKeychain);
  if ((await keychainState(shell)) !== 'unlocked') return;
  for (const item of items) await deleteItem(shell, kept(item, epoch), { fence });
}

function passKeychain(error: unknown): void {
  const passed = ['KeychainPasswordWrong', 'KeychainMissing', 'SecretUnavailable'] as const;
  if (!passed.some((code) => isFailure(error, code))) throw error;
}

interface Undone {
  readonly item: KeychainItem;
  readonly old: Buffer | undefined;
  readonly epoch: number;
}

/** A repeated attempt finds the old value live, or none, and keeps the copy that it made. */
async function keepUndone(shell: LaneShell, { item, old, epoch }: Undone, fence: Fence): Promise<void> {
  const live = await findItem(shell, item);
  if (live && !(old && live.equals(old))) await writeItem(shell, undone(item, epoch), live, { fence });
}

function kept(item: KeychainItem, epoch: number): KeychainItem {
  return { service: bakName(item.service, epoch), account: item.account };
}

function undone({ service, account }: KeychainItem, epoch: number): KeychainItem {
  return { service: undoneItemName(service, epoch), account };
}

/** Items that an undone restore keeps beside. No error when one is not there. */
export async function dropUndone(deps: Deps, shell: LaneShell, { items, epoch }: Journal, fence: Fence): Promise<void> {
  if (items.length === 0) return;
  await unlock(deps, shell);
  for (const item of items) await deleteItem(shell, undone(item, epoch), { fence });
}

/** Of ten digits, as all are until the year 2286. */
const anyEpoch = 1_000_000_000;

/** An old value is kept under a longer name; what would not fit there is refused before anything is stopped. KeychainItemUnusable. */
export function requireFitsBeside(shell: LaneShell, item: KeychainItem, value: Buffer): void {
  for (const beside of [kept(item, anyEpoch), undone(item, anyEpoch)]) requireFits(shell, beside, value);
}

/** The same of the items that are there now. KeychainItemUnusable, KeychainLocked. */
export async function requireKeepable(shell: LaneShell, items: readonly KeychainItem[]): Promise<void> {
  const plain = items.map(({ service, account }) => ({ service, account }));
  for (const [at, live] of (await findItems(shell, plain)).entries()) {
    const item = plain[at];
    if (item && live) requireFitsBeside(shell, item, live);
  }
}

/** Unlocks the lane's keychain when the fleet file gives its password; else it must be unlocked already. */
export async function unlock(deps: Deps, shell: LaneShell): Promise<void> {
  const password = await deps.keychainPassword(shell.target.lane);
  if (password !== undefined) await unlockKeychain(shell, password);
}
