// A host that is one real sshd of the current user: no accounts of its own, so sudo, pgrep and install stand in.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseHost } from './host-base.ts';
import { type HostPlan, pathOf } from './host-plan.ts';
import { forceCommand, installScript } from './shims.ts';

/** What sshd is configured with. MaxSessions is OpenSSH's default, which macOS keeps. */
export function sshdConfig(
  plan: HostPlan,
  options: { readonly authorizedKeys: string; readonly forceCommand?: string },
): string {
  return [
    `ListenAddress ${plan.address}`,
    `Port ${plan.port}`,
    `HostKey ${join(plan.hostStateDir, 'host_key')}`,
    `PidFile ${join(plan.hostStateDir, 'sshd.pid')}`,
    `AuthorizedKeysFile ${options.authorizedKeys}`,
    'AuthenticationMethods publickey',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PermitTTY no',
    'AllowTcpForwarding no',
    'X11Forwarding no',
    'PrintMotd no',
    'UseDNS no',
    'MaxSessions 10',
    `AllowUsers ${plan.login.name}`,
    ...(options.forceCommand === undefined
      ? [`SetEnv PATH=${pathOf(plan)} BED_HOST=${plan.mark}`]
      : // sshd starts the account's own shell for ForceCommand, and bash under sshd reads ~/.bashrc: not the person's own
        ['StrictModes no', `SetEnv HOME=${plan.login.home}`, `ForceCommand ${options.forceCommand}`]),
    '',
  ].join('\n');
}

export class SshdHost extends BaseHost {
  #sshd: ChildProcess | undefined;

  protected async startDaemon(unlocked: boolean): Promise<void> {
    const script = join(import.meta.dirname, 'stand-ins/host-daemon.ts');
    await this.startReady([this.plan.programs.node, '--no-warnings', script], this.daemonConfig(unlocked), {
      log: 'daemon.log',
      ready: 'daemon.ready',
    });
  }

  async startSshd(): Promise<void> {
    const { plan } = this;
    const wrapper = join(plan.stateDir, 'force-command');
    installScript(wrapper, forceCommand(plan));
    const config = join(plan.stateDir, 'sshd_config');
    writeFileSync(
      config,
      sshdConfig(plan, { authorizedKeys: join(plan.stateDir, 'authorized_keys'), forceCommand: wrapper }),
    );
    // root's sshd wants its empty folder; it is the one thing outside `dir`, and what sshd's own service would make
    if (process.getuid?.() === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
    const log = openSync(join(plan.stateDir, 'sshd.log'), 'a', 0o600);
    const child = spawn(plan.programs.sshd ?? '/usr/sbin/sshd', ['-D', '-e', '-f', config], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', BED_HOST: plan.mark },
    });
    closeSync(log);
    child.unref();
    this.#sshd = child;
    this.remember(child);
    await this.sshdAnswers(() => child.exitCode !== null);
  }

  protected sshdPid(): number | undefined {
    return this.#sshd?.exitCode === null && this.#sshd.signalCode === null ? this.#sshd.pid : undefined;
  }

  setSudo(account: string, allowed: boolean): void {
    this.denySudoByFile(account, allowed);
  }
}
