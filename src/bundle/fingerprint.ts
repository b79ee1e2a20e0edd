// The fingerprint of a segment: an HMAC over what the listing says of its members, so that a later bundle can refer
// to an unchanged segment without opening anything, and nobody without the fleet's key can test a guess at a name.
// Each field is written as its length (32 bits, big-endian) and its bytes: no name can imitate another field.

import { createHmac } from 'node:crypto';
import type { FileEntry } from '../domain/file-entry.ts';
import type { Component } from '../domain/terms.ts';
import type { SegmentBase } from './classify.ts';
import { byteString } from './globs.ts';

/** `secrets` is the file of Keychain items (secrets-file.ts); it is made, not planned. */
export const segmentKinds = ['tar', 'range', 'directories', 'secrets'] as const;
export type SegmentKind = (typeof segmentKinds)[number];

export interface SegmentRange {
  readonly offset: number;
  readonly length: number;
}

export interface FingerprintInput {
  readonly profileId: string;
  readonly recipientsDigest: string;
  readonly component: Component;
  readonly kind: SegmentKind;
  readonly base: SegmentBase;
  readonly supplement: boolean;
  readonly range?: SegmentRange;
  readonly members: readonly FileEntry[];
}

/** Raised when the same listing would give another segment: what the format writes, or how it is planned. */
const fingerprintFormat = 'clawback-fingerprint-1';

/** HMAC-SHA256, lower-case hex. */
export function fingerprintOf(input: FingerprintInput, key: Buffer): string {
  const hmac = createHmac('sha256', key).update(encodeFields(headFields(input)), 'latin1');
  for (const member of input.members) hmac.update(encodeFields(memberFields(member)), 'latin1');
  return hmac.digest('hex');
}

/** Byte strings: every field but the name is ASCII, and the name is its bytes. */
function encodeFields(fields: readonly string[]): string {
  return fields.map((field) => lengthOf(field) + field).join('');
}

function lengthOf({ length }: string): string {
  return String.fromCharCode(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

function headFields({
  profileId,
  recipientsDigest,
  component,
  kind,
  base,
  supplement,
  range,
}: FingerprintInput): string[] {
  const place = range === undefined ? '' : `${range.offset}+${range.length}`;
  return [fingerprintFormat, profileId, recipientsDigest, component, kind, base, supplement ? 'supplement' : '', place];
}

/** No device: its number is another after a reboot. Owner and links are in the change time. */
function memberFields({ path, type, sizeBytes, mtimeNs, ctimeNs, inode, mode }: FileEntry): string[] {
  return [byteString(path), type, String(sizeBytes), String(mtimeNs), String(ctimeNs), inode, mode.toString(8)];
}
