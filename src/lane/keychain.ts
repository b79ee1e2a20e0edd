// The lane's keychain, through `security -i` on stdin: a value is on no command line, and what security prints is in no
// message. Its exit status is the OSStatus's last byte (macos-notes, 2). One command per call: only the last one's counts.

import { Failure, type FailureCode } from '../domain/failure.ts';
import type { KeychainItem } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import type { Fence } from './fence-script.ts';
import { addCommand, commandOf, isExpressible, parsePassword } from './keychain-line.ts';
import type { LaneShell, RunResult } from './lane-shell.ts';

export interface KeychainOptions {
  readonly fence?: Fence | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** OSStatus & 0xFF. */
const statuses = { notAllowed: 36, notFound: 44, noKeychain: 50, authFailed: 51 } as const;
const absentStatus = 3;

function failed(shell: LaneShell, code: FailureCode, what: string, exitStatus?: number): Failure {
  const { lane, host } = shell.target;
  return new Failure(code, `lane ${lane}: ${what}`, {
    lane,
    host: host.name,
    tool: 'security',
    ...(exitStatus === undefined ? {} : { exitStatus }),
  });
}

/** How an item is named in a message: both names are in fleet.yaml. */
function named(item: KeychainItem): string {
  return `keychain item ${JSON.stringify(item.service)} of ${JSON.stringify(item.account)}`;
}

/** Runs one line; the keychain's absence is looked at first, for a missing one may look locked. */
async function security(shell: LaneShell, line: string, options: KeychainOptions = {}): Promise<RunResult> {
  const known = [0, absentStatus, ...Object.values(statuses)];
  const text = `[ -e "$2" ] || exit ${absentStatus}\nexec "$1" -i`;
  const result = await shell.script(text, [shell.tool('security'), shell.target.keychain], {
    ...options,
    stdin: `${line}\n`,
    okStatuses: known,
    tool: 'security',
  });
  if (result.exitStatus === absentStatus || result.exitStatus === statuses.noKeychain)
    throw failed(shell, 'KeychainMissing', 'its keychain is not there', result.exitStatus);
  return result;
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

/**
 * Unlocks the lane's keychain until it locks itself or the host restarts. May be repeated.
 * @throws KeychainMissing, KeychainPasswordWrong
 */
export async function unlockKeychain(shell: LaneShell, password: string): Promise<void> {
  const line = commandOf(['unlock-keychain', '-p', password, shell.target.keychain]);
  if (!isExpressible(password) || Buffer.byteLength(line) > limits.keychainLineBytes)
    throw failed(shell, 'KeychainPasswordWrong', 'the keychain password has a newline or is too long for security');
  const { exitStatus } = await security(shell, line);
  if (exitStatus !== 0) throw failed(shell, 'KeychainPasswordWrong', 'its keychain refuses the password', exitStatus);
}

/**
 * Makes the keychain that the shell's target names, open, in a folder that is there; one that lies there is deleted first.
 * @param password of letters and digits
 * @throws HostCommandFailed, FenceLost
 */
export async function createKeychain(shell: LaneShell, password: string, options: KeychainOptions = {}): Promise<void> {
  await deleteKeychain(shell, options);
  const line = commandOf(['create-keychain', '-p', password, shell.target.keychain]);
  await shell.script('exec "$1" -i', [shell.tool('security')], { ...options, stdin: `${line}\n`, tool: 'security' });
}

/** Deletes it, open or locked, with all that it holds; no error when it is absent. @throws HostCommandFailed, FenceLost */
export async function deleteKeychain(shell: LaneShell, options: KeychainOptions = {}): Promise<void> {
  const line = commandOf(['delete-keychain', shell.target.keychain]);
  await shell.script(
    '[ -e "$2" ] || exit 0\n"$1" -i || exit $?\nrm -f "$2"',
    [shell.tool('security'), shell.target.keychain],
    {
      ...options,
      stdin: `${line}\n`,
      tool: 'security',
    },
  );
}

/**
 * Makes the lane's keychain, open, and its folder. It never locks itself (macos-notes, 2, "Dedicated keychain"); items are
 * found in it by its path. The one that is there stays, whatever its password.
 * @throws KeychainPasswordWrong for one that security cannot be told; KeychainMissing when it did not come to be; FenceLost
 */
export async function createLaneKeychain(shell: LaneShell, password: string, options: KeychainOptions): Promise<void> {
  const { keychain } = shell.target;
  const line = commandOf(['create-keychain', '-p', password, keychain]);
  if (!isExpressible(password) || Buffer.byteLength(line) > limits.keychainLineBytes)
    throw failed(shell, 'KeychainPasswordWrong', 'the keychain password has a newline or is too long for security');
  const text = `[ -e "$2" ] && exit 0\nmkdir -p "\${2%/*}" || exit 1\n"$1" -i\n[ -e "$2" ] || exit ${absentStatus}`;
  const { exitStatus } = await shell.script(text, [shell.tool('security'), keychain], {
    ...options,
    stdin: `${line}\n`,
    okStatuses: [0, absentStatus],
    tool: 'security',
  });
  if (exitStatus !== 0) throw failed(shell, 'KeychainMissing', 'its keychain could not be made', exitStatus);
}

/** No time-out and no lock on sleep. May be repeated. @throws KeychainLocked, KeychainMissing, FenceLost */
export async function neverLock(shell: LaneShell, options: KeychainOptions): Promise<void> {
  const { exitStatus } = await security(shell, commandOf(['set-keychain-settings', shell.target.keychain]), options);
  if (exitStatus !== 0) throw failed(shell, 'KeychainLocked', 'its keychain refuses its settings', exitStatus);
}

/** Without a user at the console, asking for a locked keychain's settings answers 36 (interaction not allowed). */
export async function keychainState(shell: LaneShell): Promise<'unlocked' | 'locked' | 'missing'> {
  try {
    const { exitStatus } = await security(shell, commandOf(['show-keychain-info', shell.target.keychain]));
    return exitStatus === 0 ? 'unlocked' : 'locked';
  } catch (error) {
    if (error instanceof Failure && error.code === 'KeychainMissing') return 'missing';
    throw error;
  }
}

/**
 * The value of an item that could be written back as it is; undefined when there is none.
 * @throws KeychainLocked, KeychainMissing, KeychainItemUnusable (too long for a line, unsayable name, refused by its access list)
 */
export async function findItem(shell: LaneShell, item: KeychainItem): Promise<Buffer | undefined> {
  if (!isExpressible(item.service) || !isExpressible(item.account))
    throw failed(shell, 'KeychainItemUnusable', `${named(item)} has a name that security cannot be told`);
  const { exitStatus, stderr } = await security(
    shell,
    commandOf(['find-generic-password', '-g', '-a', item.account, '-s', item.service, shell.target.keychain]),
  );
  if (exitStatus === statuses.notFound) return undefined;
  if (exitStatus !== 0) throw refused(shell, item, exitStatus);
  const value = parsePassword(stderr);
  if (value === undefined && Buffer.byteLength(stderr) < limits.commandErrorBytes)
    throw failed(shell, 'HostOutputUnexpected', `security prints ${named(item)} in an unknown form`);
  if (value === undefined || addCommand(item, value, shell.target.keychain) === undefined)
    throw failed(shell, 'KeychainItemUnusable', `${named(item)} is longer than security can be given back`);
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

/** As {@link findItem}. @throws KeychainItemMissing when there is none */
export async function readItem(shell: LaneShell, item: KeychainItem): Promise<Buffer> {
  const value = await findItem(shell, item);
  if (value === undefined) throw refused(shell, item, statuses.notFound);
  return value;
}

/**
 * Writes an item, replacing its value if it is there, and reads it back. May be repeated.
 * @throws KeychainItemUnusable when it does not fit or comes back as another value; KeychainLocked, KeychainMissing, FenceLost
 */
export async function writeItem(
  shell: LaneShell,
  item: KeychainItem,
  value: Buffer,
  options: KeychainOptions = {},
): Promise<void> {
  requireFits(shell, item, value);
  const { exitStatus } = await security(shell, addCommand(item, value, shell.target.keychain) ?? '', options);
  if (exitStatus !== 0) throw refused(shell, item, exitStatus);
  const written = await findItem(shell, item);
  if (written === undefined || !written.equals(value))
    throw failed(shell, 'KeychainItemUnusable', `${named(item)} did not come back as it was written`);
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
