// A host for machines without sshd: the SSH server is ssh2's, in a process of its own; the rest is as with sshd.

import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { SshdHost } from './host-sshd.ts';
import { sessionEnvironment } from './shims.ts';
import type { SshServerConfig } from './ssh-server.ts';

export class InProcessHost extends SshdHost {
  #server: ChildProcess | undefined;

  override async startSshd(): Promise<void> {
    const { plan } = this;
    const config: SshServerConfig = {
      address: plan.address,
      port: plan.port,
      hostKeyPath: join(plan.stateDir, 'host_key'),
      authorizedKey: this.publicKey,
      user: plan.login.name,
      cwd: plan.login.home,
      environment: sessionEnvironment(plan),
      readyPath: join(plan.stateDir, 'sshd.ready'),
      pidPath: join(plan.stateDir, 'sshd.pid'),
      outlivesOwner: plan.outlivesOwner,
    };
    const script = join(import.meta.dirname, 'ssh-server.ts');
    this.#server = await this.startReady([plan.programs.node, '--no-warnings', script], config, {
      log: 'sshd.log',
      ready: 'sshd.ready',
    });
  }

  protected override sshdPid(): number | undefined {
    return this.#server?.exitCode === null && this.#server.signalCode === null ? this.#server.pid : undefined;
  }
}
