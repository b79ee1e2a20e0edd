// What the lane room promises on every kind of host: run over each kind of bed by the test files beside it.

import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaneTarget } from '../../../src/domain/lane-target.ts';
import { limits } from '../../../src/domain/limits.ts';
import { type Profile, profileOf } from '../../../src/domain/profile.ts';
import { appendBackupLog } from '../../../src/lane/backup-log.ts';
import { type Fence, takeFence } from '../../../src/lane/fence.ts';
import { checkHealth, sendTestMessage } from '../../../src/lane/gateway.ts';
import { countMixedFiles, reportMixedFiles } from '../../../src/lane/foreign-files.ts';
import { lookAtHost } from '../../../src/lane/host-look.ts';
import { HostPool } from '../../../src/lane/host-pool.ts';
import { readJournal, writeJournal } from '../../../src/lane/journal.ts';
import { createKeychain, deleteKeychain, keychainState, unlockKeychain } from '../../../src/lane/keychain.ts';
import { deleteItem, findItem, findItems, readItem, writeItem, writeItems } from '../../../src/lane/keychain-items.ts';
import { writeLaneFile } from '../../../src/lane/lane-files.ts';
import { LaneShell } from '../../../src/lane/lane-shell.ts';
import { laneProcesses, readJob, startJob, stopJob } from '../../../src/lane/launchd.ts';
import { listFiles, statFiles } from '../../../src/lane/listing.ts';
import {
  checkPlist,
  dropPlistBak,
  findPlist,
  installPlist,
  readPlist,
  restorePlist,
} from '../../../src/lane/plists.ts';
import { finishFiles, readRange, writeRange } from '../../../src/lane/ranges.ts';
import { copyDatabase } from '../../../src/lane/sqlite.ts';
import { requirePortFree, surveyLane } from '../../../src/lane/survey.ts';
import { packFiles, unpackFiles } from '../../../src/lane/tar.ts';
import { moveTree, pathsExist, treeSizes } from '../../../src/lane/trees.ts';
import { type Bed, type BedKind, bestBedKind, startBed } from '../../bed/bed.ts';
import { describeTree, makeOddTree } from '../../unit/lane/odd-tree.ts';

export function laneSuite(kind: BedKind): void {
  // namespaces want root
  const isPossible = kind !== 'namespaces' || bestBedKind() === kind;
  describe.runIf(isPossible)(`the lane room on a host of kind ${kind}`, () => {
    let bed: Bed;
    let pool: HostPool;
    let section = 1_780_000_000_000;
    const dir = mkdtempSync(join(tmpdir(), 'lane-suite-'));
    beforeAll(async () => {
      bed = await startBed({
        kind,
        dir,
        hosts: [
          { name: 'mac-1', lanes: 2 },
          { name: 'mac-2', lanes: 1, profile: 'openclaw-2026' },
        ],
      });
      pool = new HostPool(async () => ({ privateKey: bed.sshKey }));
    });
    afterAll(async () => {
      pool.close();
      await bed.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    function targetOf(name: string): LaneTarget {
      const lane = bed.lane(name);
      const { address, port, user, hostKey, root, tools } = bed.host(lane.host);
      const host = { name: lane.host, address, port, user, hostKey, root, tools };
      return {
        fleet: 'bed',
        lane: name,
        host,
        user: lane.user,
        home: lane.home,
        label: lane.label,
        domain: lane.domain,
        port: lane.port,
        profile: lane.profile,
        keychain: lane.keychain,
      };
    }
    async function shellOf(name: string, overrides: Partial<LaneTarget> = {}): Promise<LaneShell> {
      const target = { ...targetOf(name), ...overrides };
      return new LaneShell(await pool.lease(target.host), target);
    }
    const profile = (name: string): Profile => profileOf(bed.lane(name).profile) ?? expect.fail('no such profile');
    async function fenced(shell: LaneShell): Promise<Fence> {
      section += 1;
      const fence = { sectionStartMs: section, order: 1, attempt: 1 };
      await takeFence(shell, fence);
      return fence;
    }
    async function eventually(check: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
      const deadlineMs = performance.now() + withinMs;
      while (!(await check())) {
        if (performance.now() > deadlineMs) throw new Error('it has not come true in time');
        await sleep(100);
      }
    }
    /** A path of the host as this process sees it. */
    const seen = (name: string, path: string): string => {
      const host = bed.host(bed.lane(name).host);
      return path.startsWith(host.root) && host.root !== '/'
        ? host.realRoot + path.slice(host.root.length)
        : join(host.realRoot, path);
    };

    it('surveys a lane', async () => {
      const shell = await shellOf('lane-1');
      const survey = await surveyLane(shell, profile('lane-1'));
      expect(survey.openclawVersion).toMatch(/^20\d\d\.\d+\.\d+$/);
      expect(survey.sqliteVersion).toMatch(/^3\.\d+/);
      expect(survey.timeZone).toMatch(/^[A-Z]/);
      expect(Math.abs(survey.clockOffsetMs)).toBeLessThan(5000);
      expect(survey.homeFree.totalBytes).toBeGreaterThan(0);
      expect(statSync(bed.lane('lane-1').realHome).uid).toBe(survey.uid);
    });

    it('looks at all lanes of a host in one go', async () => {
      const lanes = ['lane-1', 'lane-2'].map((name) => ({ target: targetOf(name), profile: profile(name) }));
      const both = async () => lookAtHost(await shellOf('lane-1'), lanes, { countForeign: true });
      await eventually(async () => (await both()).lanes.every(({ healthy }) => healthy));
      const look = await both();
      expect(Math.abs(look.clockOffsetMs)).toBeLessThan(5000);
      for (const [at, lane] of look.lanes.entries()) {
        const { pid, runs } = await readJob(await shellOf(`lane-${at + 1}`));
        expect(lane).toMatchObject({ lane: `lane-${at + 1}`, disabled: false, held: false, pid, runs, foreign: [] });
        expect(lane.diskUsed).toBeGreaterThan(0);
        expect(lane.diskUsed).toBeLessThanOrEqual(100);
      }
      const uncounted = await lookAtHost(await shellOf('lane-1'), lanes, { countForeign: false });
      expect(uncounted.lanes.map(({ foreign }) => foreign)).toEqual([null, null]);
    });

    it("counts files in a lane's trees that are another lane's, and names them in the report alone", async () => {
      const [one, other] = [bed.lane('lane-1'), bed.lane('lane-2')];
      const stray = join(one.realHome, 'workspace', `${other.user} and more.txt`);
      const alike = join(one.realHome, 'workspace', `${other.user}0.txt`);
      for (const path of [stray, alike]) writeFileSync(path, '');
      const { uid, gid } = statSync(other.realHome);
      const isReal = kind === 'namespaces';
      if (isReal) chownSync(stray, uid, gid);
      const shell = await shellOf('lane-1');
      const options = { others: [other.user], seconds: 20, signal: new AbortController().signal };
      const count = await countMixedFiles(shell, profile('lane-1'), options);
      // where all lanes are one user to the system, none of them owns what is another's, or is called like one
      expect(count).toEqual({ owned: isReal ? 1 : 0, named: isReal ? 1 : 0, partly: false });
      const look = await lookAtHost(
        shell,
        [one, other].map(({ lane }) => ({ target: targetOf(lane), profile: profile(lane) })),
        {
          countForeign: true,
        },
      );
      expect(look.lanes.map(({ foreign }) => foreign)).toEqual([isReal ? [{ lane: 'lane-2', count: 1 }] : [], []]);
      if (isReal) {
        await reportMixedFiles(shell, profile('lane-1'), options);
        const report = readFileSync(join(one.realHome, '.clawback/report'), 'utf8');
        expect(report).toMatch(/of another lane\n[^\n]*and more\.txt\n$/);
      }
      for (const path of [stray, alike]) rmSync(path);
    });

    it('tells a missing account, home, tool and sudo rule', async () => {
      await expect(
        surveyLane(await shellOf('lane-1', { user: 'agent-lane-99' }), profile('lane-1')),
      ).rejects.toMatchObject({ code: 'LaneUserMissing' });
      await expect(
        surveyLane(await shellOf('lane-1', { home: `${bed.lane('lane-1').home}-not` }), profile('lane-1')),
      ).rejects.toMatchObject({ code: 'LaneUserMissing' });
      const target = targetOf('lane-1');
      const host = { ...target.host, tools: { ...target.host.tools, sqlite3: '/no/such/sqlite3' } };
      await expect(surveyLane(await shellOf('lane-1', { host }), profile('lane-1'))).rejects.toMatchObject({
        code: 'ToolMissing',
        context: { tool: 'sqlite3' },
      });
      for (const account of target.host.user === 'root' ? [target.user] : [target.user, 'root']) {
        bed.host('mac-1').setSudo(account, false);
        await expect(surveyLane(await shellOf('lane-1'), profile('lane-1'))).rejects.toMatchObject({
          code: 'SudoRefused',
        });
        bed.host('mac-1').setSudo(account, true);
      }
    });

    describe.each([
      ['lane-1', 'legacy'],
      ['lane-3', 'modern'],
    ] as const)('launchd, %s with %s verbs', (name, verbs) => {
      it('stops the gateway for good and starts it again, however often it is asked', async () => {
        const shell = await shellOf(name);
        const fence = await fenced(shell);
        const plistPath = (await findPlist(shell, profile(name))) ?? expect.fail('no plist');
        expect(plistPath).toBe(bed.lane(name).plist);
        await eventually(async () => checkHealth(shell, profile(name)));
        const before = await readJob(shell);
        expect(before).toMatchObject({ loaded: true, state: 'running', disabled: false, plistPath });
        expect((await laneProcesses(shell)).map(({ pid }) => pid)).toContain(before.pid);
        await expect(requirePortFree(shell)).rejects.toMatchObject({ code: 'PortTaken' });
        await stopJob(shell, { fence, verbs });
        await stopJob(shell, { fence, verbs });
        expect(await readJob(shell)).toEqual({ loaded: false, disabled: true });
        expect(await laneProcesses(shell)).toEqual([]);
        expect(await checkHealth(shell, profile(name))).toBe(false);
        await requirePortFree(shell);
        const answers = (): Promise<boolean> => checkHealth(shell, profile(name));
        await startJob(shell, { fence, verbs, plistPath, answers });
        expect(await answers()).toBe(true);
        const after = await readJob(shell);
        expect(after).toMatchObject({ loaded: true, state: 'running', disabled: false });
        await startJob(shell, { fence, verbs, plistPath });
        expect((await readJob(shell)).pid).toBe(after.pid);
      });

      it('leaves a stopped job down over a reboot, and says when a gateway only exits', async () => {
        const shell = await shellOf(name);
        const plistPath = bed.lane(name).plist;
        await stopJob(shell, { verbs, fence: await fenced(shell) });
        await bed.host(bed.lane(name).host).reboot();
        const again = await shellOf(name);
        expect(await readJob(again)).toEqual({ loaded: false, disabled: true });
        const fence = await fenced(again);
        const config = join(
          bed.lane(name).realHome,
          profile(name).id === 'slimvps-legacy' ? '.openclaw/config/openclaw.json' : '.openclaw/openclaw.json',
        );
        const good = readFileSync(config);
        writeFileSync(config, '{ broken');
        const answers = (): Promise<boolean> => checkHealth(again, profile(name));
        await expect(startJob(again, { fence, verbs, plistPath, answers })).rejects.toMatchObject({
          code: 'GatewayWouldNotStart',
          context: { exitStatus: 78 },
        });
        await stopJob(again, { fence, verbs });
        writeFileSync(config, good);
        await startJob(again, { fence, verbs, plistPath });
        await unlockKeychain(again, bed.lane(name).keychainPassword);
        await eventually(async () => checkHealth(again, profile(name)));
      }, 90_000);
    });

    it('tells a launchd domain that is not there now', async () => {
      const shell = await shellOf('lane-3', { domain: 'gui/4242' });
      await expect(readJob(shell)).rejects.toMatchObject({ code: 'LaunchdDomainMissing' });
    });

    it('gives up on a plist that does not load', async () => {
      const shell = await shellOf('lane-2', { label: 'com.slimvps.openclaw-none' });
      await expect(
        startJob(shell, { verbs: 'modern', plistPath: `${bed.lane('lane-2').plist}.none`, withinMs: 2000 }),
      ).rejects.toMatchObject({ code: 'LaunchdFailed' });
    });

    describe('the keychain', () => {
      const item = (service: string) => ({ service, account: 'openclaw' });
      const values: readonly [string, Buffer][] = [
        ['plain', Buffer.from('sk-0123456789abcdef')],
        ['like hex', Buffer.from('deadbeef')],
        ['like printed hex', Buffer.from('0x41 "A"')],
        ['quotes "and\' \\ backslash', Buffer.from('a"b\'c\\d $(id) `x` # ;')],
        ['leading dash', Buffer.from('-w')],
        ['blanks', Buffer.from('  a  ')],
        ['ümläut', Buffer.from('pässwörd \u{1F980}')],
        ['lines', Buffer.from('-----BEGIN KEY-----\nabc\n-----END KEY-----\n')],
        ['binary', Buffer.from([0, 1, 2, 255, 254, 10, 13, 92, 34])],
        ['empty', Buffer.alloc(0)],
        ['long', Buffer.alloc(3000, 'x')],
      ];

      it('is unlocked with its password, and locked after a reboot', async () => {
        await bed.host('mac-1').reboot();
        const shell = await shellOf('lane-2');
        const { secrets, keychainPassword } = bed.lane('lane-2');
        expect(await keychainState(shell)).toBe('locked');
        await expect(readItem(shell, secrets[0] ?? expect.fail())).rejects.toMatchObject({ code: 'KeychainLocked' });
        await expect(unlockKeychain(shell, 'wrong')).rejects.toMatchObject({ code: 'KeychainPasswordWrong' });
        await expect(unlockKeychain(shell, 'with\nnewline')).rejects.toMatchObject({ code: 'KeychainPasswordWrong' });
        await unlockKeychain(shell, keychainPassword);
        await unlockKeychain(shell, keychainPassword);
        expect(await keychainState(shell)).toBe('unlocked');
        await unlockKeychain(await shellOf('lane-1'), bed.lane('lane-1').keychainPassword);
      });

      it("holds the lane's items, byte for byte", async () => {
        const shell = await shellOf('lane-2');
        for (const secret of bed.lane('lane-2').secrets)
          expect(await readItem(shell, secret)).toEqual(bed.lane('lane-2').values[secret.service]);
      });

      it.each(values)('takes and gives a value: %s', async (service, value) => {
        const shell = await shellOf('lane-2');
        const fence = await fenced(shell);
        await writeItem(shell, item(service), Buffer.from('an older value'), { fence });
        await writeItem(shell, item(service), value, { fence });
        expect(await readItem(shell, item(service))).toEqual(value);
        expect(await deleteItem(shell, item(service), { fence })).toBe(true);
        expect(await deleteItem(shell, item(service), { fence })).toBe(false);
        expect(await findItem(shell, item(service))).toBeUndefined();
      });

      it('takes and gives several at once, each as it is, and tells which are not there', async () => {
        const shell = await shellOf('lane-2');
        const fence = await fenced(shell);
        const several = values.map(([name, value]) => ({ item: item(`several ${name}`), value }));
        await writeItems(shell, several, { fence });
        const asked = [item('nobody wrote this'), ...several.map((one) => one.item)];
        expect(await findItems(shell, asked)).toEqual([undefined, ...several.map(({ value }) => value)]);
        for (const one of several) await deleteItem(shell, one.item, { fence });
        expect(await findItems(shell, asked)).toEqual(asked.map(() => undefined));
      });

      it('writes none of several where the keychain is gone or the fence is lost', async () => {
        const shell = await shellOf('lane-2');
        const value = Buffer.from('never written');
        const gone = new LaneShell(shell.connection, { ...shell.target, keychain: `${shell.target.keychain}.none` });
        await expect(writeItems(gone, [{ item: item('x'), value }])).rejects.toMatchObject({ code: 'KeychainMissing' });
        const lost = { sectionStartMs: 1, order: 1, attempt: 1 };
        await fenced(shell);
        await expect(writeItems(shell, [{ item: item('x'), value }], { fence: lost })).rejects.toMatchObject({
          code: 'FenceLost',
        });
        expect(await findItem(shell, item('x'))).toBeUndefined();
      });

      it('is made for a while, open, and goes with what it holds', async () => {
        const shell = await shellOf('lane-2');
        const keychain = `${shell.target.home}/.clawback/s.keychain-db`;
        const inside = new LaneShell(shell.connection, { ...shell.target, keychain });
        const fence = await fenced(shell);
        for (const password of ['0a1b2c', '3d4e5f']) await createKeychain(inside, password, { fence });
        await writeItem(inside, item('tried'), Buffer.from('a value'), { fence });
        expect(await readItem(inside, item('tried'))).toEqual(Buffer.from('a value'));
        expect(await findItem(shell, item('tried'))).toBeUndefined();
        await inside.run([inside.tool('security'), 'lock-keychain', keychain]);
        for (const _ of [1, 2]) await deleteKeychain(inside, { fence });
        expect(await keychainState(inside)).toBe('missing');
      });

      it('tells items that are missing or could not be written back', async () => {
        const shell = await shellOf('lane-2');
        await expect(readItem(shell, item('none'))).rejects.toMatchObject({ code: 'KeychainItemMissing' });
        await expect(writeItem(shell, item('x'), Buffer.alloc(5000, 'x'))).rejects.toMatchObject({
          code: 'KeychainItemUnusable',
        });
        await expect(writeItem(shell, item('new\nline'), Buffer.from('x'))).rejects.toMatchObject({
          code: 'KeychainItemUnusable',
        });
        await expect(readItem(shell, item('new\nline'))).rejects.toMatchObject({ code: 'KeychainItemUnusable' });
        // put there by another program, longer than a line of ours could carry back
        await shell.run([
          shell.tool('security'),
          'add-generic-password',
          '-U',
          '-s',
          'too-long',
          '-a',
          'openclaw',
          '-w',
          'y'.repeat(9000),
          bed.lane('lane-2').keychain,
        ]);
        await expect(readItem(shell, item('too-long'))).rejects.toMatchObject({ code: 'KeychainItemUnusable' });
        expect(await deleteItem(shell, item('too-long'))).toBe(true);
      });

      it('is told when it is missing', async () => {
        const shell = await shellOf('lane-2', { keychain: `${bed.lane('lane-2').home}/none.keychain-db` });
        expect(await keychainState(shell)).toBe('missing');
        await expect(unlockKeychain(shell, 'x')).rejects.toMatchObject({ code: 'KeychainMissing' });
        await expect(readItem(shell, item('x'))).rejects.toMatchObject({ code: 'KeychainMissing' });
      });

      it('is not changed under a lost fence', async () => {
        const shell = await shellOf('lane-2');
        const lost = await fenced(shell);
        await fenced(shell);
        await expect(writeItem(shell, item('fenced'), Buffer.from('x'), { fence: lost })).rejects.toMatchObject({
          code: 'FenceLost',
        });
        expect(await findItem(shell, item('fenced'))).toBeUndefined();
      });

      it('shows no value in a failure', async () => {
        const shell = await shellOf('lane-2');
        const failures = await Promise.allSettled([
          writeItem(shell, item('s'), Buffer.alloc(5000, 'canary')),
          unlockKeychain(shell, 'canary-password'),
        ]);
        for (const failure of failures)
          expect(JSON.stringify(failure) + String((failure as PromiseRejectedResult).reason.stack)).not.toContain(
            'canary',
          );
      });
    });

    it.each(['lane-1', 'lane-3'])('sends a message to %s, which only the token lets through', async (name) => {
      const shell = await shellOf(name);
      await unlockKeychain(shell, bed.lane(name).keychainPassword);
      await eventually(async () => checkHealth(shell, profile(name)));
      const token = (await readItem(shell, bed.lane(name).messageToken)).toString();
      expect(await sendTestMessage(shell, profile(name), token)).toEqual({ answered: true, httpStatus: 200 });
      expect(await sendTestMessage(shell, profile(name), 'wrong')).toEqual({ answered: false, httpStatus: 401 });
      expect(await checkHealth(shell, profile(name))).toBe(true);
    });

    it('carries an odd tree from one lane to another, identical', async () => {
      const from = await shellOf('lane-1');
      const to = await shellOf('lane-2');
      const fence = await fenced(to);
      const source = join(bed.lane('lane-1').realHome, 'odd');
      await from.script('mkdir "$1"', [`${from.target.home}/odd`]);
      makeOddTree(source, kind === 'namespaces' ? String(statSync(bed.lane('lane-1').realHome).uid) : undefined);
      const [files, folders]: [Buffer[], Buffer[]] = [[], []];
      for await (const { path, type } of listFiles(from, { base: from.target.home, paths: ['odd'] }))
        (type === 'directory' ? folders : files).push(path);
      for (const [list, names] of [
        ['files', files],
        ['folders', folders],
      ] as const) {
        await writeLaneFile(from, `lists/${list}`, Buffer.concat(names.flatMap((name) => [name, Buffer.from([0])])));
        const pack = await packFiles(from, { base: from.target.home, listPath: from.clawbackPath(`lists/${list}`) });
        const unpack = await unpackFiles(to, { base: `${to.target.home}/staged`, fence });
        await pipeline(pack.stdout, unpack.stdin);
        expect(await pack.finished).toEqual({ missing: 0 });
        await unpack.finished;
      }
      expect(describeTree(join(bed.lane('lane-2').realHome, 'staged/odd'))).toEqual(describeTree(source));
      const entries = await statFiles(from, { base: from.target.home, listPath: from.clawbackPath('lists/files') });
      expect(entries.map(({ path }) => path)).toEqual(files);
      const [size = 0] = await treeSizes(to, [`${to.target.home}/staged`]);
      expect(size).toBeGreaterThan(0);
      await moveTree(to, `${to.target.home}/staged`, `${to.target.home}/odd`, { fence });
      expect(await pathsExist(to, [`${to.target.home}/staged`, `${to.target.home}/odd`])).toEqual([false, true]);
    });

    it('carries a file in pieces', async () => {
      const shell = await shellOf('lane-1');
      const fence = await fenced(shell);
      const path = Buffer.from([0x70, 0xff, 0x0a, 0x27]);
      const target = Buffer.concat([Buffer.from('pieces/'), path]);
      const content = Buffer.alloc(2_500_000, 'abcdefg');
      const write = await writeRange(shell, { base: shell.target.home, path: target, offset: 0, fence });
      await pipeline(Readable.from([content]), write.stdin);
      await write.finished;
      await finishFiles(shell, {
        base: shell.target.home,
        files: [{ path: target, sizeBytes: content.length, mode: 0o640, mtimeNs: 1_700_000_000_000_000_001n }],
        fence,
      });
      const read = await readRange(shell, { base: shell.target.home, path: target, offset: 1_048_577, length: 1000 });
      const chunks: Buffer[] = [];
      for await (const chunk of read.stdout) chunks.push(chunk as Buffer);
      expect(await read.finished).toEqual({ missing: false });
      expect(Buffer.concat(chunks)).toEqual(content.subarray(1_048_577, 1_049_577));
    });

    it("copies the gateway's database while it runs", async () => {
      const shell = await shellOf('lane-1');
      const from = `${shell.target.home}/.openclaw/transcripts/sessions.sqlite`;
      expect(
        await copyDatabase(shell, {
          from,
          to: shell.clawbackPath('copies/sessions.sqlite'),
          fence: await fenced(shell),
        }),
      ).toBe(true);
      expect(
        readFileSync(join(bed.lane('lane-1').realHome, '.clawback/copies/sessions.sqlite'))
          .subarray(0, 15)
          .toString(),
      ).toBe('SQLite format 3');
    });

    it('installs a plist as root, keeps the old one, and puts it back', async () => {
      const shell = await shellOf('lane-1');
      const fence = await fenced(shell);
      const path = `/Library/LaunchDaemons/${shell.target.label}.plist`;
      const real = seen('lane-1', bed.lane('lane-1').plist);
      const before = readFileSync(real);
      checkPlist(shell, profile('lane-1'), before);
      expect(await readPlist(shell, bed.lane('lane-1').plist)).toMatchObject({ Label: shell.target.label });
      const content = Buffer.from(
        before.toString().replace('</dict>', '<key>Comment</key><string>é new</string></dict>'),
      );
      const request = { path, bak: `${path}.bak.1780000000`, fence };
      await installPlist(shell, { ...request, content });
      await installPlist(shell, { ...request, content });
      expect(readFileSync(real).equals(content)).toBe(true);
      expect(readFileSync(`${real}.bak.1780000000`).equals(before)).toBe(true);
      expect(statSync(real).mode & 0o777).toBe(0o644);
      if (kind === 'namespaces') expect([statSync(real).uid, statSync(real).gid]).toEqual([0, 0]);
      await restorePlist(shell, request);
      await restorePlist(shell, request);
      expect(readFileSync(real).equals(before)).toBe(true);
      expect([existsSync(`${real}.bak.1780000000`), existsSync(`${real}.new`)]).toEqual([false, false]);
      const other = { path: path.replace('.plist', '-x.plist'), bak: undefined, fence };
      await installPlist(shell, { ...other, content });
      await restorePlist(shell, other);
      expect(existsSync(real.replace('.plist', '-x.plist'))).toBe(false);
      await installPlist(shell, { ...request, content });
      await installPlist(shell, { path, bak: undefined, content: before, fence });
      await dropPlistBak(shell, { bak: request.bak, fence });
      expect(existsSync(`${real}.bak.1780000000`)).toBe(false);
      for (const bad of [
        '/etc/x.plist',
        '/Library/LaunchDaemons/../x.plist',
        '/Library/LaunchDaemons/sub/x.plist',
        '/Library/LaunchDaemons/x',
      ]) {
        await expect(installPlist(shell, { path: bad, bak: undefined, content })).rejects.toMatchObject({
          code: 'PlistInvalid',
        });
      }
      await expect(dropPlistBak(shell, { bak: path })).rejects.toMatchObject({ code: 'PlistInvalid' });
    });

    it("appends to the node's backup log", async () => {
      const shell = await shellOf('lane-1');
      await appendBackupLog(shell, "lane=lane-1 note='quoted $(id)'");
      await appendBackupLog(shell, 'second');
      const log = readFileSync(seen('lane-1', '/var/log/openclaw-backup.log'), 'utf8');
      expect(log.endsWith("lane=lane-1 note='quoted $(id)'\nsecond\n")).toBe(true);
      await expect(appendBackupLog(shell, 'two\nlines')).rejects.toMatchObject({ code: 'InvalidInput' });
    });

    it('ends what an earlier attempt left running after its connection was cut', async () => {
      const shell = await shellOf('lane-1');
      const fence = await fenced(shell);
      const log = `${shell.target.home}/zombie`;
      const real = join(bed.lane('lane-1').realHome, 'zombie');
      const process = await shell.spawnScript('while :; do echo x >>"$1" 2>/dev/null; sleep 0.05; done', [log], {
        fence,
      });
      process.stdout.resume();
      await eventually(async () => existsSync(real));
      await bed.host('mac-1').killSshd();
      await expect(process.exited).rejects.toMatchObject({ code: 'HostConnectionLost' });
      await bed.host('mac-1').startSshd();
      const again = await shellOf('lane-1');
      await fenced(again);
      const size = statSync(real).size;
      await sleep(400);
      expect(statSync(real).size).toBe(size);
    });

    it("keeps one lane's fences from another's commands", async () => {
      const one = await shellOf('lane-1');
      const two = await shellOf('lane-2');
      const fence = await fenced(two);
      const running = two.script('sleep 1; echo done', [], { fence });
      await sleep(300);
      await fenced(one);
      expect((await running).stdout.toString()).toBe('done\n');
    });

    it('keeps a journal over a reboot', async () => {
      const shell = await shellOf('lane-2');
      const fence = await fenced(shell);
      await writeJournal(shell, { run: 'r-1' }, { fence });
      await bed.host('mac-1').reboot();
      expect(await readJournal(await shellOf('lane-2'))).toEqual({ run: 'r-1' });
    });

    it('notices a host that hangs', async () => {
      const shell = await shellOf('lane-3');
      const process = await shell.spawn(['/bin/sleep', '60']);
      process.stdout.resume();
      bed.host('mac-2').pauseSshd();
      const startedAtMs = performance.now();
      await expect(process.exited).rejects.toMatchObject({ code: 'HostConnectionLost' });
      expect(performance.now() - startedAtMs).toBeLessThan(limits.keepAliveIntervalMs * (limits.keepAliveCount + 3));
      bed.host('mac-2').resumeSshd();
      expect((await (await shellOf('lane-3')).run(['/bin/echo', 'back'])).stdout.toString()).toBe('back\n');
    });
  });
}
