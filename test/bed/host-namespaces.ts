// A host with its own users, sudo rules, process table and system folders: a mount, UTS and PID namespace around an
// overlay of `/`, whose upper side is in memory. The host's disk (/Users, /Library, /private, /var/log, /tmp) is bound
// in from the bed's folder. The machine's own users, sudoers, hosts file, /Users and /Library are never touched: when
// the namespace's first process dies, by whatever signal, all of it is gone.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BaseHost, isSshd } from './host-base.ts';
import type { BedUser, HostPlan } from './host-plan.ts';
import { sshdConfig } from './host-sshd.ts';
import { signal, treeOf } from './processes.ts';
import type { Programs } from './programs.ts';
import { installScript, shQuote, sysadminctl } from './shims.ts';
import { standbyRule, sudoersFor } from './sudoers.ts';

/** Where a host finds the bed's own things. */
export const insideState = '/opt/bed/state';
export const insideNode = '/opt/bed/node';
const insideRepository = '/opt/bed/repository';

let answer: boolean | undefined;

/** Root, with an overlay inside a namespace that can be made here (not in an unprivileged container). */
export function canMakeNamespaces(programs: Programs): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  if (programs.unshare === undefined || programs.sudo === undefined || programs.sshd === undefined) return false;
  const script =
    'mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r';
  answer ??=
    spawnSync(programs.unshare, ['--mount', '--uts', '--pid', '--fork', 'sh', '-c', script], { stdio: 'ignore' })
      .status === 0;
  return answer;
}

/** Run by the namespace's first process, which then waits for the daemon; sh reaps what is orphaned. */
function initScript(plan: HostPlan): string {
  const repository = resolve(import.meta.dirname, '../..');
  const bind = (from: string, to: string, isFile = false): string =>
    `${isFile ? `mkdir -p .${dirname(to)} && : >>.${to}` : `mkdir -p .${to}`} && mount --bind ${shQuote(from)} .${to}`;
  const disk = (path: string): string => join(plan.realRoot, path);
  return `set -e
mount --make-rprivate /
mkdir -p ${shQuote(join(plan.stateDir, 'overlay'))}
cd ${shQuote(join(plan.stateDir, 'overlay'))}
mount -t tmpfs -o mode=755,size=256m tmpfs .
cd ${shQuote(join(plan.stateDir, 'overlay'))}
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cp -a --remove-destination ${shQuote(plan.systemRoot)}/. root/
cd root
mkdir -p proc dev sys run
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/sshd
${bind(disk('Users'), '/Users')}
${bind(disk('Library'), '/Library')}
${bind(disk('private'), '/private')}
${bind(disk('private/var/log'), '/var/log')}
${bind(disk('private/tmp'), '/tmp')}
${bind(plan.stateDir, insideState)}
${bind(repository, insideRepository)}
${bind(plan.programs.node, insideNode, true)}
hostname ${plan.name}
exec chroot . /bin/sh -c 'exec 3<&0; ${insideNode} --no-warnings ${insideRepository}/test/bed/stand-ins/host-daemon.ts <&3 & wait $!'
`;
}

export class NamespaceHost extends BaseHost {
  readonly #denied = new Set<string>();
  #unshare: ChildProcess | undefined;
  #sshd: ChildProcess | undefined;

  /** The paths of a Mac, named so that whoever asks the tools what they are knows where. */
  override get tools(): Readonly<Record<string, string>> {
    return { sudo: '/usr/bin/sudo', tar: '/usr/bin/tar', launchctl: '/bin/launchctl', security: '/usr/bin/security' };
  }

  override async start(): Promise<void> {
    this.#makeAccounts();
    installScript(join(this.plan.systemRoot, 'usr/sbin/sysadminctl'), sysadminctl(this.plan.unmade));
    await this.#startInOrder(true);
  }

  override async boot(): Promise<void> {
    await this.#startInOrder(false);
  }

  /** sshd is started inside what the daemon's start makes. */
  async #startInOrder(unlocked: boolean): Promise<void> {
    await this.startDaemon(unlocked);
    await this.startSshd();
  }

  protected async startDaemon(unlocked: boolean): Promise<void> {
    const script = join(this.plan.stateDir, 'init.sh');
    installScript(script, initScript(this.plan));
    const unshare = [
      this.plan.programs.unshare ?? 'unshare',
      '--mount',
      '--uts',
      '--pid',
      '--fork',
      '--kill-child',
      '/bin/sh',
      script,
    ];
    this.#unshare = await this.startReady(unshare, this.daemonConfig(unlocked), {
      log: 'daemon.log',
      ready: 'daemon.ready',
    });
  }

  async startSshd(): Promise<void> {
    const { plan } = this;
    writeFileSync(join(plan.stateDir, 'sshd_config'), sshdConfig(plan, { authorizedKeys: '.ssh/authorized_keys' }));
    const log = openSync(join(plan.stateDir, 'sshd.log'), 'a', 0o600);
    const enter = ['--target', String(this.#initPid()), '--mount', '--uts', '--pid', '--root', '--wd'];
    const child = spawn(
      'nsenter',
      [...enter, plan.programs.sshd ?? '/usr/sbin/sshd', '-D', '-e', '-f', `${insideState}/sshd_config`],
      {
        detached: true,
        stdio: ['ignore', log, log],
        env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', BED_HOST: plan.mark },
      },
    );
    closeSync(log);
    child.unref();
    this.#sshd = child;
    this.remember(child);
    await this.sshdAnswers(() => child.exitCode !== null);
  }

  protected sshdPid(): number | undefined {
    return this.#sshd?.pid === undefined ? undefined : treeOf([this.#sshd.pid]).find(isSshd);
  }

  /** nsenter stops itself when sshd is stopped; asleep for ever it would not reap it, and the host could not end. */
  override resumeSshd(): void {
    super.resumeSshd();
    if (this.#sshd?.pid !== undefined) signal(this.#sshd.pid, 'SIGCONT');
  }

  /** The namespace's first process, by its pid out here. */
  #initPid(): number {
    const [, init] = this.#unshare?.pid === undefined ? [] : treeOf([this.#unshare.pid]);
    if (init === undefined) throw new Error(`host ${this.name} is down`);
    return init;
  }

  protected override socketPath(): string {
    return `/proc/${this.#initPid()}/root${this.plan.socket}`;
  }

  setSudo(account: string, allowed: boolean): void {
    if (allowed) this.#denied.delete(account);
    else this.#denied.add(account);
    this.#writeSudoers(this.plan.systemRoot);
    this.#writeSudoers(`/proc/${this.#initPid()}/root`);
  }

  #writeSudoers(root: string): void {
    const lanes = this.plan.lanes.map((lane) => lane.name).filter((name) => !this.#denied.has(name));
    const standby = this.plan.unmade.length > 0 ? standbyRule(this.plan.login.name) : '';
    const lines = (sudoersFor(this.plan.login.name, lanes) + standby).split('\n');
    const rules = this.#denied.has('root')
      ? lines.slice(
          0,
          lines.findIndex((line) => line.includes('ALL=(root)')),
        )
      : lines;
    const path = join(root, 'etc/sudoers.d/clawback');
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    writeFileSync(path, `${rules.join('\n')}\n`, { mode: 0o440 });
    chmodSync(path, 0o440);
  }

  /** The host's own /etc: the machine's accounts and the bed's, macOS's sudo defaults, the host's name. */
  #makeAccounts(): void {
    const etc = (name: string): string => join(this.plan.systemRoot, 'etc', name);
    const unmade = this.plan.unmade.map(({ name }) => name);
    const users = [this.plan.login, ...this.plan.lanes].filter(({ name }) => !unmade.includes(name));
    mkdirSync(etc('sudoers.d'), { recursive: true });
    writeFileSync(
      etc('passwd'),
      readFileSync('/etc/passwd', 'utf8') +
        users.map((user) => `${user.name}:x:${user.uid}:${user.gid}::${user.home}:/bin/sh\n`).join(''),
    );
    writeFileSync(
      etc('group'),
      `${readFileSync('/etc/group', 'utf8')}wheel:x:0:\n${users.map((user) => `${user.name}:x:${user.gid}:\n`).join('')}`,
    );
    writeFileSync(
      etc('shadow'),
      readFileSync('/etc/shadow', 'utf8') + users.map((user) => `${user.name}:*:20000:0:99999:7:::\n`).join(''),
      { mode: 0o600 },
    );
    writeFileSync(etc('hosts'), `127.0.0.1 localhost\n${this.plan.address} ${this.plan.name}\n`);
    writeFileSync(
      etc('sudoers'),
      'Defaults env_reset, !secure_path, !use_pty\nDefaults env_keep += "HOME MAIL"\nroot ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n',
      { mode: 0o440 },
    );
    symlinkSync('/usr/share/zoneinfo/Asia/Hong_Kong', etc('localtime'));
    this.#writeSudoers(this.plan.systemRoot);
    this.#authorize(this.plan.login);
  }

  #authorize(user: BedUser): void {
    const folder = join(this.plan.realRoot, 'Users', user.name, '.ssh');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'authorized_keys'), `${this.publicKey}\n`, { mode: 0o600 });
    for (const path of [folder, join(folder, 'authorized_keys')]) chownSync(path, user.uid, user.gid);
  }
}
