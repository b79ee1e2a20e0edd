// What a vault worker says of a host that came during an incident: that lanes go there, in this run of this incident. It is
// signed with the receipt key, whose public half every worker has.

import { isDeepStrictEqual } from 'node:util';
import { isFailure } from '../domain/failure.ts';
import { type EnvelopeKind, openEnvelope, signEnvelope } from '../signing/envelope.ts';

const kind: EnvelopeKind = {
  noun: 'placement',
  payloadType: 'application/vnd.clawback.placement+json',
  damaged: 'ReceiptDamaged',
  badSignature: 'ReceiptDamaged',
};

/** @param claim plain JSON */
export function signVouched(claim: object, privateKeyPem: string): Buffer {
  return signEnvelope(kind, Buffer.from(JSON.stringify(claim), 'utf8'), privateKeyPem);
}

/** Is this claim, and no other, signed by one of the keys? */
export function isVouched(bytes: Buffer, claim: object, publicKeysPem: readonly string[]): boolean {
  try {
    const payload = openEnvelope(kind, bytes, publicKeysPem);
    return isDeepStrictEqual(JSON.parse(payload.toString('utf8')), JSON.parse(JSON.stringify(claim)));
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}
