// The lane's keychain itself: made, unlocked, deleted (keychain-items.ts has what is in it).

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { commandOf, isExpressible } from './keychain-line.ts';
import type { LaneShell } from './lane-shell.ts';
import { absentStatus, failed, type KeychainOptions, security } from './security.ts';

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
