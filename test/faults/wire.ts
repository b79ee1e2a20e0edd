// The way to a host as a lane's steps see it, cut after the n-th command that changes something: what is under a fence,
// and the taking of one. The command ends as it would; nothing is said to the host from then on.

import { Failure } from '../../src/domain/failure.ts';
import type { HostTarget } from '../../src/domain/lane-target.ts';
import type { ExecOptions, HostConnection, RemoteProcess } from '../../src/lane/host-connection.ts';
import { HostPool } from '../../src/lane/host-pool.ts';

/** In every fence's text (fence-script.ts). */
const fenced = 'fences=';

export class Wire extends HostPool {
  readonly #pool: HostPool;
  #left = Number.POSITIVE_INFINITY;
  /** How many commands under a fence have ended since it was whole. */
  count = 0;

  constructor(pool: HostPool) {
    super(() => Promise.reject(new Error('a wire has no login of its own')));
    this.#pool = pool;
  }

  get isCut(): boolean {
    return this.#left <= 0;
  }

  /** From now on so many commands pass; all, when left out. */
  mend(commands = Number.POSITIVE_INFINITY): void {
    this.#left = commands;
    this.count = 0;
  }

  override async lease(host: HostTarget, signal?: AbortSignal): Promise<HostConnection> {
    this.#requireWhole(host);
    const connection = await this.#pool.lease(host, signal);
    const exec = (line: string, options?: ExecOptions): Promise<RemoteProcess> =>
      this.#exec(connection, line, options ?? {});
    return new Proxy(connection, { get: (real, name) => (name === 'exec' ? exec : bound(real, name)) });
  }

  async #exec(connection: HostConnection, line: string, options: ExecOptions): Promise<RemoteProcess> {
    this.#requireWhole(connection.host);
    const process = await connection.exec(line, options);
    if (!line.includes(fenced)) return process;
    const exited = process.exited.finally(() => {
      this.#left -= 1;
      this.count += 1;
    });
    exited.catch(() => undefined);
    const { stdin, stdout, stderrTail } = process;
    return { stdin, stdout, stderrTail, exited, kill: () => process.kill() };
  }

  #requireWhole({ name }: Pick<HostTarget, 'name'>): void {
    if (this.isCut) throw new Failure('HostConnectionLost', `the way to ${name} is cut`, { host: name });
  }
}

/** A proxy has no private fields: methods are called on what has them. */
function bound(real: HostConnection, name: string | symbol): unknown {
  const value: unknown = Reflect.get(real, name, real);
  return typeof value === 'function' ? (value as (...words: unknown[]) => unknown).bind(real) : value;
}
