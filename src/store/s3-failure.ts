// What S3 and the network say, in the words of the failure table. A message holds the error's name and status only: the
// text of an answer is somebody else's.

import { Failure, type FailureCode } from '../domain/failure.ts';

/** What is wrong with the certificate that the store shows, by the names that OpenSSL and Node give it. */
const strangers = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
];
const otherName = 'ERR_TLS_CERT_ALTNAME_INVALID';
const outOfTime = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];
const unbelieved: readonly string[] = [...strangers, otherName, ...outOfTime];

/** By name, where the status alone would mislead. */
const codesByName: Readonly<Record<string, FailureCode>> = {
  NoSuchKey: 'ObjectMissing',
  NoSuchVersion: 'ObjectMissing',
  NoSuchBucket: 'StoreRefused',
  // A name on the way is an object: S3 itself would take both, servers on a file system cannot.
  ObjectParentIsFile: 'InvalidInput',
  ExistingObjectIsDirectory: 'InvalidInput',
  PreconditionFailed: 'ObjectExists',
  EntityTooLarge: 'StoreRefused',
  QuotaExceeded: 'StoreFull',
  InsufficientStorage: 'StoreFull',
  StorageFull: 'StoreFull',
  XMinioStorageFull: 'StoreFull',
  CredentialsProviderError: 'SecretUnavailable',
  // Damaged or lost on the way; another try may succeed.
  BadDigest: 'StoreUnreachable',
  InvalidDigest: 'StoreUnreachable',
  XAmzContentSHA256Mismatch: 'StoreUnreachable',
  XAmzContentChecksumMismatch: 'StoreUnreachable',
  IncompleteBody: 'StoreUnreachable',
  RequestTimeout: 'StoreUnreachable',
  ExpiredToken: 'StoreUnreachable',
  NoSuchUpload: 'StoreUnreachable',
  InvalidPart: 'StoreUnreachable',
};

export interface S3Context {
  readonly store: string;
  /** What was tried, for the message: `write`, `list`. */
  readonly doing: string;
  readonly key?: string;
}

/** What an error of the SDK has that tells what happened. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function s3ErrorName(error: unknown): string {
  const { name = '', code = '', Code = '' } = (error ?? {}) as SdkError;
  const told = [Code, name, code].find((text) => text !== '' && text !== 'Error' && text !== 'S3ServiceException');
  return /^[A-Za-z0-9_.-]{1,60}$/.test(told ?? '') ? (told as string) : 'unknown error';
}

export function s3Status(error: unknown): number | undefined {
  return ((error ?? {}) as SdkError).$metadata?.httpStatusCode;
}

function codeOf(name: string, status: number | undefined): FailureCode {
  const byName = Object.hasOwn(codesByName, name) ? codesByName[name] : undefined;
  if (byName !== undefined) return byName;
  if (unbelieved.includes(name)) return 'StoreRefused';
  if (status === undefined || status >= 500) return status === 507 ? 'StoreFull' : 'StoreUnreachable';
  // 307 and 429 pass; a conflict's outcome is not known: the same put may succeed when it is tried again.
  if (status === 307 || status === 408 || status === 409 || status === 429 || status < 300) return 'StoreUnreachable';
  return status === 412 ? 'ObjectExists' : 'StoreRefused';
}

/** @param error what a call of the SDK threw; a Failure is given back as it is */
export function s3Failure(error: unknown, { store, doing, key }: S3Context): Failure {
  if (error instanceof Failure) return error;
  const [name, status] = [s3ErrorName(error), s3Status(error)];
  const code = codeOf(name, status);
  const context = { store, ...(key === undefined ? {} : { key }) };
  if (code === 'ObjectExists') return new Failure(code, `store ${store} has ${key} already`, context);
  if (code === 'ObjectMissing') return new Failure(code, `store ${store} has no object ${key}`, context);
  if (code === 'InvalidInput') return new Failure(code, `store ${store}: a part of ${key} is an object`, context);
  const object = key === undefined ? '' : ` ${key}`;
  const told = status === undefined ? name : `${name}, status ${status}`;
  const advice = adviceOf(name, status) ?? certificateAdvice(name, store);
  return new Failure(code, `store ${store}: cannot ${doing}${object} (${told})${advice}`, context);
}

function adviceOf(name: string, status: number | undefined): string | undefined {
  if (status !== undefined && status >= 300 && status < 400)
    return '; it answers from another place: check endpoint and awsRegion';
  return name === 'RequestTimeTooSkewed' ? "; the worker's clock and the store's are too far apart" : undefined;
}

function certificateAdvice(name: string, store: string): string {
  if (strangers.includes(name))
    return `; no authority that is believed vouches for its certificate: check stores.${store}.caFile`;
  if (name === otherName) return `; its certificate is for another name: check stores.${store}.endpoint`;
  if (outOfTime.includes(name)) return '; its certificate is out of its time: renew it, or set the clock right';
  return name === 'EPROTO' ? `; it does not speak TLS there: check stores.${store}.endpoint` : '';
}
