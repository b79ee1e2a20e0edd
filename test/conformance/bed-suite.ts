// What every kind of bed promises; run over each kind by the test files beside it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bed, type BedKind, type BedOptions, startBed } from '../bed/bed.ts';
import { eventually, health, runOnHost, say } from '../bed/bed-shell.ts';
import { markedWith } from '../bed/processes.ts';

export function bedSuite(kind: BedKind, without: NonNullable<BedOptions['without']> = []): void {
  describe(`a bed of kind ${kind}${without.length > 0 ? ` without ${without.join(', ')}` : ''}`, () => {
    let bed: Bed;
    const dir = mkdtempSync(join(tmpdir(), 'bed-suite-'));
    beforeAll(async () => {
      bed = await startBed({
        kind,
        dir,
        without,
        hosts: [
          { name: 'mac-1', lanes: 2 },
          { name: 'mac-2', lanes: 1, profile: 'openclaw-2026' },
        ],
      });
    });
    afterAll(async () => {
      await bed.stop();
      rmSync(dir, { recursive: true, force: true });
    });
    const on = (command: string, stdin = '', name = 'mac-1') => runOnHost(bed, bed.host(name), command, stdin);
    const tool = (name: string): string =>
      bed.host('mac-1').tools[name] ??
      {
        launchctl: '/bin/launchctl',
        sudo: '/usr/bin/sudo',
        security: '/usr/bin/security',
        pgrep: '/usr/bin/pgrep',
        tar: '/usr/bin/tar',
      }[name] ??
      name;

    it("answers a message in every lane, with the Keychain's token only", async () => {
      for (const { lane } of bed.lanes) {
        await eventually(async () => (await health(bed, lane)) === 200);
        expect(await say(bed, lane, 'hello')).toMatchObject({ status: 200, body: expect.stringContaining('turn 1') });
        expect(await say(bed, lane, 'hello', 'wrong')).toMatchObject({ status: 401 });
        expect(await health(bed, lane)).toBe(200);
      }
    });

    it("gives a command the environment of a Mac's SSH session, and its exit status", async () => {
      const result = await on('printf "%s\\n" "$HOME" "$PATH"; exit 7');
      expect(result.status).toBe(7);
      expect(result.stdout.split('\n')[0]).toBe(
        kind === 'namespaces' ? '/Users/bedadmin' : join(bed.host('mac-1').root, 'Users', bed.host('mac-1').user),
      );
      expect(result.stdout).toMatch(/\/usr\/bin:\/bin:\/usr\/sbin:\/sbin\n$/);
    });

    it("lets the login act as a lane, with the lane's home only under -H", async () => {
      const lane = bed.lane('lane-1');
      const withHome = await on(`${tool('sudo')} -n -H -u ${lane.user} /bin/sh -c 'echo $HOME; ls -a ~/.openclaw'`);
      expect(withHome.stdout).toContain(`${lane.home}\n`);
      expect(withHome.stdout).toContain('config\n');
      const kept = await on(`${tool('sudo')} -n -u ${lane.user} /bin/sh -c 'echo $HOME'`);
      expect(kept.stdout).not.toContain(lane.home);
      expect(await on(`${tool('sudo')} -n -u nobody-here true`)).toMatchObject({ status: 1 });
    });

    it('lets root do only what the sudoers file names', async () => {
      const { root } = bed.host('mac-1');
      const below = (path: string): string => (root === '/' ? path : root + path);
      expect(await on(`${tool('sudo')} -n ${tool('launchctl')} print-disabled system`)).toMatchObject({ status: 0 });
      expect(
        await on(`${tool('sudo')} -n /usr/bin/tee -a ${below('/var/log/openclaw-backup.log')}`, 'a line\n'),
      ).toMatchObject({ status: 0 });
      expect((await on(`cat ${below('/var/log/openclaw-backup.log')}`)).stdout).toBe('a line\n');
      expect(await on(`${tool('sudo')} -n /bin/sh -c true`)).toMatchObject({ status: 1 });
      expect(await on(`${tool('sudo')} -n /usr/bin/tee -a ${below('/etc/passwd')}`)).toMatchObject({ status: 1 });
    });

    it('lets root place, move and remove plists of LaunchDaemons, and nothing else', async () => {
      const { root } = bed.host('mac-1');
      const daemons = `${root === '/' ? '' : root}/Library/LaunchDaemons`;
      const asRoot = async (command: string): Promise<number | undefined> =>
        (await on(`${tool('sudo')} -n -- ${command}`)).status;
      const folder = (
        await on('folder=$(mktemp -d /tmp/clawback-plist.XXXXXX) && echo text > "$folder/plist" && echo "$folder"')
      ).stdout.trim();
      expect(await asRoot(`/usr/bin/install -o 0 -g 0 -m 0644 ${folder}/plist ${daemons}/com.new.plist.new`)).toBe(0);
      expect((await on(`ls -ln ${daemons}/com.new.plist.new`)).stdout).toMatch(
        kind === 'namespaces' ? /^-rw-r--r-- 1 0 0 / : /^-rw-r--r--/,
      );
      expect(await asRoot(`/bin/mv -f ${daemons}/com.new.plist.new ${daemons}/com.new.plist`)).toBe(0);
      expect((await on(`cat ${daemons}/com.new.plist`)).stdout).toBe('text\n');
      expect(await asRoot(`/bin/mv -f ${daemons}/com.new.plist ${daemons}/../out.plist`)).toBe(1);
      expect(await asRoot(`/bin/rm -f ${daemons}/sub/com.new.plist`)).toBe(1);
      expect(await asRoot(`/bin/rm -f ${folder}/plist ${daemons}/com.new.plist`)).toBe(1);
      expect(await asRoot(`/bin/rm -rf ${daemons}`)).toBe(1);
      expect(await asRoot(`/usr/bin/install -o 0 -g 0 -m 4755 ${folder}/plist ${daemons}/com.new.plist.new`)).toBe(1);
      expect(await asRoot(`/bin/rm -f ${daemons}/com.new.plist`)).toBe(0);
      await on(`rm -rf ${folder}`);
    });

    it('takes a sudo rule away and gives it back', async () => {
      const host = bed.host('mac-1');
      host.setSudo('agent-lane-2', false);
      expect(await on(`${tool('sudo')} -n -u agent-lane-2 true`)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('password'),
      });
      expect(await on(`${tool('sudo')} -n -u agent-lane-1 true`)).toMatchObject({ status: 0 });
      host.setSudo('agent-lane-2', true);
      expect(await on(`${tool('sudo')} -n -u agent-lane-2 true`)).toMatchObject({ status: 0 });
    });

    it('has stand-ins that say so', async () => {
      // in its namespaces the machine's own sudo harms nobody
      const sudo = kind === 'namespaces' ? [] : ['sudo'];
      for (const name of ['launchctl', 'security', 'tar', ...sudo]) {
        expect(await on(`${tool(name)} --clawback-stand-in`)).toMatchObject({
          status: 0,
          stdout: `clawback-bed ${name}\n`,
        });
      }
    });

    it("shows a lane's gateway to pgrep, and no other lane's", async () => {
      const found = await on(
        `${tool('sudo')} -n -H -u agent-lane-1 ${tool('pgrep')} -u agent-lane-1 -f '[o]penclaw.*gateway'`,
      );
      expect(found.stdout).toMatch(/^\d+\n$/);
      expect((await on(`${tool('ps')} -ww -o args= -p ${found.stdout.trim()}`)).stdout).toMatch(
        /^openclaw gateway run --port \d+/,
      );
      const printed = await on(`${tool('launchctl')} print system/${bed.lane('lane-1').label}`);
      expect(printed.stdout).toContain(`\tpid = ${found.stdout}`);
    });

    it('stops a lane for good with disable and bootout, and starts it with enable and bootstrap', async () => {
      const { label, plist, lane } = bed.lane('lane-1');
      const root = (words: string) => on(`${tool('sudo')} -n ${tool('launchctl')} ${words}`);
      expect(await root(`disable system/${label}`)).toMatchObject({ status: 0 });
      expect(await root(`bootout system/${label}`)).toMatchObject({ status: 0 });
      await eventually(async () => (await on(`${tool('launchctl')} print system/${label}`)).status === 113);
      expect(await health(bed, lane)).toBe(0);
      expect(await root(`bootstrap system ${plist}`)).toMatchObject({ status: 119 });
      expect(await root(`enable system/${label}`)).toMatchObject({ status: 0 });
      await eventually(async () => (await root(`bootstrap system ${plist}`)).status === 0);
      await eventually(async () => (await health(bed, lane)) === 200);
    });

    it('has a gui domain for a user at the console, and only then', async () => {
      const asked = (): Promise<{ status: number | undefined }> => on(`${tool('launchctl')} print gui/777`);
      expect(await asked()).toMatchObject({ status: 125 });
      await bed.host('mac-1').setConsoleUser(777);
      expect(await asked()).toMatchObject({ status: 0 });
    });

    it('reads and writes the Keychain as the lane, over stdin', async () => {
      const { user, keychain, values } = bed.lane('lane-1');
      const security = (line: string) => on(`${tool('sudo')} -n -H -u ${user} ${tool('security')} -i`, `${line}\n`);
      expect((await security(`find-generic-password -g -s openclaw-provider -a ${user} "${keychain}"`)).stderr).toBe(
        `password: "${values['openclaw-provider']?.toString()}"\n`,
      );
      expect(await security(`find-generic-password -s nothing "${keychain}"`)).toMatchObject({ status: 44 });
      // a closing quote ends the word: the rest is taken for the keychain
      expect(await security(`add-generic-password -U -s probe -a me -w 'it''s' "${keychain}"`)).toMatchObject({
        status: 50,
      });
      expect(await security(`add-generic-password -U -s probe -a me -w 'it\\'s' "${keychain}"`)).toMatchObject({
        status: 0,
      });
      expect((await security(`find-generic-password -w -s probe -a me "${keychain}"`)).stdout).toBe("it's\n");
    });

    it('loses its power, and boots with the same disk, key and disabled jobs, its keychains locked', async () => {
      const host = bed.host('mac-1');
      const { label, keychain, keychainPassword, user } = bed.lane('lane-2');
      await on(`${tool('sudo')} -n ${tool('launchctl')} disable system/${label}`);
      await eventually(async () => (await health(bed, 'lane-1')) === 200);
      const turns = Number(/turn (\d+)/.exec((await say(bed, 'lane-1', 'before')).body)?.[1]);
      await host.kill();
      await expect(on('true')).rejects.toThrow(/ECONNREFUSED|reset|closed/i);
      await host.boot();
      await eventually(async () => (await health(bed, 'lane-1')) === 200);
      expect(await on(`${tool('launchctl')} print system/${label}`)).toMatchObject({ status: 113 });
      expect(await say(bed, 'lane-1', 'still locked')).toMatchObject({ status: 401 });
      const asLane = (lane: string, line: string) =>
        on(`${tool('sudo')} -n -H -u ${lane} ${tool('security')} -i`, `${line}\n`);
      expect(await asLane(user, `unlock-keychain -p wrong "${keychain}"`)).toMatchObject({ status: 51 });
      expect(await asLane(user, `unlock-keychain -p ${keychainPassword} "${keychain}"`)).toMatchObject({ status: 0 });
      const first = bed.lane('lane-1');
      await asLane(first.user, `unlock-keychain -p ${first.keychainPassword} "${first.keychain}"`);
      expect(await say(bed, 'lane-1', 'open again')).toMatchObject({
        status: 200,
        body: expect.stringContaining(`turn ${turns + 1} `),
      });
    });

    it('hangs while sshd is paused and goes on when it is resumed', async () => {
      const host = bed.host('mac-2');
      host.pauseSshd();
      const answered = on('echo alive', '', 'mac-2');
      const first = await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 400, 'hanging'))]);
      expect(first).toBe('hanging');
      host.resumeSshd();
      expect(await answered).toMatchObject({ status: 0, stdout: 'alive\n' });
    });

    it('loses its sessions with sshd, not its gateways', async () => {
      const host = bed.host('mac-2');
      const cut = on('sleep 30', '', 'mac-2');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await host.killSshd();
      expect((await cut).status).toBeUndefined();
      await host.startSshd();
      expect(await health(bed, 'lane-3')).toBe(200);
    });

    it('copies a database in use, packs files and tells versions, with what it has', async () => {
      const { user, home } = bed.lane('lane-1');
      const as = (command: string, stdin = '') => on(`${tool('sudo')} -n -H -u ${user} ${command}`, stdin);
      const database = `${home}/.openclaw/transcripts/sessions.sqlite`;
      expect(
        await as(
          `${tool('sqlite3')} -batch -init /dev/null -bail -readonly ${database}`,
          `.timeout 5000\nBEGIN;\nSELECT 1 FROM sqlite_master LIMIT 1;\n.backup ${home}/copy\nCOMMIT;\n`,
        ),
      ).toMatchObject({ status: 0, stdout: '1\n', stderr: '' });
      expect(await as(`${tool('sqlite3')} ${home}/copy 'PRAGMA quick_check(1)'`)).toMatchObject({
        status: 0,
        stdout: 'ok\n',
      });
      expect(await as(`${tool('sqlite3')} ${home}/none/at/all 'SELECT 1'`)).not.toMatchObject({ status: 0 });
      expect((await as(`${tool('tar')} -cf - -C ${home} .openclaw/version | ${tool('tar')} -tf -`)).stdout).toBe(
        '.openclaw/version\n',
      );
      expect(
        (await as(`${bed.host('mac-1').root === '/' ? '' : bed.host('mac-1').root}/usr/local/bin/openclaw --version`))
          .stdout,
      ).toBe('OpenClaw 2025.11.3 (bed)\n');
      expect((await as(`${tool('ps')} -o args= -p 1`)).status).toBe(0);
    });

    it('leaves no process behind when it is stopped', async () => {
      const other = mkdtempSync(join(tmpdir(), 'bed-gone-'));
      const short = await startBed({ kind, dir: other, without, hosts: [{ name: 'gone', lanes: 1 }] });
      const pid = (
        await runOnHost(short, short.host('gone'), 'sleep 600 >/dev/null 2>&1 & echo "$BED_HOST"')
      ).stdout.trim();
      expect(markedWith(`BED_HOST=${pid}`).length).toBeGreaterThan(1);
      await short.stop();
      expect(markedWith(`BED_HOST=${pid}`)).toEqual([]);
      rmSync(other, { recursive: true, force: true });
    });
  });
}
