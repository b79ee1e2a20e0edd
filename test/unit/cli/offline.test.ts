// What works without Temporal and without a lane: listing, showing, opening and comparing the golden bundles.

import { createPrivateKey } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { type Expected, golden, treeLines } from '../../golden/make.ts';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { type Ran, run } from './around.ts';

const goldenFolder = join(import.meta.dirname, '../../golden');
const keyFile = (name: string): string => join(goldenFolder, `keys/TEST-ONLY-${name}.pem`);
const { bundle, lane } = golden;

let bed: FleetBed;
let fleet: string;
let store: string;
let dir: string;

beforeAll(async () => {
  bed = await makeFleetBed();
}, 60_000);
afterAll(() => bed.remove());

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'clawback-offline-'));
  store = join(dir, 'store');
  cpSync(join(goldenFolder, 'v1'), store, { recursive: true });
  fleet = await bed.fleet(
    ['fleet: demo', `fleet: ${golden.fleet}`],
    ['public: keys/manifest.public.pem', `public: ${join(goldenFolder, 'keys/TEST-ONLY-manifest.pub.pem')}`],
    ['path: bundles', `path: ${store}`],
  );
  return () => rmSync(dir, { recursive: true });
});

const clawback = (...argv: string[]): Promise<Ran> => run(argv, { cwd: dir, env: { CLAWBACK_FLEET: fleet } });
const openGolden = (...more: string[]): Promise<Ran> =>
  clawback('open', bundle, '--lane', lane, '--out', 'out', '--key', keyFile('vault'), ...more);
const compareWith = (folder: string): Promise<Ran> =>
  clawback('compare', bundle, '--lane', lane, '--with', folder, '--key', keyFile('vault'), '--json');

/** The objects of a segment that holds transcripts, and the manifest. */
async function pathOfObject(kind: 'segments' | 'indexes' | 'manifests'): Promise<string> {
  if (kind === 'manifests') return join(store, lane, kind, `${bundle}.json`);
  const { manifest } = JSON.parse((await clawback('bundles', 'show', bundle, '--lane', lane, '--json')).out) as {
    manifest: Manifest;
  };
  const segment = manifest.segments.find(({ component }) => component === 'transcripts');
  return join(
    store,
    lane,
    kind,
    `${segment?.fingerprint}-${kind === 'segments' ? segment?.suffix : segment?.index.suffix}`,
  );
}

/** Changes one byte in the middle. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
}

describe('bundles list', () => {
  it('shows every lane with its bundles, newest first', async () => {
    const { status, out } = await clawback('bundles', 'list', '--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      lanes: [
        {
          lane,
          store: 'primary',
          bundles: [
            {
              bundle,
              tier: 'B',
              capturedAt: '2026-11-22T03:15:02Z',
              components: ['config', 'secrets', 'transcripts', 'workspace'],
              segments: 11,
              suspect: [],
              proven: false,
            },
          ],
        },
        { lane: 'lane-2', bundles: [] },
        { lane: 'lane-3', bundles: [] },
      ],
    });
    expect(status).toBe(0);
  });

  it('says how to make the first one where there is none', async () => {
    expect((await clawback('bundles', 'list', 'lane-2')).out).toBe(
      'lane lane-2: no bundle in store primary yet (./clawback backup lane-2)\n',
    );
  });

  it('shows one whose manifest was changed as unusable, with exit status 7', async () => {
    damage(await pathOfObject('manifests'));
    const { status, out } = await clawback('bundles', 'list', lane);
    expect(out).toMatch(new RegExp(`${bundle} .*UNUSABLE: .*`));
    expect(status).toBe(7);
  });
});

describe('bundles show', () => {
  it('shows the manifest, its signature checked', async () => {
    const { status, out } = await clawback('bundles', 'show', bundle, '--lane', lane);
    expect(out).toContain('signature good');
    expect(out).toContain('on mac-1 in hk (macOS 26.1)');
    expect(status).toBe(0);
  });

  it('refuses an id that the store does not have', async () => {
    const { status, err } = await clawback('bundles', 'show', '20200101T000000Z-00000000', '--lane', lane);
    expect(err).toContain('store primary has no bundle 20200101T000000Z-00000000 of lane lane-1');
    expect(status).toBe(3);
  });

  it('refuses a bundle of another lane', async () => {
    renameSync(join(store, lane), join(store, 'lane-2'));
    const { status, err } = await clawback('bundles', 'show', bundle, '--lane', 'lane-2');
    expect(err).toContain('is of lane lane-1 in fleet golden-fleet, expected is lane lane-2');
    expect(status).toBe(3);
  });
});

describe('open', () => {
  it('brings back the tree that was backed up: names as bytes, modes, times, links, sparse files, what was torn', async () => {
    const { status, out } = await openGolden('--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      bundle,
      components: ['config', 'transcripts', 'workspace'],
      secrets: 0,
      secretsLeft: 2,
    });
    const { tree } = JSON.parse(readFileSync(join(store, 'expected.json'), 'utf8')) as Expected;
    const found = treeLines(join(dir, 'out/home'));
    expect(found.map(withoutTime)).toEqual(tree.map(withoutTime));
    for (const [at, line] of found.entries())
      expect(Math.abs(Number(BigInt(line.mtimeNs || 0) - BigInt(tree[at]?.mtimeNs || 0)))).toBeLessThan(1000);
    expect(status).toBe(0);
  });

  it('opens with the recovery key, which is asked for its passphrase or given it in a file', async () => {
    const pem = createPrivateKey(readFileSync(keyFile('recovery'))).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'correct horse',
    });
    writeFileSync(join(dir, 'recovery.pem'), pem);
    writeFileSync(join(dir, 'right'), 'correct horse\n');
    writeFileSync(join(dir, 'wrong'), 'battery\n');
    const open = (out: string, ...more: string[]) =>
      clawback('open', bundle, '--lane', lane, '--out', out, '--key', 'recovery.pem', '--only', 'config', ...more);
    expect((await open('a')).err).toContain(
      '--key recovery.pem is encrypted: give its passphrase with --passphrase-file',
    );
    expect((await open('b', '--passphrase-file', 'wrong')).err).toContain(
      '--key recovery.pem does not open with this passphrase',
    );
    const { status, out } = await open('c', '--passphrase-file', 'right');
    expect(out).toContain('config (');
    expect(status).toBe(0);
    expect(readdirSync(dir).toSorted()).toEqual(['c', 'recovery.pem', 'right', 'store', 'wrong']);
  });

  it('writes the secrets only when told to, readable by their owner alone', async () => {
    const { out } = await openGolden('--with-secrets');
    expect(out).toContain('2 Keychain items IN CLEAR in secrets.json');
    const path = join(dir, 'out/secrets.json');
    const { secrets } = JSON.parse(readFileSync(join(store, 'expected.json'), 'utf8')) as Expected;
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ items: secrets });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'out')).mode & 0o777).toBe(0o700);
  });

  it('takes one component alone', async () => {
    await openGolden('--only', 'transcripts');
    expect(readdirSync(join(dir, 'out/home/.openclaw'))).toEqual(['transcripts']);
  });

  it('refuses a component that the bundle does not hold', async () => {
    const { status, err } = await openGolden('--only', 'logs');
    expect(err).toContain(`bundle ${bundle} holds nothing of logs`);
    expect(status).toBe(3);
  });

  it('refuses a directory that holds something, and touches nothing in it', async () => {
    mkdirSync(join(dir, 'out'));
    writeFileSync(join(dir, 'out/mine'), '');
    const { status, err } = await openGolden();
    expect(err).toMatch(/--out .*\/out is not empty/);
    expect(status).toBe(2);
    expect(readdirSync(join(dir, 'out'))).toEqual(['mine']);
  });

  it('refuses a key that the bundle is not sealed to', async () => {
    const { status, err } = await clawback(
      'open',
      bundle,
      '--lane',
      lane,
      '--out',
      'out',
      '--key',
      keyFile('stranger'),
    );
    expect(err).toContain('HINT: use a key whose fingerprint');
    expect(status).toBe(3);
  });

  it('refuses what is no key, without a word of what stands in it', async () => {
    writeFileSync(join(dir, 'key'), 'hunter2');
    const { status, err } = await clawback('open', bundle, '--lane', lane, '--out', 'out', '--key', 'key');
    expect(err).toContain('--key key is no private key in PEM form');
    expect(err).not.toContain('hunter2');
    expect(status).toBe(2);
  });

  it.each(['segments', 'indexes', 'manifests'] as const)(
    'ends with status 7 when one of the %s was changed',
    async (kind) => {
      damage(await pathOfObject(kind));
      const { status } = await openGolden();
      expect(status).toBe(7);
    },
  );

  it('ends with status 7 when an object is gone', async () => {
    unlinkSync(await pathOfObject('segments'));
    const { status, out } = await openGolden('--json');
    expect(JSON.parse(out)).toMatchObject({ ok: false, code: 'ObjectMissing' });
    expect(status).toBe(7);
  });
});

function withoutTime({ mtimeNs: _, ...line }: Expected['tree'][number]): unknown {
  return line;
}

describe('compare', () => {
  beforeEach(async () => {
    const { status, err } = await openGolden();
    expect(status, err).toBe(0);
  });

  it('finds what open made identical', async () => {
    const { status, out } = await compareWith('out');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      identical: true,
      places: ['home'],
      differences: [],
      moreDifferences: 0,
    });
    expect(status).toBe(0);
  });

  it('takes a home as well', async () => {
    expect((await compareWith('out/home')).status).toBe(0);
  });

  it('names what is missing, changed and added, with exit status 5; what no bundle holds is no difference', async () => {
    const home = join(dir, 'out/home');
    unlinkSync(join(home, 'workspace/empty'));
    writeFileSync(join(home, '.openclaw/config/openclaw.json'), '{"port":11431}\n');
    chmodSync(join(home, 'workspace/sub'), 0o700);
    writeFileSync(join(home, 'workspace/new\x1b[2J'), '');
    mkdirSync(join(home, 'workspace/node_modules'));
    writeFileSync(join(home, 'workspace/node_modules/x'), '');
    writeFileSync(join(home, 'elsewhere'), '');
    const { status, out } = await compareWith('out');
    const { differences, identical } = JSON.parse(out) as { differences: { path: string }[]; identical: boolean };
    expect(differences.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { place: 'home', path: '.openclaw/config/openclaw.json', kind: 'changed', aspects: ['mtime', 'content'] },
      { place: 'home', path: 'workspace/empty', kind: 'missing', aspects: [] },
      { place: 'home', path: 'workspace/new\x1b[2J', kind: 'added', aspects: [] },
      { place: 'home', path: 'workspace/sub', kind: 'changed', aspects: ['mode'] },
    ]);
    expect([identical, status]).toEqual([false, 5]);
  });

  it('sees a hard link that became a file of its own, and a symlink that leads elsewhere', async () => {
    const home = join(dir, 'out/home');
    const twin = join(home, 'workspace/the-same');
    cpSync(twin, `${twin}.new`, { preserveTimestamps: true });
    renameSync(`${twin}.new`, twin);
    const { out } = await compareWith('out');
    const { differences } = JSON.parse(out) as { differences: { path: string; aspects: string[] }[] };
    expect(differences.map(({ aspects }) => aspects)).toEqual([['link']]);
  });

  it('looks into every range of a large file', async () => {
    const path = join(dir, 'out/home/.openclaw/transcripts/large.jsonl');
    const { atime, mtime } = statSync(path);
    const bytes = readFileSync(path);
    bytes.write('X', bytes.length - 2);
    writeFileSync(path, bytes);
    utimesSync(path, atime, mtime);
    const { differences } = JSON.parse((await compareWith('out')).out) as { differences: unknown[] };
    expect(differences).toEqual([
      { place: 'home', path: '.openclaw/transcripts/large.jsonl', kind: 'changed', aspects: ['content'] },
    ]);
  });

  it('escapes names on a terminal', async () => {
    appendFileSync(join(dir, 'out/home/workspace/\x1b]0;pwned\x07'), '');
    const { out } = await clawback('compare', bundle, '--lane', lane, '--with', 'out', '--key', keyFile('vault'));
    expect(out).toContain('added   workspace/\\x1b]0;pwned\\x07');
    expect(out).not.toMatch(/\p{Cc}(?<!\n)/u);
  });

  it('refuses a folder that is neither', async () => {
    mkdirSync(join(dir, 'empty'));
    const { status, err } = await clawback(
      'compare',
      bundle,
      '--lane',
      lane,
      '--with',
      'empty',
      '--key',
      keyFile('vault'),
    );
    expect(err).toContain('is neither a home (it has no .openclaw or workspace) nor made by `./clawback open`');
    expect(status).toBe(2);
  });
});
