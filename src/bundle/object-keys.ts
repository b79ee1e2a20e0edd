// Where the objects of a bundle lie in a store, below its prefix. No key is a prefix of another, and no lane's keys
// begin with another lane's. Segments and indexes end in a random part: a put whose outcome is unknown is abandoned,
// never adopted, and the next attempt takes another key.

import { randomBytes } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { bundleIdPattern, lanePattern } from '../domain/terms.ts';

export const fingerprintPattern = /^[0-9a-f]{64}$/;
export const suffixPattern = /^[0-9a-f]{16}$/;

/** A new random part: 64 bits, for one fingerprint has few objects. */
export function randomSuffix(): string {
  return randomBytes(8).toString('hex');
}

export function manifestsPrefix(lane: string): string {
  return `${checked('lane', lane, lanePattern)}/manifests/`;
}

export function segmentsPrefix(lane: string): string {
  return `${checked('lane', lane, lanePattern)}/segments/`;
}

export function indexesPrefix(lane: string): string {
  return `${checked('lane', lane, lanePattern)}/indexes/`;
}

export function verificationsPrefix(lane: string): string {
  return `${checked('lane', lane, lanePattern)}/verifications/`;
}

/** @param run an id of a bundle's form */
export function verificationKey(lane: string, run: string): string {
  return `${verificationsPrefix(lane)}${checked('run', run, bundleIdPattern)}.json`;
}

export function tombstonesPrefix(lane: string): string {
  return `${checked('lane', lane, lanePattern)}/tombstones/`;
}

/** Objects that only tell the store's clock. */
export function clockPrefix(lane: string): string {
  return `${checked('lane', lane, lanePattern)}/clock/`;
}

/** InvalidInput when the lane or the bundle's id has a wrong form; so for all keys. */
export function manifestKey(lane: string, bundle: string): string {
  return `${manifestsPrefix(lane)}${checked('bundle', bundle, bundleIdPattern)}.json`;
}

export function tombstoneKey(lane: string, bundle: string): string {
  return `${tombstonesPrefix(lane)}${checked('bundle', bundle, bundleIdPattern)}.json`;
}

/** @param suffix 16 hex digits; left out, a new random one */
export function clockKey(lane: string, suffix = randomSuffix()): string {
  return clockPrefix(lane) + checked('suffix', suffix, suffixPattern);
}

/** @param suffix 16 hex digits; left out, a new random one */
export function segmentKey(lane: string, fingerprint: string, suffix = randomSuffix()): string {
  return segmentsPrefix(lane) + objectName(fingerprint, suffix);
}

/** @param suffix 16 hex digits; left out, a new random one */
export function indexKey(lane: string, fingerprint: string, suffix = randomSuffix()): string {
  return indexesPrefix(lane) + objectName(fingerprint, suffix);
}

/** How a store is asked for an object that a manifest names: by its version, where one was recorded. */
export function versionOf(object: { readonly versionId?: string | undefined }): { readonly versionId?: string } {
  return object.versionId === undefined ? {} : { versionId: object.versionId };
}

function objectName(fingerprint: string, suffix: string): string {
  return `${checked('fingerprint', fingerprint, fingerprintPattern)}-${checked('suffix', suffix, suffixPattern)}`;
}

function checked(field: string, value: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new Failure(
    'InvalidInput',
    `${field} ${JSON.stringify(value.slice(0, 80))} does not have the form ${pattern.source}`,
    { field },
  );
}
