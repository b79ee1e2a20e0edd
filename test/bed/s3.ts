// A real S3 server for tests: versitygw in a folder of its own, with buckets and accounts. There is no way around it:
// where the program cannot be had, what needs it fails.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutBucketPolicyCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { ensureVersitygw, type S3Server, startS3Server } from '../../src/embedded/versitygw.ts';
import type { S3Credential } from '../../src/store/s3-bucket.ts';
import type { S3Description } from '../../src/store/s3.ts';

export const rootAccess = { accessKeyId: 'clawback-root', secretAccessKey: 'clawback-root-on-loopback' };
/** What versitygw says that it is. */
export const awsRegion = 'us-east-1';

export interface BucketKind {
  readonly versions?: boolean;
  /** Object Lock; it brings versions. */
  readonly lock?: boolean;
}

export type S3Roles = Readonly<Record<'backup' | 'vault' | 'expiry', S3Credential>>;

export class S3Bed {
  readonly folder: string;
  readonly #program: string;
  server: S3Server;

  private constructor(folder: string, program: string, server: S3Server) {
    this.folder = folder;
    this.#program = program;
    this.server = server;
  }

  /** @param folder default: a temporary one, which `remove` removes */
  static async start(folder?: string): Promise<S3Bed> {
    const place = folder ?? (await mkdtemp(join(tmpdir(), 'clawback-s3-')));
    const { path } = await ensureVersitygw();
    return new S3Bed(place, path, await startS3Server(optionsOf(path, place)));
  }

  /** kill -9; everything stays in the folder. */
  async kill(): Promise<void> {
    this.server.kill();
    await this.server.exited;
  }

  /** Starts a killed server again, at the same address. */
  async restart(): Promise<void> {
    this.server = await startS3Server({ ...optionsOf(this.#program, this.folder), ports: this.server.ports });
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  client(access: S3Credential = rootAccess): S3Client {
    return new S3Client({
      region: awsRegion,
      endpoint: this.server.endpoint,
      forcePathStyle: true,
      credentials: access,
    });
  }

  async makeBucket(bucket: string, { versions = false, lock = false }: BucketKind = {}): Promise<void> {
    const client = this.client();
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: lock }));
    if (!versions || lock) return;
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  }

  async #setPolicy(bucket: string, policy: object): Promise<void> {
    await this.client().send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }));
  }

  /** An account that may do nothing until a bucket's policy says so. */
  async #makeAccount(name: string): Promise<S3Credential> {
    const secretAccessKey = `${name}-secret-on-loopback`;
    const admin = ['admin', '--access', rootAccess.accessKeyId, '--secret', rootAccess.secretAccessKey];
    const where = ['--endpoint-url', this.server.adminEndpoint];
    const account = ['--access', name, '--secret', secretAccessKey, '--role', 'user'];
    await promisify(execFile)(this.#program, [...admin, ...where, 'create-user', ...account]);
    return { accessKeyId: name, secretAccessKey };
  }

  /** Three accounts with what the policy of docs/s3.md, word for word, gives them in a bucket. */
  async makeRoles(bucket: string): Promise<S3Roles> {
    const backup = await this.#makeAccount(`${bucket}-backup`);
    const vault = await this.#makeAccount(`${bucket}-vault`);
    const expiry = await this.#makeAccount(`${bucket}-expiry`);
    const names = { BUCKET: bucket, BACKUP: backup.accessKeyId, VAULT: vault.accessKeyId, EXPIRY: expiry.accessKeyId };
    const page = await readFile(resolve(import.meta.dirname, '../../docs/s3.md'), 'utf8');
    const [, text = ''] = /```json\n([^`]*"Version"[^`]*)```/.exec(page) ?? [];
    const policy = Object.entries(names).reduce((json, [name, value]) => json.replaceAll(name, value), text);
    await this.#setPolicy(bucket, JSON.parse(policy) as object);
    return { backup, vault, expiry };
  }

  /** A store's description, by default as root. */
  describe(bucket: string, rest: Partial<S3Description> = {}): S3Description {
    return {
      kind: 's3',
      bucket,
      prefix: '',
      endpoint: this.server.endpoint,
      awsRegion,
      forcePathStyle: true,
      credential: async () => rootAccess,
      ...rest,
    };
  }
}

function optionsOf(program: string, folder: string) {
  return { program, folder, rootAccessKey: rootAccess.accessKeyId, rootSecretKey: rootAccess.secretAccessKey };
}
