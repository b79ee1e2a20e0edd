import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeTombstone, openTombstone, type Tombstone } from '../../../src/bundle/tombstone.ts';
import { limits } from '../../../src/domain/limits.ts';
import { signEnvelope } from '../../../src/signing/envelope.ts';

function keys() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeysPem: [publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  };
}

const { privateKeyPem, publicKeysPem } = keys();
const tombstone: Tombstone = {
  format: 1,
  fleet: 'bed',
  lane: 'lane-1',
  bundle: '20261122T031500Z-00000001',
  manifestSha256: 'a'.repeat(64),
  tombstonedAt: '2026-11-22T03:15:00.000Z',
};
const open = (bytes: Buffer, of: Partial<Tombstone> = {}) =>
  openTombstone(bytes, { publicKeysPem, of: { ...tombstone, ...of } });
const codeOf = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
};

describe('a tombstone', () => {
  it('is opened as it was signed, and is the same bytes when it is written twice', () => {
    const bytes = encodeTombstone(tombstone, { privateKeyPem });
    expect(open(bytes)).toEqual(tombstone);
    expect(encodeTombstone(tombstone, { privateKeyPem })).toEqual(bytes);
  });

  it.each(['fleet', 'lane', 'bundle', 'manifestSha256'] as const)('of another %s is foreign', (field) => {
    const bytes = encodeTombstone(tombstone, { privateKeyPem });
    const other = { fleet: 'b', lane: 'b', bundle: '20261122T031500Z-00000002', manifestSha256: 'b'.repeat(64) };
    expect(codeOf(() => open(bytes, { [field]: other[field] }))).toBe('BundleForeign');
  });

  it('of another key is refused', () => {
    const bytes = encodeTombstone(tombstone, { privateKeyPem: keys().privateKeyPem });
    expect(codeOf(() => open(bytes))).toBe('BundleSignatureBad');
  });

  it('that is too long, or signed but no tombstone, is damaged', () => {
    expect(codeOf(() => open(Buffer.alloc(limits.tombstoneBytes + 1)))).toBe('BundleDamaged');
    const wrong = encodeTombstone({ ...tombstone, lane: 'No Lane' }, { privateKeyPem });
    expect(codeOf(() => open(wrong))).toBe('BundleDamaged');
    const kind = {
      noun: 'tombstone',
      payloadType: 'application/vnd.clawback.tombstone+json',
      damaged: 'BundleDamaged',
      badSignature: 'BundleSignatureBad',
    } as const;
    const noJson = signEnvelope(kind, Buffer.from('{'), privateKeyPem);
    expect(codeOf(() => open(noJson))).toBe('BundleDamaged');
  });
});
