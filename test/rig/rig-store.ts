// The store of a rig: a folder, or a bucket of a versitygw of its own, with the three accounts and the policy of
// docs/s3.md, so that each queue's worker has only what it is meant to have.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Credential } from '../../src/store/s3-bucket.ts';
import { awsRegion, S3Bed } from '../bed/s3.ts';

export type RigStoreKind = 'directory' | 's3';

export const rigBucket = 'clawback';

export interface RigStore {
  readonly path: string;
  readonly s3: S3Bed | undefined;
  /** What stands in the fleet file; undefined: the folder itself. */
  readonly entry: Readonly<Record<string, unknown>> | undefined;
}

export function storeOfEnvironment(): RigStoreKind {
  return process.env['CLAWBACK_RIG_STORE'] === 's3' ? 's3' : 'directory';
}

export async function openRigStore(
  kind: RigStoreKind,
  { dir, keysDir }: { readonly dir: string; readonly keysDir: string },
): Promise<RigStore> {
  if (kind === 'directory') return { path: join(dir, 'store'), s3: undefined, entry: undefined };
  const s3 = await S3Bed.start(join(dir, 's3'));
  try {
    await s3.makeBucket(rigBucket, { versions: true });
    const roles = Object.entries(await s3.makeRoles(rigBucket));
    const credentials: Record<string, unknown> = {};
    for (const [role, credential] of roles) credentials[role] = await written(credential, join(keysDir, `s3-${role}`));
    const where = { bucket: rigBucket, endpoint: s3.server.endpoint, awsRegion, region: 'hk' };
    return { path: join(dir, 's3/data', rigBucket), s3, entry: { kind: 's3', ...where, credentials } };
  } catch (error) {
    await s3.stop();
    throw error;
  }
}

/** Both halves in files, as references to them. */
async function written({ accessKeyId, secretAccessKey }: S3Credential, path: string): Promise<object> {
  await writeFile(`${path}.id`, accessKeyId, { mode: 0o600 });
  await writeFile(`${path}.secret`, secretAccessKey, { mode: 0o600 });
  return { accessKeyId: { file: `${path}.id` }, secretAccessKey: { file: `${path}.secret` } };
}
