// A receipt: signed evidence of what a run did, passed or failed. Its bytes are a pure function of what it says (RFC
// 8785 canonical JSON, Ed25519), so that writing it twice gives the same object. Before use it is checked in this
// order: size, envelope, signature, type, fields, that its fields agree, fleet and lane.

import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { type EnvelopeKind, openEnvelope, signEnvelope } from '../signing/envelope.ts';
import {
  predicateType,
  type Receipt,
  type Statement,
  statementFault,
  statementSchema,
  statementType,
} from './receipt-schema.ts';

export type { Receipt, ReceiptStep } from './receipt-schema.ts';

/** in-toto's own type for a Statement (in-toto/attestation, spec/v1/envelope.md). */
export const receiptEnvelope: EnvelopeKind = {
  noun: 'receipt',
  payloadType: 'application/vnd.in-toto+json',
  damaged: 'ReceiptDamaged',
  badSignature: 'ReceiptSignatureBad',
};

export interface EncodeReceiptOptions {
  /** PKCS#8 PEM of an Ed25519 key. */
  readonly privateKeyPem: string;
  /** The subject where the receipt names no bundle. */
  readonly fleetSha256: string;
}

/** @returns the object to store. InvalidInput naming the field when the receipt or the key is wrong */
export function encodeReceipt(receipt: Receipt, { privateKeyPem, fleetSha256 }: EncodeReceiptOptions): Buffer {
  const statement: Statement = {
    _type: statementType,
    subject: subjectsOf(receipt, fleetSha256),
    predicateType,
    predicate: receipt,
  };
  const fault = fieldFault(statement) ?? statementFault(statement);
  if (fault !== undefined)
    throw new Failure('InvalidInput', `a receipt cannot be written: ${fault}`, { field: fault.split(':')[0] ?? '' });
  const bytes = signEnvelope(receiptEnvelope, Buffer.from(canonicalize(statement) as string, 'utf8'), privateKeyPem);
  if (bytes.length > limits.receiptBytes)
    throw new Failure('InvalidInput', tooLarge(bytes.length), { actualBytes: bytes.length });
  return bytes;
}

function subjectsOf({ bundles }: Receipt, fleetSha256: string): Statement['subject'] {
  if (bundles.length === 0) return [{ name: 'fleet.yaml', digest: { sha256: fleetSha256 } }];
  return bundles.map(({ bundle, manifestSha256 }) => ({ name: bundle, digest: { sha256: manifestSha256 } }));
}

export interface OpenReceiptOptions {
  /** SPKI PEMs of Ed25519 keys, any of which may have signed. */
  readonly publicKeysPem: readonly string[];
  /** Whose it must be; left out, anybody's. */
  readonly of?: { readonly fleet: string; readonly lane: string };
}

export interface OpenedReceipt {
  readonly receipt: Receipt;
  /** Of the envelope as it is stored. */
  readonly sha256: string;
}

/**
 * @returns the receipt, checked. ReceiptDamaged, ReceiptSignatureBad, ReceiptFormatUnknown, ReceiptForeign;
 *   InvalidInput when a public key is none
 */
export function openReceipt(bytes: Buffer, { publicKeysPem, of }: OpenReceiptOptions): OpenedReceipt {
  if (bytes.length > limits.receiptBytes)
    throw new Failure('ReceiptDamaged', tooLarge(bytes.length), { actualBytes: bytes.length });
  const statement = parseJson(openEnvelope(receiptEnvelope, bytes, publicKeysPem));
  requireType(statement);
  const fault = fieldFault(statement) ?? statementFault(statement as Statement);
  if (fault !== undefined)
    throw new Failure('ReceiptDamaged', `a receipt is wrong at ${fault}`, { field: fault.split(':')[0] ?? '' });
  const { predicate: receipt } = statement as Statement;
  if (of) requireOwn(receipt, of);
  return { receipt, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function requireType(statement: unknown): void {
  const found = typeof statement === 'object' && statement !== null ? (statement as Partial<Statement>) : {};
  const type: unknown = found.predicateType;
  if (typeof type !== 'string' || type === predicateType) return;
  throw new Failure(
    'ReceiptFormatUnknown',
    `a statement is of type ${JSON.stringify(type.slice(0, 80))}, this build reads ${predicateType}`,
  );
}

function requireOwn({ id, fleet, lane }: Receipt, expected: { readonly fleet: string; readonly lane: string }): void {
  if (fleet === expected.fleet && lane === expected.lane) return;
  const message = `receipt ${id} is of lane ${lane} in fleet ${fleet}, expected is lane ${expected.lane} in fleet ${expected.fleet}`;
  throw new Failure('ReceiptForeign', message, expected);
}

function fieldFault(value: unknown): string | undefined {
  const issue = statementSchema.safeParse(value).error?.issues[0];
  return issue === undefined ? undefined : `${issue.path.join('.') || 'root'}: ${issue.message.slice(0, 200)}`;
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (error) {
    throw new Failure('ReceiptDamaged', 'a receipt is signed, but no JSON', {}, { cause: error });
  }
}

function tooLarge(sizeBytes: number): string {
  return `a receipt has ${sizeBytes} bytes, at most ${limits.receiptBytes} are allowed`;
}
