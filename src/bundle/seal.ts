// Sealing with the AWS Encryption SDK: AES-256-GCM with key commitment in frames of 1 MiB, the data key wrapped for
// each recipient with RSA-OAEP-SHA256. No cipher, format or key wrap of our own; AWS's Python library opens the files.
// Opening releases a byte only after its frame is authenticated and the header's context is the expected one.

import type { Duplex } from 'node:stream';
// its parts, and not the whole client: that brings KMS and DynamoDB along, 13 MiB of every process
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt, type MessageHeader } from '@aws-crypto/encrypt-node';
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';
import { Failure, isFailure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { asUnexpected, GuardedDuplex, type InnerDuplex } from './guarded-duplex.ts';
import { openingKeyring, recipientsKeyring } from './keyrings.ts';
import type { OpeningKey, Recipient } from './recipient.ts';

export { type OpeningKey, type Recipient, recipientsDigest } from './recipient.ts';

export interface SealContext {
  readonly fleet: string;
  readonly lane: string;
  readonly object: 'segment' | 'index';
  readonly fingerprint: string;
}

const policy = {
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: limits.recipientsPerBundle,
};
const { encryptStream } = buildEncrypt(policy);
const { decryptUnsignedMessageStream } = buildDecrypt(policy);

// Committing, without a signature per message: the manifest's covers it (perf-notes).
const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

/**
 * A stream of plain bytes in, one Encryption SDK message out.
 * @returns a stream; InvalidInput at once for a recipient that is no RSA public key, for none, or for too many
 */
export function seal(recipients: readonly Recipient[], context: SealContext): Duplex {
  const inner = encryptStream(recipientsKeyring(recipients), {
    suiteId,
    frameLength: limits.sealFrameBytes,
    encryptionContext: encryptionContext(context),
  });
  return new GuardedDuplex(inner, {
    translate: asUnexpected('sealing'),
    abandon: runOut,
  });
}

/**
 * Lets a sealing stream end by itself, its output read into nothing. Destroying it would close the SDK's signature
 * stream early, which readable-stream's callback-less pipeline answers with an uncaught "Premature close" (seen with
 * encrypt-node 5.0.2: it would take the worker down with it).
 */
function runOut(inner: InnerDuplex): void {
  inner.resume();
  inner.end();
}

/**
 * One Encryption SDK message in, plain bytes out, each frame authenticated before it is released.
 * Bytes behind the message's end are not refused here: compare the sealed size (see openPipeline).
 * @returns a stream that fails with BundleKeyWrong (not sealed to this key), BundleForeign (of another lane or fleet)
 *   or BundleDamaged (anything else: cut, changed, reordered, another object of the same lane)
 */
export function open(key: OpeningKey, context: SealContext): Duplex {
  const inner = decryptUnsignedMessageStream(openingKeyring(key), { maxBodySize: limits.sealFrameBytes });
  const stream = new GuardedDuplex(inner, { translate: openingFailure });
  inner.once('MessageHeader', (header: MessageHeader) => {
    const failure = contextFailure(header.encryptionContext, context);
    if (failure !== undefined) stream.destroy(failure);
  });
  return stream;
}

/** What binds a sealed object to its place; authenticated, and readable without a key. */
export function encryptionContext(context: SealContext): Record<string, string> {
  return {
    'clawback-format': '1',
    'clawback-fleet': context.fleet,
    'clawback-lane': context.lane,
    'clawback-object': context.object,
    'clawback-fingerprint': context.fingerprint,
  };
}

function openingFailure(error: Error): Failure {
  if (isFailure(error)) return error;
  return new Failure('BundleDamaged', `a sealed object cannot be opened: ${error.message}`, {}, { cause: error });
}

/** Compares the whole context; that of another lane or fleet is foreign, any other difference is damage. */
function contextFailure(found: Readonly<Record<string, string>>, expected: SealContext): Failure | undefined {
  const wanted = encryptionContext(expected);
  const names = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  const different = [...names].filter((name) => found[name] !== wanted[name]).sort();
  if (different.length === 0) return undefined;
  const foreign = different.includes('clawback-fleet') || different.includes('clawback-lane');
  return new Failure(
    foreign ? 'BundleForeign' : 'BundleDamaged',
    `a sealed object was made for another place: it differs in ${different.join(', ')}`,
    { lane: expected.lane, fleet: expected.fleet },
  );
}
