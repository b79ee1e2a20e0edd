// What is decided about a host before anything of it exists: paths, users, ports.

import type { BedKind, BedProfile } from './bed-types.ts';
import type { Programs } from './programs.ts';

export interface BedUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** As the host sees it. */
  readonly home: string;
}

export interface HostPlan {
  readonly kind: BedKind;
  readonly name: string;
  /** Marks every process of the host, in its environment as BED_HOST; no other bed has the same. */
  readonly mark: string;
  /** The bed's files for this host that are not on its disk, as we see them and as the host does. */
  readonly stateDir: string;
  readonly hostStateDir: string;
  /** What stands for `/`, as the host sees it and as we do. */
  readonly root: string;
  readonly realRoot: string;
  /** Where what is not on the host's disk (programs, accounts) is written before a boot. */
  readonly systemRoot: string;
  /** Where the tools are, as the host sees it; undefined: at macOS's own paths. */
  readonly toolsDir: string | undefined;
  /** The stand-ins' socket, as the host sees it and as we do. */
  readonly socket: string;
  readonly realSocket: string;
  readonly address: string;
  readonly port: number;
  readonly login: BedUser;
  readonly lanes: readonly BedUser[];
  /** Of these, the accounts that sysadminctl has to make first. */
  readonly unmade: readonly BedUser[];
  readonly profile: BedProfile;
  readonly programs: Programs;
  /** Node, as the host sees it. */
  readonly hostNode: string;
  readonly outlivesOwner: boolean;
}

/** macOS's default PATH for a command over SSH (macos-notes, 4), the stand-ins first where they have a folder. */
export function pathOf(plan: HostPlan): string {
  const system = '/usr/bin:/bin:/usr/sbin:/sbin';
  return plan.toolsDir === undefined ? system : `${plan.toolsDir}:${system}`;
}

/** An absolute path of the Mac, as the host sees it. */
export function hostPath(plan: HostPlan, path: string): string {
  return plan.root === '/' ? path : plan.root + path;
}
