// How an S3 store creates an object: in one request when it fits into a part, else in parts of one size, some on their
// way while the next one fills. The last request says "only if there is none", so nothing is ever overwritten; until it
// is answered there is no object. Every part goes with its CRC-32 (native, next to nothing); the SHA-256 that is told
// stands in the signed manifest.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { S3Bucket, S3Request } from './s3-bucket.ts';
import type { PutResult } from './store.ts';

/** What is given up is cleaned away for so long at most; a sweep does the rest. */
const abortMs = 10_000;

export interface NewS3Object {
  readonly bucket: S3Bucket;
  /** As the store knows it, for messages. */
  readonly key: string;
  /** As the bucket knows it. */
  readonly path: string;
  readonly partBytes: number;
  /** Undefined: none. */
  readonly retentionMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Reads the body to its end. @throws Failure; the body's own error; the signal's reason */
export async function uploadObject(object: NewS3Object, body: AsyncIterable<Uint8Array | string>): Promise<PutResult> {
  const upload = new Upload(object);
  try {
    for await (const chunk of body) await upload.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return await upload.finish();
  } catch (error) {
    await upload.giveUp();
    throw error;
  }
}

class Upload {
  readonly #object: NewS3Object;
  /** Ends the parts on their way when the body fails. */
  readonly #ending = new AbortController();
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  #buffer: Buffer;
  #filledBytes = 0;
  readonly #free: Buffer[] = [];
  #uploadId: string | undefined;
  #partCount = 0;
  readonly #parts: CompletedPart[] = [];
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(object: NewS3Object) {
    this.#object = object;
    this.#buffer = Buffer.allocUnsafeSlow(object.partBytes);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    for (let offset = 0; offset < chunk.length; ) {
      if (this.#filledBytes === this.#object.partBytes) await this.#sendPart();
      const taken = chunk.subarray(offset, offset + this.#object.partBytes - this.#filledBytes);
      this.#buffer.set(taken, this.#filledBytes);
      this.#filledBytes += taken.length;
      offset += taken.length;
    }
  }

  async finish(): Promise<PutResult> {
    const versionId = this.#uploadId === undefined ? await this.#putWhole() : await this.#complete();
    const result = { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
    // where a bucket keeps none, some answer "null"
    return versionId === undefined || versionId === 'null' ? result : { ...result, versionId };
  }

  async giveUp(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
    if (this.#uploadId === undefined) return;
    const upload = { ...this.#where, UploadId: this.#uploadId };
    await this.#object.bucket
      .ask({ doing: 'give up', signal: AbortSignal.timeout(abortMs) }, (client, options) =>
        client.send(new AbortMultipartUploadCommand(upload), options),
      )
      // why it was given up is what the caller hears; a sweep removes the rest
      .catch(() => undefined);
  }

  get #where(): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#object.bucket.name, Key: this.#object.path };
  }

  get #about(): S3Request {
    const { key, signal } = this.#object;
    const ending = this.#ending.signal;
    return { doing: 'write', key, signal: signal === undefined ? ending : AbortSignal.any([signal, ending]) };
  }

  async #putWhole(): Promise<string | undefined> {
    const bytes = this.#buffer.subarray(0, this.#filledBytes);
    const input = { ...this.#where, Body: bytes, ...(await this.#crcOf(bytes)), ...(await this.#lock()) };
    const answer = await this.#object.bucket.ask(this.#about, (client, options) =>
      client.send(new PutObjectCommand({ ...input, IfNoneMatch: '*' }), options),
    );
    return answer.VersionId;
  }

  async #complete(): Promise<string | undefined> {
    await this.#sendPart();
    await Promise.all(this.#running);
    this.#throwFailure();
    const input = {
      ...this.#where,
      UploadId: this.#uploadId,
      MultipartUpload: { Parts: this.#parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)) },
    };
    const answer = await this.#object.bucket.ask(this.#about, (client, options) =>
      client.send(new CompleteMultipartUploadCommand({ ...input, IfNoneMatch: '*' }), options),
    );
    return answer.VersionId;
  }

  /** Sends what has been filled; returns when there is room to fill the next one. */
  async #sendPart(): Promise<void> {
    this.#uploadId ??= await this.#begin();
    const number = this.#nextNumber();
    const buffer = this.#buffer;
    const sending = this.#put(number, buffer.subarray(0, this.#filledBytes)).then(
      () => void this.#free.push(buffer),
      (error: unknown) => void (this.#failure ??= { error }),
    );
    this.#running.add(sending);
    void sending.then(() => this.#running.delete(sending));
    while (this.#running.size > limits.s3PartsInFlight) await Promise.race(this.#running);
    this.#throwFailure();
    this.#buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#object.partBytes);
    this.#filledBytes = 0;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #nextNumber(): number {
    this.#partCount += 1;
    if (this.#partCount <= limits.s3Parts) return this.#partCount;
    const { bucket, key, partBytes } = this.#object;
    const mostBytes = limits.s3Parts * partBytes;
    throw new Failure('InvalidInput', `store ${bucket.store}: ${key} has more than ${mostBytes} bytes`, {
      store: bucket.store,
      key,
    });
  }

  async #begin(): Promise<string | undefined> {
    const { bucket } = this.#object;
    const checksum = (await bucket.sendsChecksums()) ? ({ ChecksumAlgorithm: 'CRC32' } as const) : {};
    const input = { ...this.#where, ...checksum, ...(await this.#lock()) };
    const { UploadId } = await bucket.ask(this.#about, (client, options) =>
      client.send(new CreateMultipartUploadCommand(input), options),
    );
    return UploadId;
  }

  async #put(number: number, bytes: Buffer): Promise<void> {
    const checksum = await this.#crcOf(bytes);
    const input = { ...this.#where, UploadId: this.#uploadId, PartNumber: number, Body: bytes, ...checksum };
    const { ETag } = await this.#object.bucket.ask(this.#about, (client, options) =>
      client.send(new UploadPartCommand(input), options),
    );
    this.#parts.push({ PartNumber: number, ETag, ...checksum });
  }

  async #crcOf(bytes: Buffer): Promise<{ readonly ChecksumCRC32?: string }> {
    if (!(await this.#object.bucket.sendsChecksums())) return {};
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(bytes));
    return { ChecksumCRC32: crc.toString('base64') };
  }

  /** Retention is told for each object: a bucket's default is not stamped on objects everywhere. */
  async #lock(): Promise<{ readonly ObjectLockMode?: 'GOVERNANCE'; readonly ObjectLockRetainUntilDate?: Date }> {
    const { bucket, retentionMs, signal } = this.#object;
    if (retentionMs === undefined) return {};
    const until = new Date((await bucket.now(signal)) + retentionMs);
    return { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until };
  }
}
