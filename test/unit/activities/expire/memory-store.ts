// A store in memory with a clock of its own: it can lock objects, die at its nth operation, and be made to wait before
// each one, so that activities meet in any order.

import { Readable } from 'node:stream';
import { Failure } from '../../../../src/domain/failure.ts';
import { readWhole } from '../../../../src/activities/read-whole.ts';
import type { PutOptions, PutResult, Store, StoredObject } from '../../../../src/store/store.ts';

interface Held {
  readonly bytes: Buffer;
  readonly modifiedAtMs: number;
  readonly passing: boolean;
}

export class MemoryStore implements Store {
  readonly name = 'primary';
  readonly objects = new Map<string, Held>();
  readonly deleted: string[] = [];
  nowMs: () => number;
  /** Objects are locked for so long after they were written. */
  lockMs = 0;
  /** Operations that succeed before one, and all after it, fail: a worker that dies. */
  operationsLeft = Number.POSITIVE_INFINITY;
  /** Before each operation. */
  pause: (operation: string) => Promise<void> = async () => undefined;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  async put(key: string, body: Readable | Buffer, { passing = false }: PutOptions = {}): Promise<PutResult> {
    const bytes = Buffer.isBuffer(body) ? body : await readWhole(body);
    await this.#begin(`put ${key}`);
    if (this.objects.has(key)) throw new Failure('ObjectExists', `${key} is there`);
    this.objects.set(key, { bytes, modifiedAtMs: this.nowMs(), passing });
    return { sizeBytes: bytes.length, sha256: '' };
  }

  async get(key: string): Promise<Readable> {
    await this.#begin(`get ${key}`);
    const held = this.objects.get(key);
    if (!held) throw new Failure('ObjectMissing', `${key} is not there`);
    return Readable.from([held.bytes]);
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    await this.#begin(`list ${prefix}`);
    const found = [...this.objects].filter(([key]) => key.startsWith(prefix));
    for (const [key, { bytes, modifiedAtMs }] of found.toSorted(([a], [b]) => (a < b ? -1 : 1)))
      yield { key, sizeBytes: bytes.length, modifiedAtMs };
  }

  async delete(key: string): Promise<boolean> {
    await this.#begin(`delete ${key}`);
    const held = this.objects.get(key);
    const untilMs = (held?.modifiedAtMs ?? 0) + this.lockMs;
    if (held?.passing === false && this.nowMs() < untilMs)
      throw new Failure('ObjectLocked', `${key} is locked`, { until: new Date(untilMs).toISOString() });
    this.deleted.push(key);
    return this.objects.delete(key);
  }

  async sweepUploads(): Promise<number> {
    return 0;
  }

  async #begin(operation: string): Promise<void> {
    await this.pause(operation);
    if (this.operationsLeft <= 0) throw new Failure('StoreUnreachable', 'the worker has died');
    this.operationsLeft -= 1;
  }
}
