// Where a lane is and how it is operated: all that an activity needs to reach it, and nothing secret.
// It is passed through Temporal on every call, so it stays under 1 KB (limits.ts, laneTargetBytes).

/** Programs on the host, by absolute path: macOS gives no Homebrew path over SSH (macos-notes, 4). */
export const defaultTools = {
  sudo: '/usr/bin/sudo',
  sh: '/bin/sh',
  tar: '/usr/bin/tar',
  launchctl: '/bin/launchctl',
  security: '/usr/bin/security',
  sqlite3: '/usr/bin/sqlite3',
  curl: '/usr/bin/curl',
  find: '/usr/bin/find',
  xargs: '/usr/bin/xargs',
  stat: '/usr/bin/stat',
  pgrep: '/usr/bin/pgrep',
  df: '/bin/df',
  cp: '/bin/cp',
  ps: '/bin/ps',
  sysadminctl: '/usr/sbin/sysadminctl',
} as const;

export type Tool = keyof typeof defaultTools;

export interface HostTarget {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The account that SSH logs in as. */
  readonly user: string;
  /** The pinned host key in OpenSSH form, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** What stands for `/` on this host: `/` on a Mac, a folder on the bed. No trailing slash but in `/`. */
  readonly root: string;
  /** Overrides of {@link defaultTools}. */
  readonly tools: Partial<Readonly<Record<Tool, string>>>;
}

/** A launchd domain: `system`, or `gui/<uid>` of a user who is logged in at the console. */
export type LaunchdDomain = string;

export interface LaneTarget {
  readonly fleet: string;
  readonly lane: string;
  readonly host: HostTarget;
  /** The macOS account that owns the lane's files and runs its gateway. */
  readonly user: string;
  /** Absolute, inside `host.root`. */
  readonly home: string;
  readonly label: string;
  readonly domain: LaunchdDomain;
  /** The gateway's TCP port on the host's loopback. */
  readonly port: number;
  readonly profile: string;
  /** Absolute path of the keychain that holds the lane's items. */
  readonly keychain: string;
}

/** A Keychain item, by name: a generic password. Its value is never part of this. */
export interface KeychainItem {
  readonly service: string;
  readonly account: string;
}

/** The path of a tool on this host. */
export function toolPath(host: HostTarget, tool: Tool): string {
  return host.tools[tool] ?? defaultTools[tool];
}

/** An absolute path of the Mac, as it is on this host (`/var/log` → `<root>/var/log`). */
export function hostPath(host: HostTarget, absolute: string): string {
  return host.root === '/' ? absolute : host.root + absolute;
}

/** The lane's home as the Mac calls it: without the root of a host that is simulated. */
export function macHome({
  home,
  host: { root },
}: Pick<LaneTarget, 'home'> & { readonly host: Pick<HostTarget, 'root'> }): string {
  return root === '/' ? home : home.slice(root.length);
}
