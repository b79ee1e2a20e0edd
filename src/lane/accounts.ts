// Accounts on a host: there or not, and made. sysadminctl is Apple's tool for it (ss64.com/mac/sysadminctl.html); without a
// password nobody logs in by one, which is as it should be: workers come by sudo.

import { Failure } from '../domain/failure.ts';
import { toolPath } from '../domain/lane-target.ts';
import { parseDf } from './disk.ts';
import type { LaneShell } from './lane-shell.ts';

/** Is the lane's account on the host? */
export async function hasAccount(shell: LaneShell): Promise<boolean> {
  const text = 'id -u "$1" >/dev/null 2>&1 && echo y || echo n';
  const { stdout } = await shell.script(text, [shell.target.user], { as: 'login', tool: 'id' });
  return stdout.toString().trim() === 'y';
}

/**
 * Makes the lane's account with its home; one that is there stays as it is.
 * @returns whether it was made
 * @throws HostUnfit when there is none afterwards; SudoRefused, ToolMissing
 */
export async function ensureAccount(shell: LaneShell): Promise<boolean> {
  if (await hasAccount(shell)) return false;
  const { host, user, home } = shell.target;
  const words = ['-addUser', user, '-fullName', user, '-home', home, '-shell', '/bin/zsh'];
  await shell.run([toolPath(host, 'sysadminctl'), ...words], { as: 'root', tool: 'sysadminctl' });
  if (await hasAccount(shell)) return true;
  throw unfit(shell, `sysadminctl made no account ${user}`);
}

/** @throws HostUnfit when the home is not the account's own */
export async function requireOwnHome(shell: LaneShell): Promise<void> {
  const text = '[ -d "$1" ] && [ -O "$1" ] && [ -w "$1" ] && echo y || echo n';
  const { stdout } = await shell.script(text, [shell.target.home], { tool: 'test' });
  if (stdout.toString().trim() === 'y') return;
  throw unfit(shell, `the home of ${shell.target.user} is missing, or is not its own`);
}

export interface Machine {
  /** `uname -m` */
  readonly arch: string;
  readonly freeBytes: number;
}

/** What can be told of a host without any lane on it. @throws HostOutputUnexpected */
export async function machineOf(shell: LaneShell): Promise<Machine> {
  const text = 'uname -m; "$1" -Pk "$2"';
  const { stdout } = await shell.script(text, [shell.tool('df'), shell.path('/Users')], { as: 'login', tool: 'df' });
  const [arch = ''] = stdout.toString().split('\n');
  const room = parseDf(stdout.toString());
  if (room !== undefined && /^[A-Za-z0-9_]{1,20}$/.test(arch)) return { arch, freeBytes: room.freeBytes };
  const { name } = shell.target.host;
  throw new Failure('HostOutputUnexpected', `host ${name} does not tell its architecture or room`, { host: name });
}

function unfit({ target: { host, lane } }: LaneShell, what: string): Failure {
  return new Failure('HostUnfit', `host ${host.name}, lane ${lane}: ${what}`, { host: host.name, lane });
}
