// The launchd of one bed host: the jobs of the system domain and of gui domains whose user sits at the console,
// and the disable database, which outlives a reboot. What each verb answers is in launchctl.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { build, parse } from 'plist';
import { Job } from './job.ts';
import { type JobPlist, readJobPlist } from './job-plist.ts';

export interface LaunchdUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface LaunchdOptions {
  /** What stands for `/`. */
  readonly root: string;
  readonly users: readonly LaunchdUser[];
  /** Run programs as their UserName: only where the users are real and launchd is root. */
  readonly realUsers: boolean;
  /** Added to every job's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly path: string;
  /** Between a removed job's last process and its label becoming free: bootstrap says 37 meanwhile. */
  readonly teardownMs: number;
}

export class Launchd {
  readonly options: LaunchdOptions;
  readonly consoleUids = new Set<number>();
  /** By domain target, `system/com.example.job`. */
  readonly #jobs = new Map<string, Job>();
  /** Removed, their process gone, their label not yet free. */
  readonly #tearingDown = new Set<string>();
  readonly #overridesPath: string;
  readonly #logPath: string;

  constructor(options: LaunchdOptions) {
    this.options = options;
    this.#overridesPath = this.place('/private/var/db/com.apple.xpc.launchd/disabled.plist');
    this.#logPath = this.place('/private/var/log/com.apple.xpc.launchd/launchd.log');
    mkdirSync(dirname(this.#overridesPath), { recursive: true });
    mkdirSync(dirname(this.#logPath), { recursive: true });
  }

  /** An absolute path of the Mac, as it is here. */
  place(path: string): string {
    const { root } = this.options;
    return root === '/' || path.startsWith(`${root}/`) ? path : join(root, path);
  }

  /** Loads what a boot loads: every LaunchDaemon that is not disabled. */
  boot(): void {
    const folder = this.place('/Library/LaunchDaemons');
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.plist')) : [];
    for (const name of names.sort()) {
      const plist = this.read(join(folder, name));
      if ('refused' in plist) this.log(plist.refused);
      else if (!this.isDisabled('system', plist.label, plist.disabled)) this.load('system', plist);
    }
  }

  /** The uid that plays root on this host. */
  get ownerUid(): number {
    return this.options.realUsers ? 0 : (process.getuid?.() ?? 0);
  }

  read(path: string): JobPlist | { readonly refused: string } {
    return readJobPlist(this.place(path), this.ownerUid);
  }

  hasDomain(domain: string): boolean {
    if (domain === 'system') return true;
    const uid = /^gui\/(\d+)$/.exec(domain)?.[1];
    return uid !== undefined && this.consoleUids.has(Number(uid));
  }

  find(target: string): Job | undefined {
    return this.#jobs.get(target);
  }

  isTearingDown(target: string): boolean {
    return this.#tearingDown.has(target);
  }

  jobs(domain: string): Job[] {
    return [...this.#jobs].filter(([target]) => target.startsWith(`${domain}/`)).map(([, job]) => job);
  }

  load(domain: string, plist: JobPlist): void {
    const target = `${domain}/${plist.label}`;
    const removed = (): void => {
      this.#jobs.delete(target);
      this.#tearingDown.add(target);
      setTimeout(() => this.#tearingDown.delete(target), this.options.teardownMs);
    };
    this.#jobs.set(
      target,
      new Job(plist, { spawn: (one) => this.#spawn(one), log: (line) => this.log(line), removed }),
    );
  }

  /** The overrides of a domain: label to disabled. */
  overrides(domain: string): Record<string, boolean> {
    return this.#readOverrides()[domain] ?? {};
  }

  isDisabled(domain: string, label: string, byPlist = false): boolean {
    return this.overrides(domain)[label] ?? byPlist;
  }

  setDisabled(domain: string, label: string, disabled: boolean): void {
    const all = this.#readOverrides();
    all[domain] = { ...all[domain], [label]: disabled };
    const next = `${this.#overridesPath}.new`;
    writeFileSync(next, build(all));
    renameSync(next, this.#overridesPath);
  }

  log(line: string): void {
    appendFileSync(this.#logPath, `${new Date().toISOString()} ${line}\n`);
  }

  #readOverrides(): Record<string, Record<string, boolean>> {
    if (!existsSync(this.#overridesPath)) return {};
    return parse(readFileSync(this.#overridesPath, 'utf8')) as Record<string, Record<string, boolean>>;
  }

  #spawn(plist: JobPlist): ChildProcess {
    const user = this.options.users.find((one) => one.name === plist.userName);
    if (plist.userName !== undefined && user === undefined) throw new Error(`no user ${plist.userName}`);
    const [program = '', ...args] = plist.argv;
    const executable = existsSync(this.place(program)) ? this.place(program) : program;
    if ((statSync(executable).mode & 0o111) === 0) throw new Error(`${executable} is not executable`);
    const outputs = [plist.stdoutPath, plist.stderrPath].map((path) => this.#openOutput(path, user));
    const umask = process.umask(plist.umask ?? 0o022);
    try {
      return spawn(executable, args, {
        cwd: this.place(plist.workingDirectory ?? '/'),
        detached: true,
        stdio: ['ignore', outputs[0] ?? 'ignore', outputs[1] ?? 'ignore'],
        env: this.#environmentOf(plist, user),
        ...(this.options.realUsers && user !== undefined ? { uid: user.uid, gid: user.gid } : {}),
      });
    } finally {
      process.umask(umask);
      for (const output of outputs) if (output !== undefined) closeSync(output);
    }
  }

  #openOutput(path: string | undefined, user: LaunchdUser | undefined): number | undefined {
    if (path === undefined) return undefined;
    const place = this.place(path);
    const isNew = !existsSync(place);
    const output = openSync(place, 'a', 0o644);
    if (isNew && this.options.realUsers && user !== undefined) chownSync(place, user.uid, user.gid);
    return output;
  }

  #environmentOf(plist: JobPlist, user: LaunchdUser | undefined): Record<string, string> {
    const home = user?.home ?? this.place('/var/root');
    return {
      PATH: this.options.path,
      HOME: home,
      USER: user?.name ?? 'root',
      LOGNAME: user?.name ?? 'root',
      XPC_SERVICE_NAME: plist.label,
      ...this.options.environment,
      ...(user === undefined ? {} : { BED_LANE: user.name }),
      ...plist.environment,
    };
  }
}
