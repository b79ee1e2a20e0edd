// A store in an S3 bucket, AWS's or a compatible one. An object is created by one conditional request and never
// overwritten; where the bucket keeps versions, what is written over it later is neither listed nor read. Where a
// retention is asked for, each object is locked by its own request (GOVERNANCE), by the store's clock.

import { AbortMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { GetObjectRetentionCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure, isFailure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { checkFolder, checkKey, checkPrefix, isStoreName } from './keys.ts';
import { checkedBody } from './s3-body.ts';
import { S3Bucket, type S3Credential, type S3Place } from './s3-bucket.ts';
import { uploadObject } from './s3-upload.ts';
import { everyVersionAt, oldestAt, oldestBelow, type S3Version } from './s3-versions.ts';
import type { GetOptions, ListOptions, PutOptions, PutResult, Store, StoredObject } from './store.ts';

export interface S3Description extends S3Place {
  readonly kind: 's3';
  /** How long each object is locked; undefined: not at all. */
  readonly retentionMs?: number;
  /** Puts, gets and lists; left out: the SDK's own chain. */
  readonly credential?: () => Promise<S3Credential>;
  /** Deletes; left out: `credential`. */
  readonly expiryCredential?: () => Promise<S3Credential>;
  /** Of an upload; tests make it smaller. At least 5 MiB, S3's own bound. */
  readonly partBytes?: number;
}

/** A version that a store does not know, or whose id does not even have its form. */
const unknownVersion = ['NoSuchVersion', 'NoSuchKey', 'InvalidArgument', 'InvalidVersionId'];

export class S3Store implements Store {
  readonly name: string;
  readonly #prefix: string;
  readonly #retentionMs: number | undefined;
  readonly #partBytes: number;
  readonly #bucket: S3Bucket;
  /** The same bucket, as who may delete sees it. */
  readonly #deleting: S3Bucket;

  constructor(name: string, description: S3Description) {
    const { prefix, retentionMs, credential, expiryCredential, partBytes = limits.s3PartBytes } = description;
    this.name = name;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#retentionMs = retentionMs;
    this.#partBytes = partBytes;
    this.#bucket = new S3Bucket(name, description, credential);
    this.#deleting = expiryCredential === undefined ? this.#bucket : new S3Bucket(name, description, expiryCredential);
  }

  async put(key: string, body: Readable | Buffer, { signal, passing = false }: PutOptions = {}): Promise<PutResult> {
    const path = this.#path(checkKey(key));
    const [bucket, partBytes] = [this.#bucket, this.#partBytes];
    const retentionMs = passing ? undefined : this.#retentionMs;
    const object = { bucket, key, path, partBytes, retentionMs, signal };
    let upload: Promise<PutResult> | undefined;
    try {
      const source = Buffer.isBuffer(body) ? Readable.from([body], { objectMode: true }) : body;
      const take = (chunks: AsyncIterable<Uint8Array | string>) => (upload = uploadObject(object, chunks));
      return await pipeline(source, take, signal === undefined ? {} : { signal });
    } catch (error) {
      // Whoever feeds the body must not wait for a reader that is gone; and nothing of ours is left on its way.
      if (!Buffer.isBuffer(body)) body.destroy();
      await upload?.catch(() => undefined);
      signal?.throwIfAborted();
      throw error;
    }
  }

  async get(key: string, { versionId, signal }: GetOptions = {}): Promise<Readable> {
    const path = this.#path(checkKey(key));
    const told = versionId === undefined ? undefined : await this.#open({ path, key, versionId, signal });
    if (told !== undefined) return told;
    const oldest = await oldestAt(this.#bucket, path, signal);
    const object = oldest && (await this.#open({ path, key, versionId: oldest.versionId, signal }));
    if (object === undefined)
      throw new Failure('ObjectMissing', `store ${this.name} has no object ${key}`, { store: this.name, key });
    return object;
  }

  async *list(prefix: string, { signal }: ListOptions = {}): AsyncIterable<StoredObject> {
    const below = { prefix: this.#path(checkPrefix(prefix)), signal };
    for await (const { path, object } of oldestBelow(this.#bucket, below)) {
      signal?.throwIfAborted();
      const key = path.slice(this.#prefix.length);
      if (key.split('/').every(isStoreName)) yield { key, ...object };
    }
  }

  async delete(key: string): Promise<boolean> {
    const path = this.#path(checkKey(key));
    const versions = await everyVersionAt(this.#bucket, path, undefined);
    const failures: unknown[] = [];
    for (const version of versions) await this.#remove(key, version).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
    return versions.some(({ object }) => object !== undefined);
  }

  async sweepUploads(folder: string, olderThanMs: number): Promise<number> {
    const below = this.#path(`${checkFolder(folder)}/`);
    // the store tells whole seconds: what began in the last one began before now
    const beforeMs = (await this.#bucket.now()) + 1000 - olderThanMs;
    let swept = 0;
    for await (const upload of this.#uploads(below))
      if (upload.startedAtMs <= beforeMs && !(await this.#hasPartSince(upload, beforeMs)))
        swept += await this.#abort(upload);
    return swept;
  }

  #path(key: string): string {
    return this.#prefix + key;
  }

  async #open({ path, key, versionId, signal }: Opening): Promise<Readable | undefined> {
    const input = { Bucket: this.#bucket.name, Key: path, VersionId: versionId };
    const answer = await this.#bucket.askUnless(
      unknownVersion,
      { doing: 'read', key, signal, handsOn: true },
      (client, options) => client.send(new GetObjectCommand(input), options),
    );
    if (answer === undefined) return undefined;
    const context = { store: this.name, doing: 'read', key, signal, stallMs: this.#bucket.stallMs };
    return checkedBody(answer.Body as Readable, answer.ContentLength, context);
  }

  /** One version or delete marker. */
  async #remove(key: string, version: S3Version): Promise<void> {
    const which = { Bucket: this.#bucket.name, Key: version.path, VersionId: version.versionId };
    try {
      await this.#deleting.askUnless(unknownVersion, { doing: 'delete', key }, (client, options) =>
        client.send(new DeleteObjectCommand(which), options),
      );
    } catch (error) {
      const until = isFailure(error, 'StoreRefused') ? await this.#lockedUntil(which) : undefined;
      if (until === undefined) throw error;
      throw new Failure('ObjectLocked', `store ${this.name}: ${key} is locked until ${until.toISOString()}`, {
        store: this.name,
        key,
        until: until.toISOString(),
      });
    }
  }

  /** Undefined when it is not, or when that may not be asked. */
  async #lockedUntil(which: { readonly Bucket: string; readonly Key: string; readonly VersionId: string | undefined }) {
    const answer = await this.#deleting
      .ask({ doing: 'look at a lock' }, (client, options) => client.send(new GetObjectRetentionCommand(which), options))
      .catch(() => undefined);
    const until = answer?.Retention?.RetainUntilDate;
    return until !== undefined && until.getTime() > (await this.#deleting.now()) ? until : undefined;
  }

  async *#uploads(prefix: string): AsyncGenerator<StaleUpload> {
    let marker: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const input = { Bucket: this.#bucket.name, Prefix: prefix, ...marker };
      const page = await this.#bucket.ask({ doing: 'list unfinished uploads' }, (client, options) =>
        client.send(new ListMultipartUploadsCommand(input), options),
      );
      for (const { Key: path = '', UploadId: id = '', Initiated } of page.Uploads ?? [])
        yield { path, id, startedAtMs: Initiated?.getTime() ?? 0 };
      if (!page.IsTruncated) return;
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  async #hasPartSince({ path, id }: StaleUpload, sinceMs: number): Promise<boolean> {
    let after: string | undefined;
    do {
      const input = { Bucket: this.#bucket.name, Key: path, UploadId: id, PartNumberMarker: after };
      const page = await this.#bucket.askUnless(['NoSuchUpload'], { doing: 'list parts' }, (client, options) =>
        client.send(new ListPartsCommand(input), options),
      );
      if (page?.Parts?.some(({ LastModified }) => (LastModified?.getTime() ?? 0) > sinceMs)) return true;
      after = page?.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (after !== undefined);
    return false;
  }

  /** 1; 0 when it ended by itself meanwhile. */
  async #abort({ path, id }: StaleUpload): Promise<number> {
    const upload = { Bucket: this.#bucket.name, Key: path, UploadId: id };
    const answer = await this.#deleting.askUnless(['NoSuchUpload'], { doing: 'sweep uploads' }, (client, options) =>
      client.send(new AbortMultipartUploadCommand(upload), options),
    );
    return answer === undefined ? 0 : 1;
  }
}

interface Opening {
  readonly path: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly signal: AbortSignal | undefined;
}

interface StaleUpload {
  readonly path: string;
  readonly id: string;
  readonly startedAtMs: number;
}
