// The certificates that stores' `caFile` names, read and checked when fleet.yaml is loaded. They are public; a private key
// among them is refused.

import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { FleetRemark } from '../contract/fleet-rules.ts';
import { storeSchema } from '../contract/fleet-store.ts';
import { limits } from '../domain/limits.ts';
import { resolvePath } from './private-path.ts';

/** PEM, by store; only stores that name some. */
export type StoreCertificates = ReadonlyMap<string, string>;

export interface CheckedCertificates {
  readonly certificates: StoreCertificates;
  readonly errors: readonly FleetRemark[];
}

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads and checks them all. A file that is wrong gives an error, and is not among the certificates.
 * @param stores as the file has them; what is not well-formed is somebody else's error
 */
export async function readStoreCertificates(stores: unknown, baseDir: string): Promise<CheckedCertificates> {
  const certificates = new Map<string, string>();
  const errors: FleetRemark[] = [];
  for (const [name, entry] of Object.entries(z.record(z.string(), z.unknown()).safeParse(stores).data ?? {})) {
    const store = storeSchema.safeParse(entry).data;
    if (store?.kind !== 's3' || store.caFile === undefined) continue;
    const path = ['stores', name, 'caFile'];
    if (store.endpoint?.startsWith('http:')) errors.push({ path, message: 'an http endpoint shows no certificate' });
    const found = await readCertificates(resolvePath(baseDir, store.caFile));
    if ('pem' in found) certificates.set(name, found.pem);
    else errors.push({ path, message: `${store.caFile}: ${found.refused}` });
  }
  return { certificates, errors };
}

async function readCertificates(path: string): Promise<{ readonly pem: string } | { readonly refused: string }> {
  try {
    const { size } = await stat(path);
    if (size > limits.fleetFileBytes)
      return { refused: `it is ${size} bytes, at most ${limits.fleetFileBytes} are read` };
    const text = await readFile(path, 'utf8');
    if (text.includes('PRIVATE KEY')) return { refused: 'it holds a private key; name the certificate alone' };
    const pems = (text.match(certificatePattern) ?? []).map((pem) => new X509Certificate(pem).toString());
    return pems.length > 0 ? { pem: pems.join('') } : { refused: 'it holds no certificate in PEM form' };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return { refused: code.startsWith('ERR_') ? 'a certificate in it cannot be read' : `it cannot be read (${code})` };
  }
}
