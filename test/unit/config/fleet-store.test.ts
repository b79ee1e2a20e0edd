import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkFleet } from '../../../src/config/check-fleet.ts';
import { loadFleet } from '../../../src/config/fleet-file.ts';
import { describeStore } from '../../../src/config/fleet-store.ts';
import { limits } from '../../../src/domain/limits.ts';
import { blocksOf, pageText } from '../docs/pages.ts';
import { type FleetBed, makeFleetBed } from './fleet-bed.ts';

let bed: FleetBed;
beforeAll(async () => {
  bed = await makeFleetBed();
});
afterAll(() => bed.remove());
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Of an authority that there is not (EC P-256, to 2126). */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUGefjImVsQvkkRTI3CMn+mFO3uTAwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMzA2MDIwN1oYDzIxMjYxMDMwMDYw
MjA3WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQeLXa0fSesyesWlx0YZfmoyiXndNtxBnY0f1KsDpUvRXuD9rB+q82CuAizH6YA
bZ4MKM8blK/0eMQZ+kboqLA6o1MwUTAdBgNVHQ4EFgQUov1Yvh/2dbiYPXJ/gDi/
6DIhHMUwHwYDVR0jBBgwFoAUov1Yvh/2dbiYPXJ/gDi/6DIhHMUwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAzbedP8IWlc/1ZVgMpghCo6f2Sa9w
My75APude+5vY/8CICFwxt3I3tD9NWLf+TCztda9FuBuW3b9pYqTXrr49Xm/
-----END CERTIFICATE-----
`;
const directory = 'primary: { kind: directory, path: bundles, region: tokyo }';
const s3 = (fields: string): readonly [string, string] => [
  directory,
  `primary: { kind: s3, bucket: bundles, awsRegion: ap-east-1, region: hk${fields} }`,
];

async function errorsOf(fields: string): Promise<string[]> {
  const { errors } = await checkFleet(await bed.fleet(s3(fields)));
  return errors.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

describe('an S3 store in the fleet file', () => {
  it.each([
    '',
    ', endpoint: "https://s3.example.net", forcePathStyle: false',
    ', endpoint: "http://127.0.0.1:7070"',
    ', endpoint: "http://[::1]:7070", prefix: a/b-1',
    ', endpoint: "http://localhost:7070", retention: 35d',
  ])('is taken with %j', async (fields) => {
    expect(await errorsOf(fields)).toEqual([]);
  });

  it.each([
    ['endpoint', 'endpoint: "http://s3.example.net"', /^21 stores\.primary\.endpoint: .*http only to the loopback$/],
    ['endpoint', 'endpoint: "http://127.0.0.1.example.net"', /http only to the loopback$/],
    ['endpoint', 'endpoint: "https://s3.example.net/bucket"', /without a path/],
    ['endpoint', 'endpoint: "https://key:secret@s3.example.net"', /without a path/],
    ['endpoint', 'endpoint: "ftp://127.0.0.1"', /an address such as/],
    ['prefix', 'prefix: /a', /a prefix is names/],
    ['prefix', 'prefix: a/', /a prefix is names/],
    ['retention', 'retention: 1h', /between 1d and 3650d/],
    ['path', 'path: bundles', /unknown key/],
    [
      'credentials.backup.accessKeyId',
      'credentials: { backup: { accessKeyId: AKIA123, secretAccessKey: { env: A } } }',
      /must not stand in this file/,
    ],
  ])('is refused for its %s: %s', async (field, fields, message) => {
    const errors = await errorsOf(`, ${fields}`);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`stores.primary.${field}`);
    expect(errors[0]).toMatch(message);
    expect(errors[0]).not.toContain('AKIA123');
  });

  it.each([
    ['is not there', undefined, /^ca\.pem: it cannot be read \(ENOENT\)$/],
    ['holds a private key', `${certificate}-----BEGIN PRIVATE KEY-----`, /it holds a private key/],
    ['holds no certificate', 'x', /it holds no certificate in PEM form/],
    ['holds a spoilt one', certificate.replace('MII', 'MIJ'), /a certificate in it cannot be read/],
  ])('is refused when its caFile %s', async (_, content, message) => {
    if (content !== undefined) await bed.file('ca.pem', content);
    const { errors } = await checkFleet(await bed.fleet(s3(', endpoint: "https://s3.example.net", caFile: ca.pem')));
    expect(errors.map(({ path }) => path)).toEqual(['stores.primary.caFile']);
    expect(errors[0]?.message).toMatch(message);
    expect(errors[0]?.message).not.toContain('BEGIN');
  });

  it('is refused when it names a caFile for an endpoint without TLS', async () => {
    await bed.file('ca.pem', certificate);
    expect(await errorsOf(', endpoint: "http://127.0.0.1:7070", caFile: ca.pem')).toEqual([
      '21 stores.primary.caFile: an http endpoint shows no certificate',
    ]);
  });

  it('is refused where another one lies in the same place', async () => {
    const two = `${s3('')[1]}\n  second: { kind: s3, bucket: bundles, awsRegion: eu-west-1, region: uk }`;
    const { errors } = await checkFleet(await bed.fleet([directory, two]));
    expect(errors.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'stores.second.bucket: bucket bundles at AWS is already that of primary',
    ]);
  });

  it('is warned of when others can read its secret', async () => {
    const { chmod } = await import('node:fs/promises');
    await chmod(await bed.file('s3.secret', 'x'), 0o644);
    const key = '{ accessKeyId: { env: A }, secretAccessKey: { file: s3.secret } }';
    const { warnings } = await checkFleet(await bed.fleet(s3(`, credentials: { vault: ${key} }`)));
    expect(warnings.map(({ path }) => path)).toContain('stores.primary.credentials.vault.secretAccessKey');
  });
});

describe('docs/s3.md', () => {
  it('gives examples that pass, and numbers as the code has them', async () => {
    const examples = blocksOf('docs/s3.md').filter(({ language }) => language === 'yaml');
    expect(examples).toHaveLength(2);
    await bed.file('keys/s3-ca.pem', certificate);
    for (const { text } of examples) {
      const { errors } = await checkFleet(await bed.fleet([`stores:\n  ${directory}\n`, text]));
      expect(errors).toEqual([]);
    }
    const page = pageText('docs/s3.md');
    expect(page).toContain(`\`PutObject\` up to ${limits.s3PartBytes / 2 ** 20} MiB`);
    expect(page).toContain(
      `${((limits.s3PartsInFlight + 1) * limits.s3PartBytes) / 2 ** 20} MiB of memory for each object`,
    );
    expect(page).toContain(`without a byte for ${limits.streamStallMs / 1000} s`);
    expect(page).toContain(`longer than ${limits.versionIdBytes} characters`);
    expect(limits.s3Attempts).toBe(4);
  });
});

describe('a store for one use', () => {
  const credentials = ['backup', 'vault', 'expiry']
    .map((role) => `${role}: { accessKeyId: { env: ${role}_ID }, secretAccessKey: { env: ${role}_SECRET } }`)
    .join(', ');

  it('resolves the credential of that use alone, and when it is asked for', async () => {
    const file = await loadFleet(await bed.fleet(s3(`, retention: 35d, credentials: { ${credentials} }`)));
    const [backup, vault] = [describeStore(file, 'primary', 'backup'), describeStore(file, 'primary', 'vault')];
    if (backup.kind !== 's3' || vault.kind !== 's3') throw new Error('no bucket');
    expect(backup).toMatchObject({
      bucket: 'bundles',
      prefix: '',
      forcePathStyle: false,
      retentionMs: 35 * 86_400_000,
    });
    expect(backup.expiryCredential).toBeUndefined();
    await expect(backup.credential?.()).rejects.toMatchObject({ code: 'SecretUnavailable' });
    for (const role of ['backup', 'expiry']) {
      vi.stubEnv(`${role}_ID`, `${role} id`);
      vi.stubEnv(`${role}_SECRET`, `${role} secret`);
    }
    expect(await backup.credential?.()).toEqual({ accessKeyId: 'backup id', secretAccessKey: 'backup secret' });
    expect(await vault.expiryCredential?.()).toEqual({ accessKeyId: 'expiry id', secretAccessKey: 'expiry secret' });
    await expect(vault.credential?.()).rejects.toMatchObject({ code: 'SecretUnavailable' });
  });

  it('is looked for by the SDK where the file names none', async () => {
    const file = await loadFleet(await bed.fleet(s3(', endpoint: "https://s3.example.net"')));
    const store = describeStore(file, 'primary', 'vault');
    expect(store).not.toHaveProperty('credential');
    expect(store).toMatchObject({ forcePathStyle: true, endpoint: 'https://s3.example.net' });
  });

  it('brings the certificates of its caFile along, whatever it is used for', async () => {
    await bed.file('ca.pem', `a comment\n${certificate}\n${certificate}`);
    const file = await loadFleet(await bed.fleet(s3(', endpoint: "https://s3.example.net", caFile: ca.pem')));
    for (const use of ['backup', 'vault'] as const) {
      const store = describeStore(file, 'primary', use);
      expect(store.kind === 's3' && store.caPem?.split('BEGIN CERTIFICATE')).toHaveLength(3);
    }
  });

  it('of a folder is its path, and of no store a failure', async () => {
    const file = await loadFleet(await bed.fleet());
    expect(describeStore(file, 'primary', 'backup')).toEqual({ kind: 'directory', path: join(bed.dir, 'bundles') });
    expect(() => describeStore(file, 'toString', 'backup')).toThrow('the fleet has no store toString');
  });
});
