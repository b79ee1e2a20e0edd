// A store of the fleet file for one use of it, as src/store opens it: with the one credential that this use needs, which
// is resolved when a request is first made.

import type { FleetS3Credential } from '../contract/fleet-store.ts';
import { Failure } from '../domain/failure.ts';
import type { FleetFile } from './fleet-file.ts';
import { resolvePath } from './private-path.ts';
import { resolveSecret } from './resolve-secret.ts';

/** `backup` puts and lists; `vault` gets too, and deletes with the credential for expiry. */
export type StoreUse = 'backup' | 'vault';

export interface S3Access {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface DescribedDirectory {
  readonly kind: 'directory';
  readonly path: string;
}

interface DescribedBucket {
  readonly kind: 's3';
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint?: string;
  readonly caPem?: string;
  readonly awsRegion: string;
  readonly forcePathStyle: boolean;
  readonly retentionMs?: number;
  readonly credential?: () => Promise<S3Access>;
  readonly expiryCredential?: () => Promise<S3Access>;
}

/** @throws Failure InvalidFleet for a store that the fleet does not have */
export function describeStore(file: FleetFile, name: string, use: StoreUse): DescribedDirectory | DescribedBucket {
  const { stores } = file.fleet;
  const store = Object.hasOwn(stores, name) ? stores[name] : undefined;
  if (store === undefined) throw new Failure('InvalidFleet', `the fleet has no store ${name}`, { store: name });
  if (store.kind === 'directory') return { kind: 'directory', path: resolvePath(file.baseDir, store.path) };
  const {
    kind,
    bucket,
    prefix = '',
    endpoint,
    awsRegion,
    forcePathStyle = endpoint !== undefined,
    credentials,
  } = store;
  const { [use]: own, expiry } = credentials;
  const caPem = file.certificates.get(name);
  return {
    kind,
    bucket,
    prefix,
    awsRegion,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(store.retention === undefined ? {} : { retentionMs: store.retention }),
    ...(own === undefined ? {} : { credential: () => resolveCredential(own, file.baseDir) }),
    ...(expiry === undefined || use !== 'vault'
      ? {}
      : { expiryCredential: () => resolveCredential(expiry, file.baseDir) }),
  };
}

/** @throws Failure SecretUnavailable */
async function resolveCredential(credential: FleetS3Credential, baseDir: string): Promise<S3Access> {
  const { accessKeyId, secretAccessKey, sessionToken } = credential;
  const text = async (ref: typeof accessKeyId): Promise<string> => (await resolveSecret(ref, baseDir)).toString('utf8');
  return {
    accessKeyId: await text(accessKeyId),
    secretAccessKey: await text(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: await text(sessionToken) }),
  };
}
