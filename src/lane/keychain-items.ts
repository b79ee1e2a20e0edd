// The items of the lane's keychain: found, written and deleted, several with one command. What comes out is what could be
// written back.

import type { Failure } from '../domain/failure.ts';
import type { KeychainItem } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { addCommand, commandOf, isExpressible, parsePassword } from './keychain-line.ts';
import type { LaneShell } from './lane-shell.ts';
import { failed, type KeychainOptions, security, securityEach, statuses } from './security.ts';

/** How an item is named in a message: both names are in fleet.yaml. */
function named(item: KeychainItem): string {
  return `keychain item ${JSON.stringify(item.service)} of ${JSON.stringify(item.account)}`;
}

function refused(shell: LaneShell, item: KeychainItem, exitStatus: number): Failure {
  if (exitStatus === statuses.notAllowed) return failed(shell, 'KeychainLocked', 'its keychain is locked', exitStatus);
  if (exitStatus === statuses.notFound)
    return failed(shell, 'KeychainItemMissing', `${named(item)} is not there`, exitStatus);
  return failed(
    shell,
    'KeychainItemUnusable',
    `${named(item)} refuses /usr/bin/security (its access list)`,
    exitStatus,
  );
}

function requireSayable(shell: LaneShell, item: KeychainItem): void {
  if (!isExpressible(item.service) || !isExpressible(item.account))
    throw failed(shell, 'KeychainItemUnusable', `${named(item)} has a name that security cannot be told`);
}

const findLine = (shell: LaneShell, { account, service }: KeychainItem): string =>
  commandOf(['find-generic-password', '-g', '-a', account, '-s', service, shell.target.keychain]);

/**
 * The values of items that could be written back as they are, with one command; undefined where there is none.
 * @throws KeychainLocked, KeychainMissing, KeychainItemUnusable (too long for a line, unsayable name, refused by its access list)
 */
export async function findItems(shell: LaneShell, items: readonly KeychainItem[]): Promise<(Buffer | undefined)[]> {
  if (items.length === 0) return [];
  for (const item of items) requireSayable(shell, item);
  const told = await securityEach(
    shell,
    items.map((item) => findLine(shell, item)),
  );
  return items.map((item, at) => valueOf(shell, item, told[at]));
}

function valueOf(
  shell: LaneShell,
  item: KeychainItem,
  told: { readonly exitStatus: number; readonly stderr: string } | undefined,
): Buffer | undefined {
  if (told === undefined) throw failed(shell, 'HostOutputUnexpected', `security was not asked for ${named(item)}`);
  const { exitStatus, stderr } = told;
  if (exitStatus === statuses.notFound) return undefined;
  if (exitStatus !== 0) throw refused(shell, item, exitStatus);
  const value = parsePassword(stderr);
  if (value === undefined && Buffer.byteLength(stderr) < limits.commandErrorBytes)
    throw failed(shell, 'HostOutputUnexpected', `security prints ${named(item)} in an unknown form`);
  if (value === undefined || addCommand(item, value, shell.target.keychain) === undefined)
    throw failed(shell, 'KeychainItemUnusable', `${named(item)} is longer than security can be given back`);
  return value;
}

/** As {@link findItems}, of one. */
export async function findItem(shell: LaneShell, item: KeychainItem): Promise<Buffer | undefined> {
  const [value] = await findItems(shell, [item]);
  return value;
}

/** Refuses a value that could not be written under this name. @throws KeychainItemUnusable */
export function requireFits(shell: LaneShell, item: KeychainItem, value: Buffer): void {
  if (addCommand(item, value, shell.target.keychain) !== undefined) return;
  throw failed(
    shell,
    'KeychainItemUnusable',
    `${named(item)} with a value of ${value.length} bytes is longer than security can be given`,
  );
}

/** As {@link findItems}. @throws KeychainItemMissing when there is none of one */
export async function readItems(shell: LaneShell, items: readonly KeychainItem[]): Promise<Buffer[]> {
  const values = await findItems(shell, items);
  return items.map((item, at) => values[at] ?? missing(shell, item));
}

function missing(shell: LaneShell, item: KeychainItem): never {
  throw refused(shell, item, statuses.notFound);
}

/** As {@link readItems}, of one. */
export async function readItem(shell: LaneShell, item: KeychainItem): Promise<Buffer> {
  return (await findItem(shell, item)) ?? missing(shell, item);
}

export interface ItemValue {
  readonly item: KeychainItem;
  readonly value: Buffer;
}

/**
 * Writes items in their order, replacing values that are there, and reads each back, with one command; the first that is
 * refused is the last one. May be repeated.
 * @throws KeychainItemUnusable when one does not fit or comes back as another value; KeychainLocked, KeychainMissing, FenceLost
 */
export async function writeItems(
  shell: LaneShell,
  values: readonly ItemValue[],
  options: KeychainOptions = {},
): Promise<void> {
  if (values.length === 0) return;
  for (const { item, value } of values) requireFits(shell, item, value);
  const lines = values.flatMap(({ item, value }) => [
    addCommand(item, value, shell.target.keychain) ?? '',
    findLine(shell, item),
  ]);
  const told = await securityEach(shell, lines, options);
  for (const [at, { item, value }] of values.entries()) {
    const { exitStatus } = told[2 * at] ?? { exitStatus: -1 };
    if (exitStatus !== 0) throw refused(shell, item, exitStatus);
    if (valueOf(shell, item, told[2 * at + 1])?.equals(value) !== true)
      throw failed(shell, 'KeychainItemUnusable', `${named(item)} did not come back as it was written`);
  }
}

/** As {@link writeItems}, of one. */
export async function writeItem(
  shell: LaneShell,
  item: KeychainItem,
  value: Buffer,
  options: KeychainOptions = {},
): Promise<void> {
  await writeItems(shell, [{ item, value }], options);
}

/** @returns whether it was there. @throws KeychainLocked, KeychainMissing, FenceLost */
export async function deleteItem(
  shell: LaneShell,
  item: KeychainItem,
  options: KeychainOptions = {},
): Promise<boolean> {
  if (!isExpressible(item.service) || !isExpressible(item.account))
    throw failed(shell, 'KeychainItemUnusable', `${named(item)} has a name that security cannot be told`);
  const { exitStatus } = await security(
    shell,
    commandOf(['delete-generic-password', '-a', item.account, '-s', item.service, shell.target.keychain]),
    options,
  );
  if (exitStatus === 0) return true;
  if (exitStatus === statuses.notFound) return false;
  throw refused(shell, item, exitStatus);
}
