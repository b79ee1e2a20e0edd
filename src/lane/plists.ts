// launchd plists of a lane: found, read, checked, installed. Those of daemons are root's, 0644 (launchd refuses others,
// macos-notes 1), and written through a file of the login account: were it the lane's, the lane could change it between
// our check and root's copy. What was installed is read back before it takes its name; the old one is kept beside it.

import { Failure } from '../domain/failure.ts';
import type { Profile } from '../domain/profile.ts';
import { limits } from '../domain/limits.ts';
import type { Fence } from './fence-script.ts';
import type { LaneShell, RunAs } from './lane-shell.ts';
import { type LaunchdPlist, parsePlist, requireLanePlist } from './plist-check.ts';
import { pathsExist } from './trees.ts';

export type { LaunchdPlist } from './plist-check.ts';

export interface PlistPlace {
  /** Absolute on a Mac. */
  readonly path: string;
  /** Where the old one is kept, absolute on a Mac; undefined: there was none. */
  readonly bak: string | undefined;
  readonly fence?: Fence | undefined;
}

const daemons = '/Library/LaunchDaemons/';

/** Folders that launchd reads for a domain; never `~/Library/LaunchDaemons` (macos-notes, 1). */
function isReadBy(domain: string, glob: string): boolean {
  return domain === 'system' ? glob.startsWith(daemons) : /^(~|\/)\/?Library\/LaunchAgents\//.test(glob);
}

/** A glob of a profile as a path on this host. */
function onHost(shell: LaneShell, glob: string): string {
  return glob.startsWith('~') ? shell.target.home + glob.slice(1) : shell.path(glob);
}

const expandText = `IFS=
for glob do
  for file in $glob; do [ -f "$file" ] && [ -r "$file" ] && printf '%s\\0' "$file"; done
done
exit 0`;

/** Readable plists that the profile's globs find, absolute on the host. */
export async function findPlists(shell: LaneShell, globs: readonly string[]): Promise<string[]> {
  const { stdout } = await shell.script(
    expandText,
    globs.map((glob) => onHost(shell, glob)),
    { tool: 'sh' },
  );
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '');
}

/** @param path absolute, on the host @throws PlistInvalid */
export async function readPlist(shell: LaneShell, path: string): Promise<LaunchdPlist> {
  const { stdout } = await shell.run(['/bin/cat', path], { tool: 'cat' });
  return parsePlist(stdout, shell.target.lane);
}

/** The plist of the lane's label where launchd reads it, absolute on the host; undefined when there is none. Damaged ones are passed over. */
export async function findPlist(shell: LaneShell, profile: Profile): Promise<string | undefined> {
  const { domain, label } = shell.target;
  const paths = await findPlists(
    shell,
    profile.plists.filter((glob) => isReadBy(domain, glob)),
  );
  for (const path of paths) {
    const plist = await readPlist(shell, path).catch(passDamaged);
    if (plist?.['Label'] === label) return path;
  }
  return undefined;
}

function passDamaged(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'PlistInvalid') return undefined;
  throw error;
}

/**
 * Refuses content that is no plist of this lane under this profile.
 * @throws PlistInvalid
 */
export function checkPlist(shell: LaneShell, profile: Profile, content: Buffer): void {
  const { target } = shell;
  if (profile.id !== target.profile)
    throw new Failure(
      'PlistInvalid',
      `the plist of lane ${target.lane} is judged by profile ${profile.id}, the lane has ${target.profile}`,
      { lane: target.lane },
    );
  requireLanePlist(target, parsePlist(content, target.lane));
}

/** Daemons are root's; agents in the lane's home are the lane's. No other place is written. */
function placeOf(shell: LaneShell, path: string): { path: string; as: RunAs } {
  const { host, home, lane } = shell.target;
  const real = shell.path(path);
  const name = real.slice(real.lastIndexOf('/') + 1);
  const fits = /^[A-Za-z0-9._-]+\.plist(?:\.bak\.\d+)?$/.test(name) && !real.split('/').includes('..');
  const folder = real.slice(0, real.length - name.length);
  if (fits && folder === shell.path(daemons)) return { path: real, as: 'root' };
  if (fits && folder === `${home}/Library/LaunchAgents/`) return { path: real, as: 'lane' };
  throw new Failure(
    'PlistInvalid',
    `lane ${lane}: a plist is written to /Library/LaunchDaemons or the lane's LaunchAgents only`,
    { lane, host: host.name },
  );
}

const receiveText = `umask 077
folder=$(mktemp -d "\${TMPDIR:-/tmp}/clawback-plist.XXXXXX") || exit 1
cat >"$folder/plist" && [ "$(wc -c <"$folder/plist")" -eq "$1" ] && echo "$folder"`;

/** The content under the name `path.new`, owner and mode as launchd wants them, read back. */
async function placeNew(
  shell: LaneShell,
  place: { path: string; as: RunAs },
  content: Buffer,
  fence: Fence | undefined,
): Promise<string> {
  const as = place.as === 'root' ? 'login' : 'lane';
  const received = await shell.script(receiveText, [String(content.length)], {
    as,
    stdin: content,
    tool: 'receive plist',
  });
  const folder = received.stdout.toString().trimEnd();
  // `.new.plist` would be loaded at boot; root may only touch names in /Library/LaunchDaemons (sudoers)
  const fresh = `${place.path}.new`;
  const owner = place.as === 'root' ? ['-o', '0', '-g', '0'] : [];
  try {
    await shell.run(['/usr/bin/install', ...owner, '-m', '0644', `${folder}/plist`, fresh], {
      as: place.as,
      fence,
      tool: 'install',
    });
  } finally {
    await shell.run(['/bin/rm', '-rf', folder], { as, tool: 'rm' });
  }
  const { stdout } = await shell.run(['/bin/cat', fresh], { tool: 'cat', outputBytes: limits.plistBytes });
  if (!stdout.equals(content))
    throw new Failure('PlistInvalid', `lane ${shell.target.lane}: the installed plist is not what was sent`, {
      lane: shell.target.lane,
    });
  return fresh;
}

/**
 * Installs a plist; the old one is moved to `bak` unless that is there already. May be repeated. The caller has checked it.
 * @throws PlistInvalid, SudoRefused, FenceLost
 */
export async function installPlist(
  shell: LaneShell,
  request: PlistPlace & { readonly content: Buffer },
): Promise<void> {
  const place = placeOf(shell, request.path);
  const fresh = await placeNew(shell, place, request.content, request.fence);
  const options = { as: place.as, fence: request.fence, tool: 'mv' };
  if (request.bak !== undefined) {
    const bak = placeOf(shell, request.bak).path;
    const [there, kept] = await pathsExist(shell, [place.path, bak]);
    if (there && !kept) await shell.run(['/bin/mv', '-f', place.path, bak], options);
  }
  await shell.run(['/bin/mv', '-f', fresh, place.path], options);
}

/** Puts the old plist back, or takes the new one away where there was none. May be repeated. @throws SudoRefused, FenceLost */
export async function restorePlist(shell: LaneShell, request: PlistPlace): Promise<void> {
  const place = placeOf(shell, request.path);
  const options = { as: place.as, fence: request.fence };
  await shell.run(['/bin/rm', '-f', `${place.path}.new`], options);
  if (request.bak === undefined) {
    await shell.run(['/bin/rm', '-f', place.path], options);
    return;
  }
  const bak = placeOf(shell, request.bak).path;
  const [kept] = await pathsExist(shell, [bak]);
  if (kept) await shell.run(['/bin/mv', '-f', bak, place.path], options);
}

/** Removes a kept old plist; no error when it is gone. @throws SudoRefused, FenceLost */
export async function dropPlistBak(
  shell: LaneShell,
  request: { readonly bak: string; readonly fence?: Fence | undefined },
): Promise<void> {
  const bak = placeOf(shell, request.bak);
  if (!/\.bak\.\d+$/.test(bak.path))
    throw new Failure('PlistInvalid', `lane ${shell.target.lane}: only a kept old plist is removed`, {
      lane: shell.target.lane,
    });
  await shell.run(['/bin/rm', '-f', bak.path], { as: bak.as, fence: request.fence });
}
