import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSecrets, encodeSecrets } from '../../../src/bundle/secrets-file.ts';
import { limits } from '../../../src/domain/limits.ts';

const item = fc.record({
  service: fc.string(),
  account: fc.string(),
  value: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
});

const failure = (bytes: Buffer): Error => {
  try {
    decodeSecrets(bytes);
  } catch (error) {
    return error as Error;
  }
  throw new Error('was accepted');
};

describe('the secrets file', () => {
  it('gives back items, values byte for byte', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 20 }), (items) => {
        expect(decodeSecrets(encodeSecrets(items))).toEqual(items);
      }),
    );
  });

  it('is JSON of the documented form', () => {
    expect(
      JSON.parse(encodeSecrets([{ service: 's', account: 'a', value: Buffer.from([0, 255]) }]).toString()),
    ).toEqual({
      format: 1,
      items: [{ service: 's', account: 'a', valueBase64: 'AP8=' }],
    });
  });

  it('holds at most so many items', () => {
    const many = Array.from({ length: limits.keychainItems + 1 }, () => ({
      service: 's',
      account: 'a',
      value: Buffer.from('v'),
    }));
    expect(() => encodeSecrets(many)).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
  });

  it('takes the largest items that a keychain can give back', () => {
    const items = Array.from({ length: limits.keychainItems }, () => ({
      service: 's'.repeat(255),
      account: 'a'.repeat(255),
      value: Buffer.alloc(limits.keychainValueBytes),
    }));
    expect(encodeSecrets(items).length).toBeLessThan(limits.secretsBytes);
    expect(decodeSecrets(encodeSecrets(items))).toHaveLength(limits.keychainItems);
  });

  it.each([
    ['planted-secret', 'is no JSON'],
    ['{"format":2,"items":[],"x":"planted-secret"}', 'is wrong at format'],
    [
      '{"format":1,"items":[{"service":"planted-secret","account":"a","valueBase64":"?"}]}',
      'is wrong at items.0.valueBase64',
    ],
    ['[]', 'is wrong at its root'],
  ])('refuses %s without quoting it', (text, message) => {
    const refused = failure(Buffer.from(text));
    expect(refused).toMatchObject({ code: 'BundleDamaged', message: `the secrets segment ${message}` });
    expect(JSON.stringify([refused.message, refused.stack, String(refused.cause)])).not.toContain('planted-secret');
  });

  it('refuses more bytes than it can have', () => {
    expect(failure(Buffer.alloc(limits.secretsBytes + 1))).toMatchObject({ code: 'BundleDamaged' });
  });
});
