import { generateKeyPairSync } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFleet } from '../../../src/config/check-fleet.ts';
import { type FleetBed, makeFleetBed } from './fleet-bed.ts';

let bed: FleetBed;

beforeAll(async () => {
  bed = await makeFleetBed();
});

afterAll(async () => {
  await bed.remove();
});

type Change = readonly [from: string | RegExp, to: string];

async function errorsOf(...changes: Change[]): Promise<string[]> {
  const { errors } = await checkFleet(await bed.fleet(...changes));
  return errors.map((error) => `${error.path}: ${error.message}`);
}

async function warningsOf(...changes: Change[]): Promise<string[]> {
  const { errors, warnings } = await checkFleet(await bed.fleet(...changes));
  expect(errors).toEqual([]);
  return warnings.map((warning) => `${warning.path}: ${warning.message}`);
}

describe('a fleet file that is right', () => {
  it('has no errors: the sample, with the keys that generateKeys makes', async () => {
    expect((await checkFleet(await bed.fleet())).errors).toEqual([]);
  });
});

describe('errors', () => {
  it('all come at once, in the order of the file, with line and column of the field', async () => {
    const path = await bed.fleet(
      ['fleet: demo', 'fleet: De mo'],
      ['port: 18790', 'port: 70000\n    zap: 1'],
      ['host: mac-1\n    user: agent-lane-1', 'host: mac-9\n    user: agent-lane-1'],
      ['{ env: LANE_1_KEYCHAIN_PASSWORD }', 'hunter2'],
      [/$/, 'limits: { streams: 99 }\nobjectives: { rto: 10m }\n'],
    );
    const { errors } = await checkFleet(path);
    expect(errors.map(({ line, column, path: field }) => `${line}:${column} ${field}`)).toEqual([
      '2:1 fleet',
      '35:5 lanes.lane-3.host',
      '41:7 lanes.lane-1.keychain.password',
      '50:5 lanes.lane-2.port',
      '51:5 lanes.lane-2.zap',
      '63:11 limits.streams',
      '64:1 objectives.steps',
    ]);
    expect(errors.map((error) => error.message).join()).not.toContain('hunter2');
  });

  it('point at the map that lacks a field, and say so', async () => {
    const { errors } = await checkFleet(await bed.fleet(['    address: mac-1.example.net\n', '']));
    expect(errors).toEqual([{ line: 24, column: 3, path: 'hosts.mac-1.address', message: 'it is missing' }]);
  });

  it.each<[string, string, string | RegExp, string]>([
    ['a secret as text', 'ssh.key: a secret must not stand in this file', /\{ file: keys\/ssh.key \}/, 'hunter2'],
    [
      'two ways to one secret',
      'ssh.key: a reference to a secret names exactly one',
      '{ file: keys/ssh.key }',
      '{ file: a, env: B }',
    ],
    ['a secret that is missing', 'keys.fingerprint: it is missing: give { env', /\n {2}fingerprint.*/, ''],
    ['an unknown key at the top', 'hots: unknown key', 'stores:', 'hots: {}\nstores:'],
    [
      'an unknown kind of store',
      "stores.primary.kind: a store's kind: directory or s3",
      'kind: directory',
      'kind: ftp',
    ],
    [
      'an unknown profile',
      'hosts.mac-1.profile: a profile: slimvps-legacy or openclaw-2026',
      'openclaw-2026',
      'openclaw-1999',
    ],
    ['an unknown tool', 'hosts.mac-1.tools.zip: unknown key', 'timeZone: Asia/Tokyo', 'tools: { zip: /usr/bin/zip }'],
    [
      'a tool by a relative path',
      'hosts.mac-1.tools.tar: an absolute path',
      'timeZone: Asia/Tokyo',
      'tools: { tar: bsdtar }',
    ],
    ['a time zone that is none', 'hosts.mac-1.timeZone: an IANA time zone', 'Asia/Tokyo', 'Asia/Edo'],
    ['an offset as time zone', 'hosts.mac-1.timeZone: an IANA time zone', 'Asia/Tokyo', '"+09:00"'],
    ['a name with capitals', 'hosts.Mac-1: a name has lower-case', '  mac-1:', '  Mac-1:'],
    ['a host key of unknown type', 'hosts.mac-1.hostKey: a host key is its type', 'ssh-ed25519 AAAA', 'ssh-dss AAAA'],
    [
      'a host key whose base64 is cut',
      'hosts.mac-1.hostKey: an ssh-ed25519 key has 51 bytes, this one has 48',
      'GHN6J',
      'G',
    ],
    [
      'a host key of another type than it says',
      'hosts.mac-1.hostKey: the base64 does not hold a key of type ssh-rsa',
      'ssh-ed25519 AAAA',
      'ssh-rsa AAAA',
    ],
    [
      'an address with a user',
      'hosts.mac-1.address: a host name or an IP address',
      'address: mac-1',
      'address: admin@mac-1',
    ],
    [
      'a root with a slash at its end',
      'hosts.mac-1.root: an absolute path without a slash',
      'timeZone: Asia/Tokyo',
      'root: /tmp/',
    ],
    [
      'a home above itself',
      'lanes.lane-1.home: a path without ".."',
      'label: ai.openclaw.gateway.lane1',
      'label: x\n    home: /Users/../etc',
    ],
    [
      'an absolute glob',
      'lanes.lane-1.exclude.1: a glob is relative',
      'port: 18789',
      'port: 18789\n    exclude: [a, /b]',
    ],
    [
      'a bad launchd domain',
      'lanes.lane-1.domain: a launchd domain is system or gui/<uid>',
      'port: 18789',
      'port: 18789\n    domain: user/501',
    ],
    [
      'a host that is not there',
      'lanes.lane-1.host: there is no host mac-2 (hosts: mac-1)',
      'host: mac-1\n',
      'host: mac-2\n',
    ],
    [
      'a lane on a standby',
      'lanes.lane-1.host: mac-1 is a standby, which holds no lanes of its own',
      'timeZone: Asia/Tokyo',
      'standby: true',
    ],
    [
      'a store that is not there',
      'lanes.lane-1.store: there is no store far (stores: primary)',
      'port: 18789',
      'port: 18789\n    store: far',
    ],
    [
      'two lanes with one port',
      'lanes.lane-2.port: port 18789 of host mac-1 is already that of lane-1',
      '18790',
      '18789',
    ],
    [
      'two lanes with one user, in other letters',
      'lanes.lane-2.user: user agent-lane-1 of host mac-1',
      'user: agent-lane-2',
      'user: Agent-Lane-1',
    ],
    [
      'two lanes with one label',
      'lanes.lane-2.label: label ai.openclaw.gateway.lane1',
      'gateway.lane2',
      'gateway.lane1',
    ],
    [
      'two lanes with one home',
      'lanes.lane-2.home: home /Users/AGENT-lane-1 lies in, or holds, that of lane-1',
      'port: 18790',
      'port: 18790\n    home: /Users/AGENT-lane-1',
    ],
    [
      "a home inside another lane's",
      'lanes.lane-2.home: home /Users/agent-lane-1/x lies in',
      'port: 18790',
      'port: 18790\n    home: /Users/agent-lane-1/x',
    ],
    [
      'two hosts at one address',
      'hosts.mac-1.address: mac-1.example.net port 22 is already that of mac-2',
      'hosts:\n  mac-1:',
      'hosts:\n  mac-2: { address: MAC-1.example.net, user: a, region: r, profile: openclaw-2026, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvuz6ghUbJBiwfgLzyfXFmbqPHqh8R2ZkN1iwzGHN6J }\n  mac-1:',
    ],
    [
      'two stores in one folder',
      'stores.primary.path: bundles is already that of second',
      'stores:',
      'stores:\n  second: { kind: directory, path: bundles, region: seoul }',
    ],
    [
      'a replica of a store that is not there',
      'stores.far.replicaOf: there is no store frist',
      'stores:',
      'stores:\n  far: { kind: directory, path: far, region: seoul, replicaOf: frist }',
    ],
    [
      'a replica of itself',
      'stores.far.replicaOf: a store is no replica of itself',
      'stores:',
      'stores:\n  far: { kind: directory, path: far, region: seoul, replicaOf: far }',
    ],
    [
      'a replica of a replica',
      'stores.third.replicaOf: far is a replica itself',
      'stores:',
      'stores:\n  far: { kind: directory, path: far, region: seoul, replicaOf: primary }\n  third: { kind: directory, path: third, region: hk, replicaOf: far }',
    ],
    [
      'two replicas of one store',
      'stores.third.replicaOf: the replica of primary is already that of far',
      'stores:',
      'stores:\n  far: { kind: directory, path: far, region: seoul, replicaOf: primary }\n  third: { kind: directory, path: third, region: hk, replicaOf: primary }',
    ],
    [
      'a control address of a region where nothing stands',
      'regions.seul: no host and no store is in a region seul',
      'stores:',
      'regions:\n  seul: { control: { address: 192.0.2.9, port: 443 } }\nstores:',
    ],
    [
      'a disk that is to clear above its mark',
      'signals.disk.clear: it must be below full',
      'stores:',
      'signals:\n  disk: { full: 80, clear: 90 }\nstores:',
    ],
    [
      'a lane whose store is a replica',
      'lanes.lane-1.store: primary is a replica',
      /primary: \{ kind/,
      'first: { kind: directory, path: first, region: seoul }\n  primary: { replicaOf: first, kind',
    ],
    [
      'a message token that is no secret',
      "lanes.lane-1.messageToken: the message token must be one of the lane's secrets",
      'messageToken: { service: openclaw-gateway,',
      'messageToken: { service: other,',
    ],
    [
      'a secret listed twice',
      'lanes.lane-1.secrets.1: the item is listed twice',
      '{ service: openclaw-anthropic, account: api-key }',
      '{ service: openclaw-gateway, account: token }',
    ],
    ['no recipient', 'keys.recipients: at least one of vault and recovery', /recipients:\n.*\n.*/, 'recipients: {}'],
    ['a duration without a unit', 'objectives.rto: a duration is text such as', /$/, 'objectives: { rto: 90 }\n'],
    ['a duration out of bounds', 'objectives.rpo: it must lie between 1m and 30d', /$/, 'objectives: { rpo: 31d }\n'],
    [
      'a segment that is too small',
      'limits.segment: it must lie between 1MiB and 4GiB',
      /$/,
      'limits: { segment: 64KiB }\n',
    ],
  ])('refuse %s', async (_what, expected, from, to) => {
    const errors = await errorsOf([from, to]);
    expect(errors).toContainEqual(expect.stringContaining(expected));
  });

  it('let two hosts use the same ports and users', async () => {
    const second =
      'hosts:\n  mac-2: { address: mac-2.example.net, user: a, region: r, profile: openclaw-2026, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvuz6ghUbJBiwfgLzyfXFmbqPHqh8R2ZkN1iwzGHN6J }';
    expect(
      await errorsOf(
        ['hosts:', second],
        [
          '<<: *lane\n    user: agent-lane-2\n    label: ai.openclaw.gateway.lane2\n    port: 18790',
          '<<: *lane\n    host: mac-2',
        ],
      ),
    ).toEqual([]);
  });

  it("refuse a lane whose target is too large for Temporal's history", async () => {
    const tool = `/opt/${'x'.repeat(240)}`;
    const errors = await errorsOf(['timeZone: Asia/Tokyo', `tools: { tar: ${tool}, curl: ${tool}, sudo: ${tool} }`]);
    expect(errors).toHaveLength(3);
    expect(errors[0]).toMatch(/^lanes\.lane-1: the lane's target is 1,?\d+ bytes, at most 1024 go through Temporal/);
  });

  it('refuse a specification that is too large', async () => {
    const globs = Array.from({ length: 64 }, (_, index) => `${'y'.repeat(250)}${index}`).join(', ');
    const errors = await errorsOf(['port: 18789', `port: 18789\n    exclude: [${globs}]`]);
    expect(errors[0]).toMatch(/^lanes\.lane-1: the lane's specification is \d+ bytes, at most 16384/);
  });
});

describe('YAML', () => {
  it.each<[string, string | RegExp, string, string]>([
    ['a repeated key', 'stores:', 'fleet: again\nstores:', '20:1 .*this key is there twice'],
    ['a tag', 'fleet: demo', 'fleet: !secret demo', '2:8 .*tags are not allowed here'],
    ['an anchor that is not there', '<<: *lane', '<<: *lain', '47:9 .*no anchor of this name'],
    ['a second document', /$/, '---\nx: 1\n', '62:1 .*more than one document'],
    ['a tab as indent', 'hosts:\n', 'hosts:\n\tx: 1\n', '24:1 .*Tabs are not allowed as indentation'],
  ])('refuses %s at its place', async (_what, from, to, expected) => {
    const { errors } = await checkFleet(await bed.fleet([from, to]));
    const places = errors.map((error) => `${error.line}:${error.column} ${error.message}`);
    expect(places).toContainEqual(expect.stringMatching(new RegExp(`^${expected}`)));
  });

  it('never quotes what stands at a wrong place: it may be a secret', async () => {
    const texts = [
      'ssh: hunter2\n  key: "hunter2',
      'ssh: {hunter2',
      '- a\nhunter2: x',
      'a: |hunter2\n',
      'a: "x" hunter2',
      '%hunter2\n---\n',
    ];
    for (const text of texts) {
      const { errors } = await checkFleet(await bed.file('wrong.yaml', text));
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.map((error) => error.message).join()).not.toContain('hunter2');
    }
  });

  it('refuses aliases that multiply beyond reason', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `l${index + 1}: &l${index + 1} [${Array(12).fill(`*l${index}`).join(', ')}]`,
    );
    const { errors } = await checkFleet(await bed.file('bomb.yaml', ['l0: &l0 x', ...levels].join('\n')));
    expect(errors[0]?.message).toContain('aliases multiply beyond reason');
  });

  it.each([
    ['an empty file', ''],
    ['a list', '- a\n'],
    ['a text', 'hello\n'],
    [
      'null in every section',
      'fleet: demo\nssh: null\nkeys: null\nstores: null\nhosts: { mac-1: null }\nlanes: { lane-1: null }\n',
    ],
    ['lists for maps', 'fleet: demo\nssh: []\nkeys: []\nstores: []\nhosts: [1]\nlanes: [2]\n'],
  ])('refuses %s without falling over', async (_what, text) => {
    expect((await checkFleet(await bed.file('odd.yaml', text))).errors.length).toBeGreaterThan(0);
  });

  it('tells of a file that is missing, too large, or not text', async () => {
    expect((await checkFleet(join(bed.dir, 'none.yaml'))).errors[0]?.message).toBe('the file cannot be read (ENOENT)');
    expect((await checkFleet(await bed.file('large.yaml', '#'.repeat(1024 * 1024 + 1)))).errors[0]?.message).toContain(
      'at most 1048576 are read',
    );
    expect((await checkFleet(await bed.file('bytes.yaml', Buffer.from([0xff, 0xfe, 0x00])))).errors[0]?.message).toBe(
      'the file is not UTF-8 text',
    );
  });
});

describe('key files', () => {
  it('that are missing, or no keys, are errors at their fields', async () => {
    await bed.file('keys/text.pem', 'not a key');
    const errors = await errorsOf(
      ['vault: keys/vault.public.pem', 'vault: keys/text.pem'],
      ['public: keys/manifest.public.pem', 'public: [keys/none.pem]'],
    );
    expect(errors).toEqual([
      'keys.manifest.public: keys/none.pem: it cannot be read (ENOENT)',
      'keys.recipients.vault: keys/text.pem: it is not a public key in PEM form',
    ]);
  });

  it('are refused when private, of the wrong type, or too short', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    await bed.file('keys/short.pem', short.toString());
    expect(await errorsOf(['vault: keys/vault.public.pem', 'vault: keys/vault.key.pem'])).toEqual([
      'keys.recipients.vault: keys/vault.key.pem: it holds a private key; name the public one',
    ]);
    expect(await errorsOf(['vault: keys/vault.public.pem', 'vault: keys/short.pem'])).toEqual([
      'keys.recipients.vault: keys/short.pem: it has 2048 bits, recipients have at least 4,096',
    ]);
    expect(await errorsOf(['vault: keys/vault.public.pem', 'vault: keys/manifest.public.pem'])).toEqual([
      'keys.recipients.vault: keys/manifest.public.pem: it is a key of type ed25519, recipients are RSA',
    ]);
    expect(await errorsOf(['public: keys/manifest.public.pem', 'public: keys/vault.public.pem'])).toEqual([
      'keys.manifest.public: keys/vault.public.pem: it is a key of type rsa, manifests are signed with Ed25519',
    ]);
  });

  it('are refused when they are too large to be one', async () => {
    await bed.file('keys/large.pem', 'x'.repeat(65_537));
    expect(await errorsOf(['vault: keys/vault.public.pem', 'vault: keys/large.pem'])).toEqual([
      'keys.recipients.vault: keys/large.pem: it is 65537 bytes, a key file has at most 65536',
    ]);
  });

  it('of secrets need not be here: another worker may have them', async () => {
    expect(await errorsOf(['{ file: keys/vault.key.pem }', '{ file: keys/elsewhere.pem }'])).toEqual([]);
  });

  it('are refused when vault and recovery are one key', async () => {
    expect(await errorsOf(['recovery: keys/recovery.public.pem', 'recovery: keys/vault.public.pem'])).toEqual([
      "keys.recipients.recovery: it is the vault's key: who loses that loses this one too",
    ]);
  });
});

describe('warnings', () => {
  it('tell when all copies rest in one region', async () => {
    const ofStores = async (...changes: Change[]) =>
      (await warningsOf(...changes)).filter((line) => line.startsWith('stores'));
    expect(await ofStores()).toEqual([
      expect.stringMatching(
        /^stores.primary: all copies of lane-1, .* rest in the region tokyo, where the hosts of lane-1, .* stand too; who loses it loses every bundle: add a store with `replicaOf: primary` in another region$/,
      ),
    ]);
    const second = (fields: string) =>
      ofStores(['stores:', `stores:\n  far: { kind: directory, path: far, ${fields} }`]);
    expect(await second('region: seoul, replicaOf: primary')).toEqual([]);
    expect(await second('region: tokyo, replicaOf: primary')).toHaveLength(1);
    // a store that no bundle goes to is no copy
    expect(await second('region: seoul')).toHaveLength(1);
  });

  it('tell when nobody could show that a lost region is not our own network', async () => {
    const ofHosts = async (...changes: Change[]) =>
      (await warningsOf(...changes)).filter((line) => line.startsWith('hosts'));
    expect(await ofHosts()).toEqual([
      expect.stringMatching(/^hosts: when all hosts of tokyo are silent, .* name `regions\.tokyo\.control`/),
    ]);
    const control = 'regions:\n  tokyo: { control: { address: control.example.net, port: 443 } }\n\nhosts:';
    expect(await ofHosts(['hosts:', control])).toEqual([]);
    // a bucket out in the world vouches, where no control address is named
    const bucket = 'far: { kind: s3, bucket: bundles, awsRegion: ap-northeast-2, region: seoul, replicaOf: primary }';
    expect(await ofHosts(['stores:', `stores:\n  ${bucket}`])).toEqual([]);
    const elsewhere =
      '  mac-2: { address: 192.0.2.9, hostKey: KEY, region: seoul, profile: openclaw-2026, user: admin }';
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvuz6ghUbJBiwfgLzyfXFmbqPHqh8R2ZkN1iwzGHN6J';
    expect(await ofHosts(['hosts:', `hosts:\n${elsewhere.replace('KEY', key)}`])).toEqual([]);
  });

  it('tell when there is no recovery recipient', async () => {
    expect(await warningsOf([/\n.*recovery: .*/, ''])).toContainEqual(
      expect.stringContaining('keys.recipients: there is no recovery recipient'),
    );
  });

  it('tell when there is no receipt key, and how to make one', async () => {
    expect(await warningsOf([/\n {2}receipt:[^\n]*\n.*\n.*receipt.public.pem/, ''])).toContainEqual(
      expect.stringMatching(
        /^keys: there is no receipt key: .* nothing becomes proven; .*keys generate --only receipt/,
      ),
    );
  });

  it('tell when a lane could not prove that it answers', async () => {
    expect(await warningsOf([/\n {4}messageToken: .*/, ''])).toContainEqual(
      expect.stringContaining('lanes.lane-1: no messageToken'),
    );
  });

  it('tell when a secret file can be read by others', async () => {
    await chmod(join(bed.dir, 'keys/ssh.key'), 0o644);
    const warnings = await warningsOf();
    await chmod(join(bed.dir, 'keys/ssh.key'), 0o600);
    expect(warnings).toContain('ssh.key: keys/ssh.key can be read by others than its owner; chmod 600 it');
  });
});

describe('hooks', () => {
  const hooks = (text: string): Change => [/$/, `hooks:\n  ${text}\n`];

  it.each([
    ['reboot: { command: [./x] }', 'hooks.reboot: unknown key'],
    ['dns: {}', 'hooks.dns: exactly one of command and http is needed'],
    [
      'dns: { command: [a], http: { url: "https://x.example" } }',
      'hooks.dns: exactly one of command and http is needed',
    ],
    ['dns: { command: [] }', 'hooks.dns.command: a command names its program'],
    ['dns: { command: [a], retries: 3 }', 'hooks.dns.retries: unknown key'],
    ['dns: { command: [a], attempts: 9 }', 'hooks.dns.attempts: at most 5'],
    ['dns: { command: [a], timeout: 60 }', 'hooks.dns.timeout: a duration is text such as 45s, 90m, 24h or 1h30m'],
    [
      'dns: { command: [a], env: { TOKEN: canary } }',
      'hooks.dns.env.TOKEN: a secret must not stand in this file: give { env: NAME }, { file: PATH } or { command: [program, argument…] }',
    ],
    [
      'dns: { http: { url: "https://x.example" }, env: { A: { env: B } } }',
      'hooks.dns.env: env goes with command; a request has http.headers',
    ],
    [
      'dns: { http: { url: "https://x.example", headers: { Host: y } } }',
      'hooks.dns.http.headers.Host: this header is set by Clawback itself',
    ],
    [
      'dns: { http: { url: "http://x.example/canary" } }',
      'hooks.dns.http.url: an https:// URL without user and password (http:// to this machine only)',
    ],
    [
      'dns: { http: { url: "https://u:canary@x.example" } }',
      'hooks.dns.http.url: an https:// URL without user and password (http:// to this machine only)',
    ],
    ['dns: { http: { url: "https://x.example", method: GET } }', 'hooks.dns.http.method: expected "POST"'],
  ])('refuses %s', async (text, error) => {
    expect(await errorsOf(hooks(text))).toEqual([error]);
  });

  it('takes a command and a service, each with references to secrets', async () => {
    await bed.file('open-token', 'x');
    await chmod(join(bed.dir, 'open-token'), 0o644);
    const text = `dns: { command: [./dns], env: { TOKEN: { file: open-token } }, timeout: 5s, attempts: 1 }
  alert: { http: { url: { file: open-token }, headers: { X-A: plain, X-B: { file: open-token } } } }
  fence: { http: { url: "http://127.0.0.1:8080/fence" } }`;
    const warnings = await warningsOf(hooks(text));
    expect(warnings.filter((line) => line.startsWith('hooks'))).toEqual([
      'hooks.dns.env.TOKEN: open-token can be read by others than its owner; chmod 600 it',
      'hooks.alert.http.url: open-token can be read by others than its owner; chmod 600 it',
      'hooks.alert.http.headers.X-B: open-token can be read by others than its owner; chmod 600 it',
    ]);
  });
});
