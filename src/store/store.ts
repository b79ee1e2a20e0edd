// Where bundles rest, after litestream's replica_client.go: as few methods as a store can have, so that each can be
// kept by every store. test/conformance/store/suite.ts is this page in executable form; every store passes it.
//
// What each store promises: an object is whole or absent, never half visible; it is created, never overwritten; a
// put that has returned survives a power cut as far as the medium does. What it refuses: keys outside of
// {@link checkKey}, which every store can hold under their own names.
// Where a store keeps versions, the oldest version of a key is its object. Clawback never writes a second one, so
// whatever lies above it was planted, and is neither listed nor read.

import type { Readable } from 'node:stream';

export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly modifiedAtMs: number;
}

export interface PutResult {
  readonly sizeBytes: number;
  /** Of the bytes as they were stored, hex. */
  readonly sha256: string;
  /** Where the store keeps versions. */
  readonly versionId?: string;
}

interface Options {
  readonly signal?: AbortSignal;
}

export interface PutOptions extends Options {
  /** Of no worth by itself, and to be deleted soon: a store that locks what is put leaves this object alone. */
  readonly passing?: boolean;
}

export interface GetOptions extends Options {
  /** What put told. A store that has no such version (it keeps none, or holds a copy) gives the key's object. */
  readonly versionId?: string;
}

export type ListOptions = Options;

/**
 * Every method may fail with StoreUnreachable and StoreRefused, and with InvalidInput for a key or prefix that no
 * store takes. A signal's abort is rethrown as it is.
 */
export interface Store {
  readonly name: string;
  /**
   * Creates an object. After an unknown outcome (a lost answer, a killed process) take another key: whether this one
   * was created is not known.
   * @param body read to its end with backpressure; an error of it is rethrown as it is, and nothing is created
   * @throws Failure ObjectExists, StoreFull
   */
  put(key: string, body: Readable | Buffer, options?: PutOptions): Promise<PutResult>;
  /**
   * Opens an object. The stream fails with a Failure of this list too; destroy it when it is not read to its end.
   * @throws Failure ObjectMissing
   */
  get(key: string, options?: GetOptions): Promise<Readable>;
  /** Objects whose key starts with the prefix (any prefix, not only a folder's; '' for all), sorted by key. */
  list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject>;
  /**
   * Removes an object, with all its versions. True when there was such an object. May be called again.
   * @throws Failure ObjectLocked while its retention runs, with the time in its context (`until`); what could be removed
   * is gone then
   */
  delete(key: string): Promise<boolean>;
  /**
   * Removes what unfinished puts have left that have not written for so long, of keys below one folder alone: another
   * lane's upload may be under way, however young the caller's may be.
   * @param folder the first name of the keys, without a slash: a lane
   * @returns how many were removed
   */
  sweepUploads(folder: string, olderThanMs: number): Promise<number>;
}
