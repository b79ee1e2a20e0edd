// Ctrl-C: the first one ends what is being done here and now, and says what goes on elsewhere; a second one exits at
// once, whatever is still being closed.

import { exitStatus } from '../domain/failure.ts';

export class Interrupts {
  readonly #first = new AbortController();
  readonly #exit: (status: number) => void;

  constructor(exit: (status: number) => void) {
    this.#exit = exit;
  }

  static ofProcess(): Interrupts {
    const interrupts = new Interrupts((status) => process.exit(status));
    process.on('SIGINT', () => interrupts.interrupt());
    return interrupts;
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  interrupt(): void {
    if (this.#first.signal.aborted) this.#exit(exitStatus.interrupted);
    else this.#first.abort();
  }

  /** Waits for work, unless Ctrl-C comes first: then `undefined`, and the work is left to itself. */
  async unlessInterrupted<T>(work: Promise<T>): Promise<{ readonly value: T } | undefined> {
    if (this.signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const onAbort = (): void => resolve(undefined);
    this.signal.addEventListener('abort', onAbort);
    work.catch(() => undefined);
    try {
      return await Promise.race([work.then((value) => ({ value })), promise]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }
}
