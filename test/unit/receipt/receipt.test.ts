import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/domain/limits.ts';
import { openReceipt, type Receipt, receiptEnvelope } from '../../../src/receipt/receipt.ts';
import { signEnvelope } from '../../../src/signing/envelope.ts';
import { signers } from '../../golden/keys.ts';
import { flipped } from '../bundle/streams.ts';
import { bundleOf, encode, failed, fleetSha256, of, receiptOf } from './receipts.ts';

const options = { publicKeysPem: of.publicKeysPem, of };
const refusal = (bytes: Buffer, more: Partial<typeof options> = {}): unknown => {
  try {
    return openReceipt(bytes, { ...options, ...more });
  } catch (error) {
    return error;
  }
};
const payloadOf = (bytes: Buffer): Record<string, unknown> => {
  const { payload } = JSON.parse(bytes.toString()) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as Record<string, unknown>;
};
/** Signed by a trusted key, whatever it says. */
const signed = (payload: unknown): Buffer =>
  signEnvelope(receiptEnvelope, Buffer.from(JSON.stringify(payload)), signers.manifest.privateKeyPem);

describe('a receipt', () => {
  it('comes back as it was, with the digest of its object', () => {
    const bytes = encode(receiptOf());
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(openReceipt(bytes, options)).toEqual({ receipt: receiptOf(), sha256 });
    expect(openReceipt(bytes, { publicKeysPem: of.publicKeysPem })).toEqual({ receipt: receiptOf(), sha256 });
  });

  it('is the same bytes for the same content, in whatever order the fields were set', () => {
    const shuffled = Object.fromEntries(Object.entries(receiptOf()).toReversed()) as Receipt;
    expect(encode(shuffled).equals(encode(receiptOf()))).toBe(true);
  });

  it('is an in-toto Statement in a DSSE envelope that others can check', () => {
    const bytes = encode(receiptOf());
    const { payload, payloadType, signatures } = JSON.parse(bytes.toString()) as {
      payload: string;
      payloadType: string;
      signatures: [{ sig: string }];
    };
    expect(payloadType).toBe('application/vnd.in-toto+json');
    const signedBytes = Buffer.from(payload, 'base64');
    const pae = Buffer.concat([Buffer.from(`DSSEv1 28 ${payloadType} ${signedBytes.length} `), signedBytes]);
    const key = createPublicKey(signers.manifest.publicKeyPem);
    expect(verify(null, pae, key, Buffer.from(signatures[0].sig, 'base64'))).toBe(true);
    const { bundle, manifestSha256 } = bundleOf();
    expect(payloadOf(bytes)).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: bundle, digest: { sha256: manifestSha256 } }],
      predicateType: 'urn:clawback:receipt:v1',
    });
  });

  it('has the fleet file for a subject where it names no bundle', () => {
    const bytes = encode(receiptOf({ ...failed, bundles: [], rpo: [] }));
    expect(payloadOf(bytes)).toMatchObject({ subject: [{ name: 'fleet.yaml', digest: { sha256: fleetSha256 } }] });
    expect(openReceipt(bytes, options).receipt.bundles).toEqual([]);
  });

  it('opens under any trusted key, so that keys can be rotated', () => {
    const keys = [signers.intruder.publicKeyPem, signers.manifest.publicKeyPem];
    expect(refusal(encode(receiptOf()), { publicKeysPem: keys })).toMatchObject({ receipt: { lane: 'lane-1' } });
  });

  it('is refused when nobody trusted signed it, or nobody is trusted', () => {
    const intruders = encode(receiptOf(), signers.intruder.privateKeyPem);
    expect(refusal(intruders)).toMatchObject({ code: 'ReceiptSignatureBad' });
    expect(refusal(encode(receiptOf()), { publicKeysPem: [] })).toMatchObject({
      code: 'ReceiptSignatureBad',
      message: expect.stringContaining('(none)'),
    });
  });

  it('is refused with any byte changed', () => {
    const bytes = encode(receiptOf());
    for (let at = 0; at < bytes.length; at += 7) {
      expect(refusal(flipped(bytes, at)), `byte ${at}`).toMatchObject({
        code: expect.stringMatching(/^Receipt(SignatureBad|Damaged)$/),
      });
    }
  });

  it('is refused where a manifest is given for it, though the same key signed both', () => {
    const manifest = { ...receiptEnvelope, payloadType: 'application/vnd.clawback.manifest+json' };
    const bytes = signEnvelope(manifest, Buffer.from('{}'), signers.manifest.privateKeyPem);
    expect(refusal(bytes)).toMatchObject({ code: 'ReceiptDamaged', message: expect.stringContaining('payloadType') });
  });

  it('of another lane or fleet is foreign, and both are named', () => {
    expect(refusal(encode(receiptOf({ lane: 'lane-2' })))).toMatchObject({
      code: 'ReceiptForeign',
      message: expect.stringMatching(/lane lane-2 .* lane lane-1/),
    });
    expect(refusal(encode(receiptOf({ fleet: 'other' })))).toMatchObject({ code: 'ReceiptForeign' });
  });

  it('of another type is told apart, whatever else it says', () => {
    const statement = { ...payloadOf(encode(receiptOf())), predicateType: 'https://slsa.dev/provenance/v1' };
    expect(refusal(signed(statement))).toMatchObject({ code: 'ReceiptFormatUnknown' });
  });

  it('that is too large is refused before it is parsed', () => {
    expect(refusal(Buffer.alloc(limits.receiptBytes + 1))).toMatchObject({ code: 'ReceiptDamaged' });
  });

  it.each<[string, Partial<Receipt>, string]>([
    ['passes without an answer', { messageAnswered: false }, 'predicate.outcome'],
    ['passes with a failure code', { failure: 'DiskTooFull' }, 'predicate.failure'],
    ['fails without one', { outcome: 'failed' }, 'predicate.failure'],
    ['passes without a bundle', { bundles: [] }, 'predicate.bundles'],
    ['ends before it starts', { endedAt: '2026-11-22T03:00:00.000Z' }, 'predicate.endedAt'],
    ['has a field of the wrong form', { rto: { ...receiptOf().rto, ms: 1.5 } }, 'predicate.rto.ms'],
    ['has a field that nobody knows', { extra: 1 } as Partial<Receipt>, 'predicate'],
  ])('that %s is neither written nor believed', (_what, fields, field) => {
    const receipt = receiptOf(fields);
    expect(() => encode(receipt)).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
    const subject = receiptOf().bundles.map((one) => ({ name: one.bundle, digest: { sha256: one.manifestSha256 } }));
    const statement = { ...payloadOf(encode(receiptOf())), subject, predicate: receipt };
    expect(refusal(signed(statement))).toMatchObject({ code: 'ReceiptDamaged', context: { field } });
  });

  it('whose subjects are not the bundles it names is not believed', () => {
    const statement = payloadOf(encode(receiptOf()));
    const subject = [{ name: '20261122T031500Z-0123abcd', digest: { sha256: '9'.repeat(64) } }];
    expect(refusal(signed({ ...statement, subject }))).toMatchObject({
      code: 'ReceiptDamaged',
      message: expect.stringContaining('subject'),
    });
  });
});
