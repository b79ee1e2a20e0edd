// Archives that the scripts of old made beside a running gateway: all three kinds restore, in the clear and encrypted;
// and those that are refused change nothing.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startImport } from '../../src/client/start.ts';
import type { RestoreResult } from '../../src/contract/results.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { say } from '../bed/bed-shell.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { asLane, editFleet, itemsOf, overwrite, refusalOf, restore, startRig, stopRig } from './kit.ts';

const passphrase = 'correct horse battery staple';
const scripts = join(import.meta.dirname, '../golden/old-scripts');

let rig: Rig;
let lane: BedLane;
let neighbour: BedLane;
let folder: string;

beforeAll(async () => {
  rig = await startRig({ kind: bestBedKind(), hosts: [{ name: 'mac-1', lanes: 2 }], dataBytes: 1e6 });
  [lane, neighbour] = rig.bed.lanes as [BedLane, BedLane];
  folder = join(rig.dir, 'archives');
  mkdirSync(folder);
  writeFileSync(join(rig.dir, 'keys/archives'), passphrase, { mode: 0o600 });
  editFleet(rig, (fleet) => {
    (fleet as unknown as Record<string, unknown>)['archives'] = {
      folder,
      passphrase: { file: join(rig.dir, 'keys/archives') },
    };
  });
  await rig.startWorker();
});

afterAll(() => stopRig(rig));

/** Runs a script as it is, on the host, as the lane's user. @returns the archive's name in the folder of archives */
async function archived(of: BedLane, tier: 'a' | 'b' | 'c'): Promise<string> {
  const script = readFileSync(join(scripts, `tier-${tier}.sh`), 'utf8');
  const { tools, root } = rig.bed.host(of.host);
  const path = tools['tar'] ? `PATH=${join(tools['tar'], '..')}:$PATH ` : '';
  const out = `${of.home}/archives-${tier}`;
  const { stderr } = await asLane(rig, of, `mkdir -p ${out} && ${path}sh -s ${out} ${root}`, script);
  const [name = ''] = readdirSync(join(of.realHome, `archives-${tier}`));
  if (name === '') throw new Error(`tier ${tier} wrote nothing: ${stderr}`);
  copyFileSync(join(of.realHome, `archives-${tier}`, name), join(folder, name));
  return name;
}

function encrypted(name: string, by: 'gpg' | 'openssl'): string {
  const path = join(folder, name);
  if (by === 'openssl') {
    const argv = ['enc', '-aes-256-cbc', '-pbkdf2', '-pass', 'stdin', '-in', path, '-out', `${path}.enc`];
    execFileSync('openssl', argv, { input: `${passphrase}\n` });
    return `${name}.enc`;
  }
  const home = mkdtempSync('/tmp/cb-e2e-');
  const argv = [
    '--batch',
    '--homedir',
    home,
    '--pinentry-mode',
    'loopback',
    '--passphrase-fd',
    '0',
    '--s2k-count',
    '65536',
  ];
  execFileSync('gpg', [...argv, '--symmetric', '--cipher-algo', 'AES256', '--output', `${path}.gpg`, path], {
    input: passphrase,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
  rmSync(home, { recursive: true, force: true });
  return `${name}.gpg`;
}

const marks = ['.openclaw/config/routes.json', '.openclaw/transcripts/agent_main_s0000.jsonl', 'workspace/AGENTS.md'];

/** Configuration, transcripts, workspace: the word in each. */
function marked(): string[] {
  return marks.map((path) => /"mark":"(\w+)"/.exec(readFileSync(join(lane.realHome, path), 'utf8'))?.[1] ?? 'none');
}

function mark(word: string): void {
  for (const path of marks) overwrite(join(lane.realHome, path), `{"mark":"${word}"}\n`);
}

async function talked(): Promise<void> {
  expect((await say(rig.bed, lane.lane, 'are you there?')).status).toBe(200);
}

function lacks(result: RestoreResult): string {
  return result.warnings.find((warning) => warning.startsWith('it restores no')) ?? '';
}

describe('an archive of the old scripts', () => {
  it('of tier A restores configuration and plist; the rest of the lane stays', async () => {
    await talked();
    mark('old');
    const name = await archived(lane, 'a');
    mark('new');
    const items = await itemsOf(rig, lane);
    const result = await restore(rig, lane, { archive: name });
    expect(result.messageAnswered).toBe(true);
    expect(result.plan?.sources.map(({ components }) => components)).toEqual([['config', 'plists']]);
    expect(lacks(result)).toContain('secrets, transcripts, workspace, logs');
    expect(marked()).toEqual(['old', 'new', 'new']);
    expect(await itemsOf(rig, lane)).toEqual(items);
  });

  it('of tier B, encrypted with gpg, restores every file and every turn of the conversation', async () => {
    mark('old');
    await talked();
    const before = pictureOf(lane);
    const name = encrypted(await archived(lane, 'b'), 'gpg');
    mark('new');
    const result = await restore(rig, lane, { archive: name });
    expect(result.messageAnswered).toBe(true);
    expect(lacks(result)).toContain('plists, secrets, logs');
    // bsdtar's own format keeps whole seconds
    const wholeSeconds = /mtimeNs: (\d+)\d{9} → \1(?:0{9})$/;
    expect(pictureDifferences(before, pictureOf(lane)).filter((line) => !wholeSeconds.test(line))).toEqual([]);
    expect(marked()).toEqual(['old', 'old', 'old']);
    // and back again
    expect((await restore(rig, lane, { undo: true })).messageAnswered).toBe(true);
    expect(marked()).toEqual(['new', 'new', 'new']);
  });

  it('of tier C, encrypted with openssl, is imported once, dated by its youngest file, and restores one component', async () => {
    mark('old');
    const name = encrypted(await archived(lane, 'c'), 'openssl');
    const madeMs = Date.now();
    mark('new');
    const [first, second] = [
      await (await startImport(rig.client, { lane: lane.lane, archive: name })).result(),
      await (await startImport(rig.client, { lane: lane.lane, archive: name })).result(),
    ];
    expect([first.already, second.already, second.bundle]).toEqual([false, true, first.bundle]);
    expect(Math.abs(Date.parse(first.capturedAt) - madeMs)).toBeLessThan(60_000);
    const result = await restore(rig, lane, { bundle: first.bundle, only: 'transcripts' });
    expect(result.messageAnswered).toBe(true);
    expect(marked()).toEqual(['new', 'old', 'new']);
  });
});

describe('refused by name, with nothing changed, is', () => {
  async function refused(archive: string): Promise<string> {
    const { code, changed } = await refusalOf(rig, lane, () => restore(rig, lane, { archive }));
    expect(changed).toEqual([]);
    return code;
  }

  it("another lane's, a cut one, a wrong passphrase, a missing and a hostile one", async () => {
    const [full, own] = [await archived(neighbour, 'b'), await archived(neighbour, 'c')];
    expect(await refused(own)).toBe('ArchiveForeign');
    expect(await refused(full)).toBe('ArchiveForeign');
    expect(await refused('openclaw-full-20200101.tar.gz')).toBe('ArchiveMissing');

    const whole = await archived(lane, 'b');
    copyFileSync(join(folder, whole), join(folder, 'openclaw-full-20200102.tar.gz'));
    truncateSync(join(folder, 'openclaw-full-20200102.tar.gz'), readFileSync(join(folder, whole)).length - 1000);
    expect(await refused('openclaw-full-20200102.tar.gz')).toBe('ArchiveDamaged');

    const secret = encrypted(whole, 'openssl');
    overwrite(join(rig.dir, 'keys/archives'), 'wrong');
    expect(await refused(secret)).toBe('ArchiveKeyWrong');
    overwrite(join(rig.dir, 'keys/archives'), passphrase);

    const tar = pack();
    tar.entry({ name: `Users/${lane.user}/.openclaw/config/../../../../etc/x` }, 'x');
    tar.finalize();
    writeFileSync(join(folder, 'openclaw-full-20200103.tar.gz'), gzipSync(await buffer(tar)));
    expect(await refused('openclaw-full-20200103.tar.gz')).toBe('ArchiveHostile');
  });

  it('one whose database was torn, before the gateway stops', async () => {
    const torn = mkdtempSync(join(rig.dir, 'torn-'));
    const name = await archived(lane, 'b');
    execFileSync('bsdtar', ['-xzf', join(folder, name), '-C', torn]);
    const database = join(torn, 'Users', lane.user, '.openclaw/transcripts/sessions.sqlite');
    const bytes = readFileSync(database);
    writeFileSync(database, bytes.fill(0x5a, 4096, Math.min(bytes.length, 40_960)));
    execFileSync('bsdtar', ['-czf', join(folder, 'openclaw-full-20200104.tar.gz'), '-C', torn, 'Users']);
    const { code, changed } = await refusalOf(rig, lane, () =>
      restore(rig, lane, { archive: 'openclaw-full-20200104.tar.gz' }),
    );
    expect(code).toBe('DatabaseDamaged');
    // its bundle is in the store, the lane is as it was
    expect(changed.filter((line) => !line.startsWith('store:'))).toEqual([]);
  });
});
