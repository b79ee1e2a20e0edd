// Keys of the golden bundles and of the unit tests. They are published in this repository: TEST ONLY, they protect
// nothing, and no fleet may use them.

import { readFileSync } from 'node:fs';
import type { OpeningKey, Recipient } from '../../src/bundle/seal.ts';

const read = (file: string): string => readFileSync(new URL(`keys/TEST-ONLY-${file}`, import.meta.url), 'utf8');

const recipient = (name: string): Recipient => ({ name, publicKeyPem: read(`${name}.pub.pem`) });
const opening = (name: string): OpeningKey => ({ name, privateKeyPem: read(`${name}.pem`) });

/** RSA-3072 pairs; `stranger` is no recipient of any golden bundle, `short` has 2048 bits. */
export const recipients = {
  vault: recipient('vault'),
  recovery: recipient('recovery'),
  stranger: recipient('stranger'),
  short: recipient('short'),
};
export const openingKeys = {
  vault: opening('vault'),
  recovery: opening('recovery'),
  stranger: opening('stranger'),
  short: opening('short'),
};

/** Ed25519 pairs; `intruder` signs what nobody trusts. */
export const signers = {
  manifest: { privateKeyPem: read('manifest.pem'), publicKeyPem: read('manifest.pub.pem') },
  intruder: { privateKeyPem: read('intruder.pem'), publicKeyPem: read('intruder.pub.pem') },
};
