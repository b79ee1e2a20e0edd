import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/bundle/digest.ts';
import { encryptionContext, open, recipientsDigest, seal, type SealContext } from '../../../src/bundle/seal.ts';
import { limits } from '../../../src/domain/limits.ts';
import { openingKeys, recipients } from '../../golden/keys.ts';
import { flipped, through } from './streams.ts';

const context: SealContext = { fleet: 'fleet-1', lane: 'lane-1', object: 'segment', fingerprint: 'ab'.repeat(32) };
const both = [recipients.vault, recipients.recovery];
const frame = limits.sealFrameBytes;
const sealAll = (plain: Buffer): Promise<Buffer> => through(plain, seal(both, context));
const openAll = (sealed: Buffer, key = openingKeys.vault, expected = context): Promise<Buffer> =>
  through(sealed, open(key, expected));

const unhandled: unknown[] = [];
const remember = (error: unknown): void => void unhandled.push(error);
beforeAll(() => void process.on('unhandledRejection', remember));
afterAll(() => void process.off('unhandledRejection', remember));

describe('sealing', () => {
  it('gives back what was sealed, to each recipient alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.constantFrom(openingKeys.vault, openingKeys.recovery),
        async (bytes, key) => {
          expect(await openAll(await sealAll(Buffer.from(bytes)), key)).toEqual(Buffer.from(bytes));
        },
      ),
      { numRuns: 12 },
    );
  });

  it.each([0, 1, frame - 1, frame, frame + 1, 2 * frame])(
    'gives back %i bytes, at and beside the edges of a frame',
    async (size) => {
      const plain = randomBytes(size);
      expect((await openAll(await sealAll(plain))).equals(plain)).toBe(true);
    },
  );

  it('seals the same bytes differently each time, and shows none of them', async () => {
    const plain = Buffer.from('a planted secret, a planted secret');
    const [first, second] = [await sealAll(plain), await sealAll(plain)];
    expect(first.equals(second)).toBe(false);
    expect(first.includes('planted')).toBe(false);
  });

  it('refuses recipients that are none, too many, too short, or no key at all', () => {
    const many = Array.from({ length: limits.recipientsPerBundle + 1 }, () => recipients.vault);
    for (const wrong of [[], many, [recipients.short], [{ name: 'x', publicKeyPem: 'no key' }]]) {
      expect(() => seal(wrong, context)).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
    }
    expect(() => open({ name: 'short', privateKeyPem: openingKeys.short.privateKeyPem }, context)).toThrow(
      'rsa of 2048 bits',
    );
  });

  it('never quotes a key that it cannot read', () => {
    const secret = openingKeys.vault.privateKeyPem.slice(0, 400);
    expect(() => open({ name: 'vault', privateKeyPem: secret }, context)).toThrow(
      /^key vault is no PEM that can be read$/,
    );
  });

  it('digests the set of recipients, not their order or names', () => {
    const renamed = [recipients.recovery, { ...recipients.vault, name: 'other' }];
    expect(recipientsDigest(renamed)).toBe(recipientsDigest(both));
    expect(recipientsDigest([recipients.vault])).not.toBe(recipientsDigest(both));
  });
});

describe('opening', () => {
  it('tells a key that is no recipient', async () => {
    await expect(openAll(await sealAll(Buffer.from('x')), openingKeys.stranger)).rejects.toMatchObject({
      code: 'BundleKeyWrong',
    });
  });

  it.each([
    ['lane', 'BundleForeign'],
    ['fleet', 'BundleForeign'],
    ['object', 'BundleDamaged'],
    ['fingerprint', 'BundleDamaged'],
  ] as const)('releases nothing when the %s is another', async (field, code) => {
    const stream = open(openingKeys.vault, { ...context, [field]: field === 'object' ? 'index' : 'other' });
    let released = 0;
    stream.on('data', (chunk: Buffer) => (released += chunk.length));
    await expect(through(await sealAll(randomBytes(3000)), stream)).rejects.toMatchObject({ code });
    expect(released).toBe(0);
  });

  it('compares the whole context, so that a field of another format is refused too', async () => {
    const { buildEncrypt } = await import('@aws-crypto/encrypt-node');
    const { CommitmentPolicy } = await import('@aws-crypto/material-management-node');
    const { RawRsaKeyringNode } = await import('@aws-crypto/raw-rsa-keyring-node');
    const { recipientFingerprint } = await import('../../../src/bundle/recipient.ts');
    const { encrypt } = buildEncrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const keyring = new RawRsaKeyringNode({
      keyNamespace: 'clawback',
      keyName: recipientFingerprint(recipients.vault),
      oaepHash: 'sha256',
      rsaKey: { publicKey: recipients.vault.publicKeyPem },
    });
    const encryptionContextWithMore = { ...encryptionContext(context), extra: 'x' };
    const { result } = await encrypt(keyring, 'plain', {
      suiteId: 0x0478,
      encryptionContext: encryptionContextWithMore,
    });
    await expect(openAll(result)).rejects.toMatchObject({
      code: 'BundleDamaged',
      message: expect.stringContaining('extra'),
    });
  });

  it('refuses a bit turned anywhere: header, wrapped keys, frame, tag, sequence', async () => {
    const sealed = await sealAll(randomBytes(2 * frame + 100));
    const header = sealed.length - (2 * frame + 100) - 3 * 32 - 8; // frame: sequence 4, IV 12, tag 16; the last names itself and its length
    const edges = [header, header + frame + 32, header + 2 * (frame + 32)];
    const spots = [
      0,
      1,
      2,
      10,
      40,
      60,
      120,
      300,
      700,
      header - 20,
      ...edges.flatMap((edge) => [-17, -1, 0, 3, 4, 15, 16, 40].map((step) => edge + step)),
      sealed.length - 1,
    ];
    for (const at of spots) {
      await expect(openAll(flipped(sealed, at)), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^Bundle(Damaged|KeyWrong)$/),
      });
    }
  });

  it('refuses a message cut anywhere, also at the edge of a frame', async () => {
    const sealed = await sealAll(randomBytes(2 * frame + 100));
    const header = sealed.length - (2 * frame + 100) - 3 * 32 - 8;
    for (const cut of [
      0,
      1,
      header - 1,
      header,
      header + 20,
      header + frame + 32,
      header + 2 * (frame + 32),
      sealed.length - 1,
    ]) {
      await expect(openAll(sealed.subarray(0, cut)), `cut at ${cut}`).rejects.toMatchObject({ code: 'BundleDamaged' });
    }
  });

  it('refuses frames in another order', async () => {
    const sealed = await sealAll(randomBytes(2 * frame));
    const header = sealed.length - 2 * frame - 3 * 32 - 8;
    const at = (n: number): Buffer => sealed.subarray(header + n * (frame + 32), header + (n + 1) * (frame + 32));
    const swapped = Buffer.concat([
      sealed.subarray(0, header),
      at(1),
      at(0),
      sealed.subarray(header + 2 * (frame + 32)),
    ]);
    expect(swapped.length).toBe(sealed.length);
    await expect(openAll(swapped)).rejects.toMatchObject({ code: 'BundleDamaged' });
  });

  it('refuses a message of a suite without key commitment', async () => {
    const { buildEncrypt } = await import('@aws-crypto/encrypt-node');
    const { CommitmentPolicy } = await import('@aws-crypto/material-management-node');
    const { RawRsaKeyringNode } = await import('@aws-crypto/raw-rsa-keyring-node');
    const { recipientFingerprint } = await import('../../../src/bundle/recipient.ts');
    const { encrypt } = buildEncrypt(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);
    const keyring = new RawRsaKeyringNode({
      keyNamespace: 'clawback',
      keyName: recipientFingerprint(recipients.vault),
      oaepHash: 'sha256',
      rsaKey: { publicKey: recipients.vault.publicKeyPem },
    });
    const { result } = await encrypt(keyring, 'plain', {
      suiteId: 0x0178,
      encryptionContext: encryptionContext(context),
    });
    await expect(openAll(result)).rejects.toMatchObject({ code: 'BundleDamaged' });
  });

  it('keeps backpressure: a slow reader holds back the writer', async () => {
    const stream = open(openingKeys.vault, context);
    const sealed = await sealAll(randomBytes(8 * frame));
    let written = 0;
    let open_ = true;
    for (let at = 0; at < sealed.length && open_; at += 65_536) {
      open_ = stream.write(sealed.subarray(at, at + 65_536));
      written = at;
      if (!open_)
        open_ = await Promise.race([
          new Promise<true>((drained) => stream.once('drain', () => drained(true))),
          new Promise<false>((late) => setTimeout(() => late(false), 300)),
        ]);
    }
    expect(written).toBeLessThan(5 * frame);
    stream.destroy();
  });
});

describe('aborting', () => {
  it.each([
    ['sealing', (): NodeJS.ReadWriteStream & { destroy(): void } => seal(both, context)],
    ['opening', (): NodeJS.ReadWriteStream & { destroy(): void } => open(openingKeys.vault, context)],
  ])('%s in the middle closes the stream and leaves no unhandled rejection', async (_name, make) => {
    const source = new PassThrough();
    for (const startMs of [0, 1, 30]) {
      const stream = make();
      const closed = new Promise((resolve) => stream.once('close', resolve));
      source.pipe(stream, { end: false });
      source.write(randomBytes(200_000));
      stream.resume();
      stream.on('error', () => undefined);
      await new Promise((resolve) => setTimeout(resolve, startMs));
      source.unpipe();
      stream.destroy();
      await closed;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unhandled).toEqual([]);
  });

  it('keeps the fixed point of its inputs: a sealed object names its context in the clear and nothing else', async () => {
    const sealed = await sealAll(Buffer.from('plain'));
    expect(sealed.includes('clawback-fingerprint')).toBe(true);
    expect(sealed.includes(context.fingerprint)).toBe(true);
    expect(sha256Hex(sealed)).toMatch(/^[0-9a-f]{64}$/);
  });
});
