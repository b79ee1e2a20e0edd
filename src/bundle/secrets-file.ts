// The content of a secrets segment: the Keychain items of a lane as JSON, values in base64. It exists in memory and
// inside a sealed segment, nowhere else. No value reaches a message.

import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import type { KeychainItem } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';

export interface SecretItem extends KeychainItem {
  readonly value: Buffer;
}

const secretsSchema = z.strictObject({
  format: z.literal(1),
  items: z
    .array(z.strictObject({ service: z.string(), account: z.string(), valueBase64: z.base64() }))
    .max(limits.keychainItems),
});

/** @param items at most limits.keychainItems (InvalidInput), in the order in which they are written */
export function encodeSecrets(items: readonly SecretItem[]): Buffer {
  if (items.length > limits.keychainItems) {
    throw new Failure('InvalidInput', `${items.length} keychain items, at most ${limits.keychainItems} are allowed`, {
      count: items.length,
    });
  }
  const plain = {
    format: 1,
    items: items.map(({ service, account, value }) => ({ service, account, valueBase64: value.toString('base64') })),
  };
  return Buffer.from(JSON.stringify(plain), 'utf8');
}

/** BundleDamaged when the bytes are no secrets file; the message never quotes them. */
export function decodeSecrets(bytes: Buffer): SecretItem[] {
  if (bytes.length > limits.secretsBytes)
    throw damaged(`has ${bytes.length} bytes, at most ${limits.secretsBytes} are allowed`);
  const parsed = secretsSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw damaged(`is wrong at ${parsed.error.issues[0]?.path.join('.') || 'its root'}`);
  return parsed.data.items.map(({ service, account, valueBase64 }) => ({
    service,
    account,
    value: Buffer.from(valueBase64, 'base64'),
  }));
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw damaged('is no JSON'); // no cause: V8 quotes the text
  }
}

function damaged(what: string): Failure {
  return new Failure('BundleDamaged', `the secrets segment ${what}`);
}
