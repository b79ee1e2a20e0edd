import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FleetFile, formatFleetNotes, loadFleet } from '../../../src/config/fleet-file.ts';
import {
  resolveFingerprintKey,
  resolveKeychainPassword,
  resolveLogin,
  resolveManifestKey,
  resolveOpeningKey,
  resolveReceiptKey,
} from '../../../src/config/fleet-secrets.ts';
import { isKeyOf } from '../../../src/config/public-keys.ts';
import { laneSpecSchema } from '../../../src/contract/lane-spec.ts';
import { type FleetBed, makeFleetBed } from './fleet-bed.ts';

let bed: FleetBed;
/** Of nobody. */
const ed25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAjaJ7LnQ1uTQbU0AGjZhI+ajMVRi4dKyqCDjVN5qvUw';

beforeAll(async () => {
  bed = await makeFleetBed();
});

afterAll(async () => {
  await bed.remove();
});

describe('loadFleet', () => {
  it('gives the file with the digest of its bytes and the public keys', async () => {
    const path = await bed.fleet();
    const file = await loadFleet(path);
    expect(file).toBeInstanceOf(FleetFile);
    expect(file.digest).toBe(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
    expect(file.keys.recipients.map(({ name }) => name)).toEqual(['vault', 'recovery']);
    expect(file.keys.manifest).toEqual([await readFile(join(bed.dir, 'keys/manifest.public.pem'), 'utf8')]);
    expect(file.warnings.map((warning) => warning.path)).toEqual(['stores.primary', 'hosts']);
  });

  it('fails with every error on a line that editors make a link of', async () => {
    const path = await bed.fleet(['port: 18790', 'port: 0'], ['region: tokyo }', 'region: Tokyo }']);
    await expect(loadFleet(path)).rejects.toMatchObject({
      code: 'InvalidFleet',
      context: { count: 2 },
      message: `${path}:21:46 stores.primary.region: a name has lower-case letters, digits and inner dashes, at most 40 characters\n${path}:50:5 lanes.lane-2.port: a port is at least 1`,
    });
  });

  it('shows a hundred errors and counts the others', () => {
    const notes = Array.from({ length: 103 }, (_, index) => ({ line: index, column: 1, path: '', message: 'wrong' }));
    const lines = formatFleetNotes('f.yaml', notes).split('\n');
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe('and 3 more');
  });
});

describe('laneSpec', () => {
  it('is what the contract says, with defaults filled in and no secret', async () => {
    const spec = (await loadFleet(await bed.fleet())).laneSpec('lane-2');
    expect(laneSpecSchema.parse(spec)).toEqual(spec);
    expect(spec).toMatchObject({
      fleet: 'demo',
      lane: 'lane-2',
      region: 'tokyo',
      timeZone: 'Asia/Tokyo',
      store: 'primary',
      profile: 'openclaw-2026',
      budgets: { rtoMs: 5_400_000, stepMs: { stop: 300_000, tree: 2_400_000, secrets: 1_200_000, smoke: 900_000 } },
      rpoMs: 86_400_000,
      hasKeychainPassword: true,
      limits: { streams: 2, waitForLaneMs: 1_800_000, segmentBytes: 268_435_456 },
    });
    expect(spec.target).toMatchObject({
      lane: 'lane-2',
      user: 'agent-lane-2',
      home: '/Users/agent-lane-2',
      domain: 'system',
      port: 18790,
      keychain: '/Users/agent-lane-2/Library/Keychains/openclaw.keychain-db',
      host: { name: 'mac-1', port: 22, root: '/', tools: {} },
    });
    expect(JSON.stringify(spec)).not.toContain('LANE_2_KEYCHAIN_PASSWORD');
  });

  it("puts the host's root before paths of the Mac, once, and leaves tools as they are", async () => {
    const root = ['timeZone: Asia/Tokyo', 'root: /tmp/mac\n    tools: { tar: /opt/bin/tar }'] as const;
    const keychain = ['~/Library/Keychains/openclaw.keychain-db', '/Library/k.keychain-db'] as const;
    const home = ['port: 18790', 'port: 18790\n    home: /tmp/mac/Users/two'] as const;
    const file = await loadFleet(await bed.fleet(root, keychain, home));
    expect(file.laneSpec('lane-1').target).toMatchObject({
      home: '/tmp/mac/Users/agent-lane-1',
      keychain: '/tmp/mac/Library/k.keychain-db',
    });
    expect(file.laneSpec('lane-2').target).toMatchObject({
      home: '/tmp/mac/Users/two',
      keychain: '/tmp/mac/Users/two/Library/Keychains/openclaw.keychain-db',
    });
    expect(file.laneSpec('lane-1').target.host.tools).toEqual({ tar: '/opt/bin/tar' });
  });

  it('has no time zone when the host is to be asked, and no keychain password when there is none', async () => {
    const file = await loadFleet(
      await bed.fleet(['    timeZone: Asia/Tokyo\n', ''], ['      password: { env: LANE_1_KEYCHAIN_PASSWORD }\n', '']),
    );
    expect(file.laneSpec('lane-1')).not.toHaveProperty('timeZone');
    expect(file.laneSpec('lane-1').hasKeychainPassword).toBe(false);
  });

  it('is that of a lane where a recovery put it: on a host of the file, or on one that came with its address alone', async () => {
    const address = 'address: mac-1.example.net';
    const standby = [
      'hosts:\n',
      `hosts:\n  mac-2: { address: mac-2.example.net, user: admin, hostKey: ${ed25519}, region: osaka, profile: openclaw-2026, standby: true }\n`,
    ] as const;
    const file = await loadFleet(await bed.fleet(standby, [address, `${address}\n    arch: arm64`]));
    const onStandby = file.laneSpec('lane-2', { host: 'mac-2' });
    expect(onStandby).toMatchObject({ region: 'osaka', lane: 'lane-2', store: 'primary' });
    expect(onStandby.target).toMatchObject({ user: 'agent-lane-2', port: 18790, host: { name: 'mac-2' } });
    const record = { address: '192.0.2.9', port: 2222, user: 'root', hostKey: ed25519 };
    const { target, region } = file.laneSpec('lane-2', { host: 'mac-1-new', record });
    expect(target).toMatchObject({ home: '/Users/agent-lane-2', host: { name: 'mac-1-new', ...record, root: '/' } });
    expect(region).toBe('tokyo');
    expect(file.newHostLines('mac-1', { host: 'mac-1-new', record })).toEqual([
      '  mac-1-new:',
      '    address: 192.0.2.9',
      '    port: 2222',
      '    user: root',
      `    hostKey: ${ed25519}`,
      '    region: tokyo',
      '    profile: openclaw-2026',
    ]);
    expect(() => file.laneSpec('lane-2', { host: 'mac-9' })).toThrow(expect.objectContaining({ code: 'PlacementBad' }));
  });

  it('refuses a lane that is not there, listing those that are', async () => {
    const file = await loadFleet(await bed.fleet());
    const refusal = { code: 'UnknownLane', message: 'fleet demo has no lane lane-9 (lanes: lane-1, lane-2, lane-3)' };
    expect(() => file.laneSpec('lane-9')).toThrow(expect.objectContaining(refusal));
    expect(() => file.laneSpec('constructor')).toThrow(expect.objectContaining({ code: 'UnknownLane' }));
  });
});

describe('secrets of a fleet', () => {
  it('are resolved from the folder of the fleet file', async () => {
    const file = await loadFleet(await bed.fleet());
    expect((await resolveLogin(file)).privateKey.toString()).toContain('BEGIN OPENSSH PRIVATE KEY');
    expect(await resolveFingerprintKey(file)).toHaveLength(32);
    expect((await resolveManifestKey(file)).privateKeyPem).toContain('BEGIN PRIVATE KEY');
    expect(await resolveOpeningKey(file)).toMatchObject({ name: 'vault' });
  });

  it('give the passphrase of the SSH key where there is one', async () => {
    vi.stubEnv('SSH_PASSPHRASE', 'open sesame');
    const file = await loadFleet(await bed.fleet(['ssh.key }', 'ssh.key }\n  passphrase: { env: SSH_PASSPHRASE }']));
    expect((await resolveLogin(file)).passphrase).toBe('open sesame');
    vi.unstubAllEnvs();
  });

  it("give a lane's keychain password, or none", async () => {
    vi.stubEnv('LANE_2_KEYCHAIN_PASSWORD', 'sesame');
    const file = await loadFleet(await bed.fleet(['      password: { env: LANE_1_KEYCHAIN_PASSWORD }\n', '']));
    expect(await resolveKeychainPassword(file, 'lane-2')).toBe('sesame');
    expect(await resolveKeychainPassword(file, 'lane-1')).toBeUndefined();
    await expect(resolveKeychainPassword(file, 'lane-3')).rejects.toMatchObject({ code: 'SecretUnavailable' });
    await expect(resolveKeychainPassword(file, 'lane-4')).rejects.toMatchObject({ code: 'UnknownLane' });
    vi.unstubAllEnvs();
  });

  it('are refused when they do not fit their purpose, without a word of what they are', async () => {
    await writeFile(join(bed.dir, 'wrong'), 'hunter2');
    const wrong = (from: string) => bed.fleet([from, '{ file: wrong }']).then(loadFleet);
    const refused = (reason: string) => ({
      code: 'SecretUnavailable',
      message: `the secret of file wrong does not fit: ${reason}`,
    });
    await expect(resolveFingerprintKey(await wrong('{ file: keys/fingerprint.hex }'))).rejects.toMatchObject(
      refused('it is not 64 hex digits'),
    );
    const noKey = refused('it is not a private key in PEM form without passphrase');
    await expect(resolveManifestKey(await wrong('{ file: keys/manifest.key.pem }'))).rejects.toMatchObject(noKey);
    await expect(resolveOpeningKey(await wrong('{ file: keys/vault.key.pem }'))).rejects.toMatchObject(noKey);
  });

  it('are refused when they do not belong to the public keys of the file', async () => {
    const crossed = await loadFleet(
      await bed.fleet(['private: { file: keys/manifest.key.pem }', 'private: { file: keys/vault.key.pem }']),
    );
    await expect(resolveManifestKey(crossed)).rejects.toMatchObject({
      code: 'SecretUnavailable',
      message: expect.stringContaining('none of keys.manifest.public') as string,
    });
    const mixed = await loadFleet(
      await bed.fleet(['private: { file: keys/receipt.key.pem }', 'private: { file: keys/manifest.key.pem }']),
    );
    await expect(resolveReceiptKey(mixed)).rejects.toMatchObject({
      code: 'SecretUnavailable',
      message: expect.stringContaining('none of keys.receipt.public') as string,
    });
    const foreign = await loadFleet(await bed.fleet([/\n.*vault: .*/, '']));
    await expect(resolveOpeningKey(foreign)).rejects.toMatchObject({
      code: 'SecretUnavailable',
      message: expect.stringContaining('none of keys.recipients') as string,
    });
    const none = await loadFleet(await bed.fleet([/\n {2}opening: .*/, '']));
    await expect(resolveOpeningKey(none)).rejects.toMatchObject({
      code: 'SecretUnavailable',
      message: expect.stringContaining('no keys.opening') as string,
    });
  });

  it('sign receipts where the fleet has a key for that, and say what it lacks where not', async () => {
    const file = await loadFleet(await bed.fleet());
    const { privateKeyPem } = await resolveReceiptKey(file);
    expect(isKeyOf(createPublicKey(createPrivateKey(privateKeyPem)), file.keys.receipt[0] ?? '')).toBe(true);
    const none = await loadFleet(await bed.fleet([/\n {2}receipt:[^\n]*\n.*\n.*receipt.public.pem/, '']));
    expect(none.keys.receipt).toEqual([]);
    await expect(resolveReceiptKey(none)).rejects.toMatchObject({
      code: 'SecretUnavailable',
      message: expect.stringContaining('no keys.receipt') as string,
    });
  });
});
