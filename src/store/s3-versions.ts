// What a bucket holds, version by version. Where there are versions, the oldest one of a key is its object; a provider
// that keeps none and does not know the question answers NotImplemented, and then its plain list is the truth.

import {
  type _Object,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import type { S3Bucket } from './s3-bucket.ts';

export interface S3Version {
  readonly path: string;
  /** Undefined where the bucket keeps none. */
  readonly versionId: string | undefined;
  /** Undefined for a delete marker. */
  readonly object?: { readonly sizeBytes: number; readonly modifiedAtMs: number };
}

interface Question {
  readonly prefix: string;
  readonly signal: AbortSignal | undefined;
}

const unknownQuestion = ['NotImplemented', 'MethodNotAllowed', 'UnsupportedOperation'];

/** Sorted by path; of one path the newest first, and delete markers anywhere. */
async function* versionsBelow(bucket: S3Bucket, question: Question): AsyncGenerator<S3Version> {
  let marker: { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const input = { Bucket: bucket.name, Prefix: question.prefix, ...marker };
    const page = await bucket.askUnless(
      unknownQuestion,
      { doing: 'list', signal: question.signal },
      (client, options) => client.send(new ListObjectVersionsCommand(input), options),
    );
    if (page === undefined) {
      yield* objectsBelow(bucket, question);
      return;
    }
    yield* versionsOf(page);
    if (!page.IsTruncated) return;
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

/** The page has versions and delete markers apart; sorting keeps the order that those of one path have. */
function versionsOf({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput): S3Version[] {
  const markers = DeleteMarkers.map(({ Key: path = '', VersionId: versionId }) => ({ path, versionId }));
  const versions = Versions.map(({ VersionId: versionId, ...described }) => ({ ...objectOf(described), versionId }));
  return [...versions, ...markers].sort((a, b) => Number(a.path > b.path) - Number(a.path < b.path));
}

function objectOf({ Key: path = '', Size = 0, LastModified }: _Object): Omit<S3Object, 'versionId'> {
  return { path, object: { sizeBytes: Size, modifiedAtMs: LastModified?.getTime() ?? 0 } };
}

async function* objectsBelow(bucket: S3Bucket, { prefix, signal }: Question): AsyncGenerator<S3Version> {
  let token: string | undefined;
  do {
    const input = { Bucket: bucket.name, Prefix: prefix, ContinuationToken: token };
    const page = await bucket.ask({ doing: 'list', signal }, (client, options) =>
      client.send(new ListObjectsV2Command(input), options),
    );
    for (const described of page.Contents ?? []) yield { ...objectOf(described), versionId: undefined };
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

export type S3Object = S3Version & Required<Pick<S3Version, 'object'>>;

/** The objects, sorted by path: the oldest version of each. */
export async function* oldestBelow(bucket: S3Bucket, question: Question): AsyncGenerator<S3Object> {
  let oldest: S3Object | undefined;
  for await (const { object, ...version } of versionsBelow(bucket, question)) {
    if (object === undefined) continue;
    if (oldest !== undefined && oldest.path !== version.path) yield oldest;
    oldest = { ...version, object };
  }
  if (oldest !== undefined) yield oldest;
}

/** The object of one path. */
export async function oldestAt(
  bucket: S3Bucket,
  path: string,
  signal: AbortSignal | undefined,
): Promise<S3Object | undefined> {
  for await (const object of oldestBelow(bucket, { prefix: path, signal })) {
    // shorter than all others that it is the head of, and so the first
    return object.path === path ? object : undefined;
  }
  return undefined;
}

/** All versions and delete markers of one path. */
export async function everyVersionAt(
  bucket: S3Bucket,
  path: string,
  signal: AbortSignal | undefined,
): Promise<S3Version[]> {
  const versions: S3Version[] = [];
  for await (const version of versionsBelow(bucket, { prefix: path, signal })) {
    if (version.path !== path) return versions;
    versions.push(version);
  }
  return versions;
}
