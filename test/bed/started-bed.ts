// A bed that runs: what it has, what it is, and its end.

import { existsSync, rmSync } from 'node:fs';
import { writeBedFile } from './bed-file.ts';
import type { Bed, BedHost, BedKind, BedLane } from './bed-types.ts';
import type { BaseHost } from './host-base.ts';
import type { Programs } from './programs.ts';

export interface BedParts {
  readonly kind: BedKind;
  readonly dir: string;
  readonly hosts: readonly BaseHost[];
  readonly lanes: readonly BedLane[];
  readonly sshKey: Buffer;
  readonly sshKeyPath: string;
  readonly programs: Programs;
  /** The temporary folder of sockets and tools, which goes with the bed. */
  readonly folder: string;
}

export class StartedBed implements Bed {
  readonly kind: BedKind;
  readonly dir: string;
  readonly hosts: readonly BaseHost[];
  readonly lanes: readonly BedLane[];
  readonly sshKey: Buffer;
  readonly sshKeyPath: string;
  readonly #programs: Programs;
  readonly #folder: string;

  constructor(parts: BedParts) {
    this.kind = parts.kind;
    this.dir = parts.dir;
    this.hosts = parts.hosts;
    this.lanes = parts.lanes;
    this.sshKey = parts.sshKey;
    this.sshKeyPath = parts.sshKeyPath;
    this.#programs = parts.programs;
    this.#folder = parts.folder;
  }

  host(name: string): BedHost {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`the bed has no host ${name}`);
    return found;
  }

  lane(name: string): BedLane {
    const found = this.lanes.find((lane) => lane.lane === name);
    if (found === undefined) throw new Error(`the bed has no lane ${name}`);
    return found;
  }

  describe(): string {
    const { sshd, bsdtar, sqlite3 } = this.#programs;
    const transport = {
      namespaces: 'namespaces with their own users, sudo and sshd',
      sshd: `sshd (${sshd}) as the current user, sudo stood in for`,
      'in-process': 'an SSH server of ssh2 in a process of its own, for there is no sshd; sudo stood in for',
    }[this.kind];
    const tar = bsdtar === undefined ? 'GNU tar for bsdtar' : `bsdtar (${bsdtar})`;
    const database = sqlite3 === undefined ? 'node:sqlite for sqlite3' : `sqlite3 (${sqlite3})`;
    return `bed: ${this.hosts.length} host(s) by ${transport}; ${tar}; ${database}; launchctl and security stood in for`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
    if (existsSync(this.dir)) writeBedFile(this.dir, { marks: [], processes: [], folders: [], outlivesOwner: false });
  }
}
