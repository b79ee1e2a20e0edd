// One bucket as one credential sees it: sends requests with time-outs and bounded retries, turns what comes back wrong
// into our failures, and knows the time by the store's own clock.

import { setTimeout as sleep } from 'node:timers/promises';
import { HeadBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { limits } from '../domain/limits.ts';
import { s3ErrorName, s3Failure } from './s3-failure.ts';

export interface S3Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How an S3 store is reached: what fleet.yaml says, and what tests shorten. */
export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; '' for none. */
  readonly prefix: string;
  /** Left out: AWS itself. */
  readonly endpoint?: string;
  /** Certificates of the authorities that may vouch for the endpoint's, and no others; left out: Node's own. */
  readonly caPem?: string;
  readonly awsRegion: string;
  readonly forcePathStyle: boolean;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly stallMs?: number;
  readonly attempts?: number;
}

export interface S3Request {
  /** For the message of a failure: `write`, `list`. */
  readonly doing: string;
  readonly key?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The answer's body is a stream for somebody else. */
  readonly handsOn?: boolean;
}

interface Timeouts {
  readonly socketTimeout: number;
  readonly requestTimeout?: number;
  readonly throwOnRequestTimeout?: boolean;
}

interface S3Options {
  readonly abortSignal?: AbortSignal;
}

/** The SDK asks again five minutes before the end. */
const credentialMs = 15 * 60_000;

/**
 * Two writes met: how the other one ends is known soon, and the same request then has a plain answer. (The last is
 * versitygw's, where a put meets the delete that empties its folder.)
 */
const conflicts = ['ConditionalRequestConflict', 'OperationAborted', 'ExistingObjectIsDirectory'];
const conflictTries = 4;
const conflictMs = 250;

/** Connections of one process to one bucket: 16 streams with three requests each, and short ones beside. */
const sockets = 64;

export class S3Bucket {
  readonly store: string;
  readonly name: string;
  readonly #client: S3Client;
  /** For answers whose body is handed on: a reader may take its time, so only the head has a time-out here. */
  readonly #reading: S3Client;
  readonly stallMs: number;
  #clockOffsetMs: number | undefined;

  /** @param credential asked for when the first request needs it, and again when it has expired; left out: the SDK's chain */
  constructor(store: string, place: S3Place, credential?: () => Promise<S3Credential>) {
    this.store = store;
    this.name = place.bucket;
    this.stallMs = place.stallMs ?? limits.streamStallMs;
    this.#client = this.#clientOf(place, credential, { socketTimeout: this.stallMs });
    const head = { socketTimeout: 0, requestTimeout: this.stallMs, throwOnRequestTimeout: true };
    this.#reading = this.#clientOf(place, credential, head);
  }

  #clientOf(place: S3Place, credential: (() => Promise<S3Credential>) | undefined, timeouts: Timeouts): S3Client {
    const client = new S3Client(configOf(place, credential, timeouts));
    client.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { headers } = (answer.response ?? {}) as { readonly headers?: Readonly<Record<string, string>> };
        const atMs = Date.parse(headers?.['date'] ?? '');
        if (!Number.isNaN(atMs)) this.#clockOffsetMs = atMs - Date.now();
        return answer;
      },
      { step: 'deserialize', name: 'storeClock' },
    );
    return client;
  }

  /** @throws Failure; the signal's reason when it was aborted */
  async ask<T>(about: S3Request, request: (client: S3Client, options: S3Options) => Promise<T>): Promise<T> {
    const answer = await this.askUnless([], about, request);
    return answer as T; // undefined only for names
  }

  /** As {@link ask}; undefined where S3 answers with one of these errors. */
  async askUnless<T>(
    names: readonly string[],
    about: S3Request,
    request: (client: S3Client, options: S3Options) => Promise<T>,
  ): Promise<T | undefined> {
    const { doing, key, signal } = about;
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      try {
        return await request(
          about.handsOn === true ? this.#reading : this.#client,
          signal === undefined ? {} : { abortSignal: signal },
        );
      } catch (error) {
        signal?.throwIfAborted();
        const name = s3ErrorName(error);
        if (names.includes(name)) return undefined;
        if (!conflicts.includes(name) || tries === conflictTries)
          throw s3Failure(error, { store: this.store, doing, ...(key === undefined ? {} : { key }) });
      }
      await sleep(conflictMs, undefined, signal === undefined ? {} : { signal });
    }
  }

  /** Milliseconds since the epoch by the store's clock, to a second: what is locked or swept goes by it alone. */
  async now(signal?: AbortSignal): Promise<number> {
    if (this.#clockOffsetMs === undefined)
      await this.ask({ doing: 'reach its bucket', signal }, (client, options) =>
        client.send(new HeadBucketCommand({ Bucket: this.name }), options),
      );
    return Date.now() + (this.#clockOffsetMs ?? 0);
  }

  /** Are checksums wanted? Providers that know none are served with AWS_REQUEST_CHECKSUM_CALCULATION=when_required. */
  async sendsChecksums(): Promise<boolean> {
    return (await this.#client.config.requestChecksumCalculation()) !== 'WHEN_REQUIRED';
  }
}

function configOf(
  place: S3Place,
  credential: (() => Promise<S3Credential>) | undefined,
  timeouts: Timeouts,
): S3ClientConfig {
  const { endpoint, caPem, awsRegion, forcePathStyle, attempts = limits.s3Attempts } = place;
  const agent = { keepAlive: true, maxSockets: sockets };
  return {
    region: awsRegion,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credential === undefined ? {} : { credentials: () => forAWhile(credential) }),
    maxAttempts: attempts,
    retryMode: 'standard',
    // a refused put has cost one part at most; some servers behind proxies never send the 100
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: limits.connectTimeoutMs,
      ...timeouts,
      httpAgent: agent,
      httpsAgent: { ...agent, ...(caPem === undefined ? {} : { ca: caPem }) },
    },
  };
}

/** The SDK keeps what does not expire for ever; a secret that was replaced is to be seen. */
async function forAWhile(
  credential: () => Promise<S3Credential>,
): Promise<S3Credential & { readonly expiration: Date }> {
  return { ...(await credential()), expiration: new Date(Date.now() + credentialMs) };
}
