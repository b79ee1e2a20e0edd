// The digest of a value: the same for the same content, whatever the order of its fields.

import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';

/** SHA-256, hex, of the canonical JSON (RFC 8785). */
export function canonicalSha256(value: object): string {
  return createHash('sha256')
    .update(canonicalize(value) as string, 'utf8')
    .digest('hex');
}
