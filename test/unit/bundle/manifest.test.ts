import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  encodeManifest,
  type Manifest,
  manifestEnvelope,
  openManifest,
  totalsOf,
} from '../../../src/bundle/manifest.ts';
import { limits } from '../../../src/domain/limits.ts';
import { signEnvelope } from '../../../src/signing/envelope.ts';
import { recipients, signers } from '../../golden/keys.ts';
import { manifestOf, segmentOf } from './manifests.ts';
import { flipped } from './streams.ts';

const options = { publicKeysPem: [signers.manifest.publicKeyPem], fleet: 'fleet-1', lane: 'lane-1' };
const encode = (manifest: Manifest): Buffer => encodeManifest(manifest, signers.manifest);
const refusal = (bytes: Buffer, more: Partial<typeof options> = {}): unknown => {
  try {
    return openManifest(bytes, { ...options, ...more });
  } catch (error) {
    return error;
  }
};
/** Signed by a trusted key, whatever it says. */
const signed = (payload: unknown): Buffer =>
  signEnvelope(
    manifestEnvelope,
    Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    signers.manifest.privateKeyPem,
  );

describe('a manifest', () => {
  it('comes back as it was, with the digest of its object', () => {
    const bytes = encode(manifestOf());
    expect(openManifest(bytes, options)).toEqual({
      manifest: manifestOf(),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('keeps the versions of its objects, of a bounded length', () => {
    const versions = (versionId: string): Manifest =>
      manifestOf([segmentOf({ versionId, index: { ...segmentOf().index, versionId } })]);
    const longest = 'v'.repeat(limits.versionIdBytes);
    expect(openManifest(encode(versions(longest)), options).manifest).toEqual(versions(longest));
    for (const wrong of ['', 'a b', `${longest}v`])
      expect(() => encode(versions(wrong))).toThrow('a manifest cannot be written: segments.0.versionId');
  });

  it('is the same bytes for the same content, in whatever order the fields were set', () => {
    const manifest = manifestOf(
      [
        segmentOf(),
        segmentOf({ id: 's-0002', suffix: '1'.repeat(16), kind: 'range', range: { offset: 0, length: 10_240 } }),
      ],
      {
        suspect: ['config-shrank'],
        predecessor: { bundle: '20261121T031500Z-0123abcd', sha256: '9'.repeat(64) },
      },
    );
    const shuffled = Object.fromEntries(Object.entries(manifest).toReversed()) as Manifest;
    expect(encode(shuffled).equals(encode(manifest))).toBe(true);
    expect(encode({ ...manifest, host: { ...manifest.host, openclawVersion: undefined } }).toString()).not.toBe(
      encode(manifest).toString(),
    );
  });

  it('is a DSSE envelope that others can check: PAE, Ed25519, key id from the SPKI', () => {
    const envelope = JSON.parse(encode(manifestOf()).toString()) as {
      payload: string;
      payloadType: string;
      signatures: [{ keyid: string; sig: string }];
    };
    const payload = Buffer.from(envelope.payload, 'base64');
    const type = 'application/vnd.clawback.manifest+json';
    const pae = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
    const key = createPublicKey(signers.manifest.publicKeyPem);
    const [{ keyid, sig }] = envelope.signatures;
    expect(envelope.payloadType).toBe(type);
    expect(keyid).toBe(
      createHash('sha256')
        .update(key.export({ type: 'spki', format: 'der' }))
        .digest('hex'),
    );
    expect(verify(null, pae, key, Buffer.from(sig, 'base64'))).toBe(true);
    expect(payload.toString()).toBe(JSON.stringify(sortKeys(manifestOf())));
  });

  it('opens under any trusted key, so that keys can be renewed', () => {
    const bytes = encode(manifestOf());
    const keys = [signers.intruder.publicKeyPem, signers.manifest.publicKeyPem];
    expect(refusal(bytes, { publicKeysPem: keys })).toMatchObject({ manifest: { lane: 'lane-1' } });
  });

  it('is refused when nobody trusted signed it', () => {
    const bytes = encodeManifest(manifestOf(), signers.intruder);
    expect(refusal(bytes)).toMatchObject({
      code: 'BundleSignatureBad',
      message: expect.stringMatching(/by "[0-9a-f]{12}"/),
    });
    expect(refusal(bytes, { publicKeysPem: [] })).toMatchObject({ code: 'BundleSignatureBad' });
    const forged = JSON.parse(bytes.toString()) as { signatures: { keyid: string }[] };
    const own = JSON.parse(encode(manifestOf()).toString()) as { signatures: { keyid: string }[] };
    (forged.signatures[0] as { keyid: string }).keyid = own.signatures[0]?.keyid ?? '';
    expect(refusal(Buffer.from(JSON.stringify(forged)))).toMatchObject({ code: 'BundleSignatureBad' });
  });

  it('is refused with any bit turned', () => {
    const bytes = encode(manifestOf());
    for (let at = 0; at < bytes.length; at++) {
      expect(refusal(flipped(bytes, at)), `byte ${at}`).toMatchObject({
        code: expect.stringMatching(/^Bundle(SignatureBad|Damaged)$/),
      });
    }
  });

  it('of another lane or fleet is foreign, and both are named', () => {
    expect(refusal(encode(manifestOf()), { lane: 'lane-2' })).toMatchObject({
      code: 'BundleForeign',
      message: expect.stringMatching(/lane lane-1 .* lane lane-2/),
    });
    expect(refusal(encode(manifestOf()), { fleet: 'other' })).toMatchObject({ code: 'BundleForeign' });
  });

  it('of another format is told apart, whatever else it says', () => {
    expect(refusal(signed({ format: 2, news: true }))).toMatchObject({
      code: 'BundleFormatUnknown',
      message: 'a manifest has format 2, this build reads 1',
    });
  });

  it('is refused before it is parsed when it is too large', () => {
    expect(refusal(Buffer.alloc(limits.manifestBytes + 1))).toMatchObject({
      code: 'BundleDamaged',
      message: expect.stringContaining(`${limits.manifestBytes}`),
    });
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['no envelope', Buffer.from('{"payload":"e30="}')],
    ['another payload type', Buffer.from(encode(manifestOf()).toString().replace('clawback', 'clawmore'))],
    ['a field beside', Buffer.from(encode(manifestOf()).toString().replace('{"payload"', '{"more":1,"payload"'))],
    [
      'no signature',
      Buffer.from(
        encode(manifestOf())
          .toString()
          .replace(/"signatures":\[.*\]/, '"signatures":[]'),
      ),
    ],
    ['a list', Buffer.from('[]')],
    ['a payload that is no JSON', signed('{')],
    ['a payload that is null', signed('null')],
  ])('with %s is damaged', (_what, bytes) => {
    expect(refusal(bytes)).toMatchObject({ code: 'BundleDamaged' });
  });

  it.each<[string, unknown]>([
    ['lane', { ...manifestOf(), lane: '../x' }],
    ['clockOffsetMs', { ...manifestOf(), clockOffsetMs: 1.5 }],
    ['segments.0.sealedSha256', manifestOf([segmentOf({ sealedSha256: 'x' })])],
    [
      'segments.0.index.suffix',
      manifestOf([segmentOf({ index: { suffix: '..', sealedBytes: 1, sealedSha256: 'ef'.repeat(32) } })]),
    ],
    ['recipients', manifestOf(undefined, { recipients: [] })],
    ['root', { ...manifestOf(), more: 1 }],
    ['segments', manifestOf([segmentOf(), segmentOf()])],
    ['segments', manifestOf([segmentOf(), segmentOf({ id: 's-0002' })])],
    ['segments.s-0001.range', manifestOf([segmentOf({ kind: 'range' })])],
    ['segments.s-0001.range', manifestOf([segmentOf({ range: { offset: 0, length: 1 } })])],
    ['segments.s-0001.plainBytes', manifestOf([segmentOf({ kind: 'range', range: { offset: 0, length: 1 } })])],
    ['segments.s-0001.kind', manifestOf([segmentOf({ kind: 'secrets' })])],
    ['segments.s-0001.reusable', manifestOf([segmentOf({ supplement: true })])],
    ['components.config', manifestOf(undefined, { components: {} })],
    [
      'components.logs',
      manifestOf(undefined, {
        components: { ...totalsOf([segmentOf()]), logs: { segments: 1, plainBytes: 1, members: 1 } },
      }),
    ],
  ])('with a wrong %s is refused by that name, read or written', (field, manifest) => {
    expect(refusal(signed(manifest))).toMatchObject({ code: 'BundleDamaged', context: { field } });
    expect(() => encode(manifest as Manifest)).toThrow(
      expect.objectContaining({ code: 'InvalidInput', context: { field } }),
    );
  });

  it('is not written when it would be too large to be read', () => {
    const reasons = Array.from({ length: 70_000 }, () => ({ reason: 'x'.repeat(60), count: 1 }));
    expect(() => encode(manifestOf(undefined, { omissions: reasons }))).toThrow(
      expect.objectContaining({ code: 'InvalidInput', message: expect.stringContaining('at most') }),
    );
  });

  it('refuses keys of another kind, and never quotes them', () => {
    expect(() => encodeManifest(manifestOf(), { privateKeyPem: 'planted-secret' })).toThrow(
      'a manifest signing key is no PEM that can be read, needed is ed25519',
    );
    expect(refusal(encode(manifestOf()), { publicKeysPem: [recipients.vault.publicKeyPem] })).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('rsa'),
    });
  });
});

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sortKeys(one)]),
  );
}
