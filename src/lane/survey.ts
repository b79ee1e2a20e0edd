// A first look at a lane: its account and home are there, sudo works, the tools answer; which systems and versions, which
// clock and zone, how much room. Changes nothing.

import { Failure } from '../domain/failure.ts';
import type { Tool } from '../domain/lane-target.ts';
import type { Profile } from '../domain/profile.ts';
import { clockOffset } from './clock.ts';
import { dialectOf } from './dialect.ts';
import { type DiskRoom, diskOf } from './disk.ts';
import type { LaneShell } from './lane-shell.ts';

export { diskOf } from './disk.ts';

export interface LaneSurvey {
  readonly os: { readonly name: string; readonly version: string };
  readonly tar: 'bsdtar' | 'gnu';
  readonly sqliteVersion: string;
  /** Absent when the command is not there. */
  readonly openclawVersion?: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Host minus worker (clock.ts tells its precision). */
  readonly clockOffsetMs: number;
  readonly homeFree: DiskRoom;
  readonly uid: number;
  readonly gid: number;
}

const needed: readonly Tool[] = [
  'sh',
  'tar',
  'launchctl',
  'security',
  'sqlite3',
  'curl',
  'find',
  'xargs',
  'stat',
  'pgrep',
  'df',
  'ps',
];

/** Lines of the survey's script, in this order. */
const surveyText = `for tool do
  command -v "$tool" >/dev/null 2>&1 || echo "missing $tool" >&2
done
id -u
id -g
if command -v sw_vers >/dev/null 2>&1; then sw_vers -productName; sw_vers -productVersion
else uname -s; uname -r
fi
`;

const zoneText = `if [ -L "$1" ]; then readlink "$1"; elif [ -e "$1" ]; then cat "$2" 2>/dev/null || date +%z; else echo /zoneinfo/UTC; fi`;

/**
 * @throws LaneUserMissing (account or home), SudoRefused, ToolMissing, HostOutputUnexpected, and what the connection throws
 */
export async function surveyLane(shell: LaneShell, profile: Profile): Promise<LaneSurvey> {
  const { host, lane, home } = shell.target;
  const context = { host: host.name, lane };
  const { stdout, stderr } = await shell.script(
    surveyText,
    needed.map((tool) => shell.tool(tool)),
    { tool: 'survey' },
  );
  const missing = needed.filter((tool) => stderr.split('\n').includes(`missing ${shell.tool(tool)}`));
  if (missing.length > 0)
    throw new Failure('ToolMissing', `host ${host.name} has no ${missing.join(', ')} where its tools say`, {
      ...context,
      tool: missing.join(','),
    });
  const [uid, gid, name = '', version = ''] = stdout.toString().trim().split('\n');
  const [hasHome] = (await shell.script('[ -d "$1" ] && echo y || echo n', [home], { tool: 'survey' })).stdout
    .toString()
    .split('\n');
  if (hasHome !== 'y')
    throw new Failure('LaneUserMissing', `the home of lane ${lane} is not on host ${host.name}`, context);
  await requireRootRule(shell);
  const [{ tar }, openclawVersion, sqlite, timeZone, clockOffsetMs, homeFree] = await Promise.all([
    dialectOf(shell),
    versionOf(shell, profile),
    shell.run([shell.tool('sqlite3'), '--version']),
    readTimeZone(shell),
    clockOffset(shell),
    diskOf(shell, home),
  ]);
  return {
    os: { name, version },
    tar,
    sqliteVersion: sqlite.stdout.toString().split(' ')[0] ?? '',
    ...(openclawVersion === undefined ? {} : { openclawVersion }),
    timeZone,
    clockOffsetMs,
    homeFree,
    uid: Number(uid),
    gid: Number(gid),
  };
}

/** Root may run launchctl: asked by reading what a restore will have to read anyway. */
async function requireRootRule(shell: LaneShell): Promise<void> {
  const argv = [shell.tool('launchctl'), 'print-disabled', 'system'];
  await shell.run(argv, {
    as: 'root',
    tool: 'launchctl',
    okStatuses: Array.from({ length: 256 }, (_, status) => status),
  });
}

/** OpenClaw's own answer: the first dotted number in it. A command that is absent or fails tells no version. */
async function versionOf(shell: LaneShell, profile: Profile): Promise<string | undefined> {
  const text = `PATH="$PATH:$HOME/.local/bin:/opt/homebrew/bin:/usr/local/bin"\ncommand -v "$1" >/dev/null 2>&1 || exit 0\n"$@" </dev/null 2>/dev/null || :`;
  const { stdout } = await shell.script(text, profile.versionCommand, {
    tool: profile.versionCommand[0] ?? 'openclaw',
  });
  return /\d+(?:\.\d+)+/.exec(stdout.toString())?.[0];
}

/**
 * The host's zone, of IANA: the name behind /etc/localtime; where that is a plain file, what Debian keeps beside it, or a
 * zone of the same offset. HostOutputUnexpected.
 */
export async function readTimeZone(shell: LaneShell): Promise<string> {
  const { stdout } = await shell.script(zoneText, [shell.path('/etc/localtime'), shell.path('/etc/timezone')], {
    as: 'login',
    tool: 'readlink',
  });
  const zone = zoneOf(stdout.toString().trim());
  if (zone === undefined)
    throw new Failure('HostOutputUnexpected', `host ${shell.target.host.name} does not tell its time zone`, {
      host: shell.target.host.name,
    });
  return zone;
}

/** `…/zoneinfo/Asia/Tokyo`, `Asia/Tokyo` or `+0900`. */
export function zoneOf(text: string): string | undefined {
  const name = /zoneinfo(?:\.default)?\/(.+)$/.exec(text)?.[1] ?? text;
  if (/^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return name;
  const hours = /^([+-])(\d\d)00$/.exec(name);
  if (hours === null) return undefined;
  // the sign of Etc/GMT is POSIX's: west is positive
  return Number(hours[2]) === 0 ? 'UTC' : `Etc/GMT${hours[1] === '+' ? '-' : '+'}${Number(hours[2])}`;
}

/** curl's exit status when nobody listens. */
const connectionRefused = 7;

/**
 * @throws PortTaken when something accepts connections on the lane's port
 */
export async function requirePortFree(shell: LaneShell): Promise<void> {
  const { host, lane, port } = shell.target;
  const config = `url = "http://127.0.0.1:${port}/"\noutput = "/dev/null"\nsilent\nmax-time = 5\nnoproxy = "*"\n`;
  const { exitStatus } = await shell.run([shell.tool('curl'), '-q', '-K', '-'], {
    stdin: config,
    tool: 'curl',
    okStatuses: Array.from({ length: 256 }, (_, status) => status),
  });
  if (exitStatus !== connectionRefused)
    throw new Failure('PortTaken', `port ${port} of lane ${lane} on ${host.name} is taken by another process`, {
      host: host.name,
      lane,
    });
}
