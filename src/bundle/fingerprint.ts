// The fingerprint of a segment: an HMAC over what the listing says of its members, so that a later bundle can refer
// to an unchanged segment without opening anything, and nobody without the fleet's key can test a guess at a name.
// Each field is written as its length (32 bits, big-endian) and its bytes: no name can imitate another field.

import { createHmac } from 'node:crypto';
import type { FileEntry } from '../domain/file-entry.ts';
import type { Component } from '../domain/terms.ts';
import type { SegmentBase } from './classify.ts';

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
  const hmac = createHmac('sha256', key);
  const field = (value: string | Buffer): void => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  };
  for (const value of headFields(input)) field(value);
  for (const member of input.members) for (const value of memberFields(member)) field(value);
  return hmac.digest('hex');
}

function headFields({ profileId, recipientsDigest, component, kind, base, supplement, range }: FingerprintInput): string[] {
  const place = range === undefined ? '' : `${range.offset}+${range.length}`;
  return [fingerprintFormat, profileId, recipientsDigest, component, kind, base, supplement ? 'supplement' : '', place];
}

/** No device: its number is another after a reboot. Owner and links are in the change time. */
function memberFields(entry: FileEntry): (string | Buffer)[] {
  const { path, type, sizeBytes, mtimeNs, ctimeNs, inode, mode } = entry;
  return [path, type, String(sizeBytes), String(mtimeNs), String(ctimeNs), inode, mode.toString(8)];
}
