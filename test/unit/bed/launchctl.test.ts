import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'plist';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchctl } from '../../bed/stand-ins/launchctl.ts';
import { Launchd } from '../../bed/stand-ins/launchd.ts';
import type { Reply } from '../../bed/stand-ins/reply.ts';

const label = 'com.example.job';
const richer = 'Try re-running the command as root for richer errors.\n';
let root: string;
let launchd: Launchd;

function start(): Launchd {
  return new Launchd({
    root,
    users: [{ name: 'lane', uid: 501, gid: 501, home: join(root, 'Users/lane') }],
    realUsers: false,
    environment: {},
    path: '/usr/bin:/bin',
    teardownMs: 60,
  });
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'launchd-'));
  mkdirSync(join(root, 'Library/LaunchDaemons'), { recursive: true });
  launchd = start();
});

afterEach(async () => {
  for (const job of launchd.jobs('system')) job.remove();
  await until(() => launchd.jobs('system').length === 0);
  rmSync(root, { recursive: true, force: true });
});

/** A daemon that sleeps, as a plist of the host. */
function plist(fields: Record<string, unknown> = {}, name = label): string {
  const path = `/Library/LaunchDaemons/${name}.plist`;
  const content = {
    Label: name,
    ProgramArguments: ['/bin/sleep', '60'],
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: 0,
    ExitTimeOut: 1,
    ...fields,
  };
  writeFileSync(join(root, path), build(content));
  chmodSync(join(root, path), 0o644);
  return path;
}

const by = (uid: number, ...argv: string[]): Reply => launchctl(launchd, { uid, home: '/', argv, stdin: '' });
const asRoot = (...argv: string[]): Reply => by(0, ...argv);
const state = (name = label): string | undefined =>
  /^\tstate = (.*)$/m.exec(asRoot('print', `system/${name}`).stdout)?.[1];
const pid = (): number => Number(/^\tpid = (\d+)$/m.exec(asRoot('print', `system/${label}`).stdout)?.[1]);

async function until(holds: () => boolean, withinMs = 5000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > endMs) throw new Error('it did not come to hold');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Ignores SIGTERM once it says that it is up. */
const stubborn = (): string[] => ['/bin/sh', '-c', `trap '' TERM; : >'${root}/up'; while :; do sleep 0.05; done`];

describe('the launchctl stand-in', () => {
  it('starts a job, shows it running, and forgets it after bootout', async () => {
    expect(asRoot('bootstrap', 'system', plist())).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(state()).toBe('running');
    expect(asRoot('bootout', `system/${label}`)).toMatchObject({ status: 0 });
    await until(() => asRoot('print', `system/${label}`).status === 113);
  });

  it('says 113 for what is not loaded, after a line "Bad request."', () => {
    const nothing = `Could not find service "${label}" in domain for system\n`;
    expect(by(501, 'print', `system/${label}`)).toEqual({
      status: 113,
      stdout: '',
      stderr: `Bad request.\n${nothing}`,
    });
    expect(asRoot('kickstart', '-k', `system/${label}`)).toMatchObject({ status: 113, stderr: nothing });
    expect(asRoot('list', label)).toMatchObject({ status: 113 });
  });

  it('says 3 to a bootout of what is not loaded', () => {
    expect(asRoot('bootout', `system/${label}`)).toMatchObject({
      status: 3,
      stderr: 'Boot-out failed: 3: No such process\n',
    });
  });

  it('says 5 to a bootstrap of what is loaded already', () => {
    asRoot('bootstrap', 'system', plist());
    expect(asRoot('bootstrap', 'system', plist())).toMatchObject({
      status: 5,
      stderr: 'Bootstrap failed: 5: Input/output error\n',
    });
  });

  it('shows SIGTERMed while a job drains, says 5 to a bootstrap, 36 to a second bootout, and kills after ExitTimeOut', async () => {
    asRoot('bootstrap', 'system', plist({ ProgramArguments: stubborn() }));
    await until(() => existsSync(join(root, 'up')));
    const startedMs = Date.now();
    expect(asRoot('bootout', `system/${label}`).status).toBe(0);
    expect(state()).toBe('SIGTERMed');
    expect(asRoot('bootstrap', 'system', plist()).status).toBe(5);
    expect(asRoot('bootout', `system/${label}`).status).toBe(36);
    await until(() => state() === undefined);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(990);
  });

  it('says 37 to a bootstrap that races the end of a bootout', async () => {
    asRoot('bootstrap', 'system', plist());
    asRoot('bootout', `system/${label}`);
    await until(() => state() === undefined);
    expect(asRoot('bootstrap', 'system', plist())).toMatchObject({
      status: 37,
      stderr: 'Bootstrap failed: 37: Operation already in progress\n',
    });
    await until(() => asRoot('bootstrap', 'system', plist()).status === 0);
  });

  it('says 5 to whoever is not root, with the advice to become it', () => {
    expect(by(501, 'bootstrap', 'system', plist())).toMatchObject({
      status: 5,
      stderr: `Bootstrap failed: 5: Input/output error\n${richer}`,
    });
    asRoot('bootstrap', 'system', plist());
    expect(by(501, 'bootout', `system/${label}`)).toMatchObject({ status: 5 });
    expect(by(501, 'kickstart', '-k', `system/${label}`)).toMatchObject({ status: 1 });
    expect(by(501, 'disable', `system/${label}`)).toMatchObject({ status: 1 });
  });

  it('remembers a disable across a restart, and says 119 as root, 5 as anybody else', () => {
    expect(asRoot('disable', `system/${label}`).status).toBe(0);
    launchd = start();
    expect(asRoot('print-disabled', 'system').stdout).toContain(`\t\t"${label}" => disabled\n`);
    expect(asRoot('bootstrap', 'system', plist())).toMatchObject({
      status: 119,
      stderr: 'Bootstrap failed: 119: Service is disabled\n',
    });
    expect(by(501, 'bootstrap', 'system', plist())).toMatchObject({ status: 5 });
    asRoot('enable', `system/${label}`);
    expect(asRoot('print-disabled', 'system').stdout).toContain(`\t\t"${label}" => enabled\n`);
    expect(asRoot('bootstrap', 'system', plist()).status).toBe(0);
  });

  it('refuses a plist that is missing, broken, without a label, or writable by others', () => {
    const refused = { status: 5, stderr: 'Bootstrap failed: 5: Input/output error\n' };
    expect(asRoot('bootstrap', 'system', '/Library/LaunchDaemons/none.plist')).toMatchObject(refused);
    const path = plist();
    writeFileSync(join(root, path), '<plist><dict><key>Label');
    expect(asRoot('bootstrap', 'system', path)).toMatchObject(refused);
    expect(asRoot('bootstrap', 'system', plist({ Label: '' }))).toMatchObject(refused);
    chmodSync(join(root, plist()), 0o664);
    expect(asRoot('bootstrap', 'system', path)).toMatchObject(refused);
    expect(readFileSync(join(root, 'private/var/log/com.apple.xpc.launchd/launchd.log'), 'utf8')).toContain(
      'Path had bad ownership/permissions',
    );
  });

  it('says 125 for a gui domain unless its user is at the console', () => {
    expect(asRoot('bootstrap', 'gui/501', plist())).toMatchObject({
      status: 125,
      stderr: 'Bootstrap failed: 125: Domain does not support specified action\n',
    });
    expect(by(501, 'print', 'gui/501')).toMatchObject({
      status: 125,
      stderr: 'Bad request.\nCould not find domain for user gui: 501\n',
    });
    launchd.consoleUids.add(501);
    expect(by(501, 'bootstrap', 'gui/501', plist()).status).toBe(0);
    expect(by(501, 'print', `gui/501/${label}`).stdout).toContain('\tstate = running\n');
    launchd.find(`gui/501/${label}`)?.remove();
  });

  it('exits 0 from load and unload even when they fail: only stderr tells', async () => {
    const load = 'Load failed: 5: Input/output error\nTry running `launchctl bootstrap` as root for richer errors.\n';
    const unload = 'Unload failed: 5: Input/output error\nTry running `launchctl bootout` as root for richer errors.\n';
    expect(asRoot('load', '/Library/LaunchDaemons/none.plist')).toEqual({ status: 0, stdout: '', stderr: load });
    expect(asRoot('unload', plist())).toEqual({ status: 0, stdout: '', stderr: unload });
    expect(by(501, 'load', plist())).toEqual({ status: 0, stdout: '', stderr: load });
    expect(asRoot('load', plist())).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(asRoot('load', plist())).toEqual({ status: 0, stdout: '', stderr: load });
    expect(asRoot('unload', plist())).toEqual({ status: 0, stdout: '', stderr: '' });
    await until(() => state() === undefined);
  });

  it('disables for good with unload -w, so that a plain load fails until load -w', async () => {
    asRoot('load', plist());
    asRoot('unload', '-w', plist());
    await until(() => state() === undefined && !launchd.isTearingDown(`system/${label}`));
    launchd = start();
    expect(asRoot('load', plist()).stderr).toContain('Load failed: 5');
    expect(asRoot('load', '-w', plist()).stderr).toBe('');
    expect(state()).toBe('running');
  });

  it('warns when root loads an agent', () => {
    mkdirSync(join(root, 'Library/LaunchAgents'));
    writeFileSync(join(root, 'Library/LaunchAgents/a.plist'), readFileSync(join(root, plist())));
    expect(asRoot('load', '/Library/LaunchAgents/a.plist').stderr).toMatch(
      /^Warning: Expecting a LaunchDaemons path .*\nLoad failed: 5/,
    );
  });

  it('starts a killed job again at once when it had lived, and after ThrottleInterval when it had not', async () => {
    asRoot('bootstrap', 'system', plist());
    const first = pid();
    process.kill(first, 'SIGKILL');
    await until(() => pid() > 0 && pid() !== first);
    expect(asRoot('list').stdout).toContain(`\t-9\t${label}\n`);
    asRoot(
      'bootstrap',
      'system',
      plist({ ProgramArguments: ['/bin/sh', '-c', 'exit 78'], ThrottleInterval: 1 }, 'com.example.loop'),
    );
    await until(() => state('com.example.loop') === 'spawn scheduled');
    expect(asRoot('print', 'system/com.example.loop').stdout).toContain('\tlast exit code = 78\n');
    expect(asRoot('print', 'system/com.example.loop').stdout).not.toMatch(/^\tpid = /m);
    expect(asRoot('print', 'system/com.example.loop').stdout).toContain('\truns = 1\n');
    await until(() => asRoot('print', 'system/com.example.loop').stdout.includes('\truns = 2\n'));
  });

  it('starts a job that failed again, not one that succeeded, under SuccessfulExit false', async () => {
    const keep = { KeepAlive: { SuccessfulExit: false } };
    asRoot('bootstrap', 'system', plist({ ...keep, ProgramArguments: ['/bin/sh', '-c', 'exit 0'] }));
    await until(() => state() === 'not running');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asRoot('print', `system/${label}`).stdout).toContain('\truns = 1\n');
  });

  it('replaces the process with kickstart -k, and leaves it alone with kickstart', async () => {
    asRoot('bootstrap', 'system', plist());
    const first = pid();
    asRoot('kickstart', `system/${label}`);
    expect(pid()).toBe(first);
    asRoot('kickstart', '-k', `system/${label}`);
    await until(() => pid() > 0 && pid() !== first);
  });

  it('gives 78 to a job whose program is missing or whose log folder is', async () => {
    asRoot('bootstrap', 'system', plist({ ProgramArguments: ['/nowhere/program'], ThrottleInterval: 5 }));
    expect(asRoot('list').stdout).toContain(`-\t78\t${label}\n`);
    asRoot('bootout', `system/${label}`);
    await until(() => !launchd.isTearingDown(`system/${label}`));
    asRoot('bootstrap', 'system', plist({ StandardOutPath: '/nowhere/log', ThrottleInterval: 5 }));
    expect(asRoot('list').stdout).toContain(`-\t78\t${label}\n`);
  });

  it("runs a job with its user's home, its log and its environment", async () => {
    mkdirSync(join(root, 'var/log'), { recursive: true });
    asRoot(
      'bootstrap',
      'system',
      plist({
        UserName: 'lane',
        StandardOutPath: '/var/log/job.log',
        EnvironmentVariables: { COLOUR: 'blue' },
        ProgramArguments: ['/bin/sh', '-c', 'echo "$HOME $USER $COLOUR"; exec sleep 60'],
      }),
    );
    await until(
      () => existsSync(join(root, 'var/log/job.log')) && readFileSync(join(root, 'var/log/job.log'), 'utf8') !== '',
    );
    expect(readFileSync(join(root, 'var/log/job.log'), 'utf8')).toBe(`${join(root, 'Users/lane')} lane blue\n`);
  });

  it('loads at boot what is not disabled', () => {
    plist();
    plist({}, 'com.example.off');
    asRoot('disable', 'system/com.example.off');
    launchd.boot();
    expect(launchd.jobs('system').map((job) => job.plist.label)).toEqual([label]);
  });

  it('hides the states of nested blocks behind two tabs', () => {
    asRoot('bootstrap', 'system', plist());
    const lines = asRoot('print', `system/${label}`)
      .stdout.split('\n')
      .filter((line) => line.includes('state = '));
    expect(lines).toEqual(['\tstate = running', '\t\tstate = active']);
  });

  it('says 64 to an unknown verb or option', () => {
    expect(asRoot('frobnicate').status).toBe(64);
    expect(asRoot('bootout', '--wait', `system/${label}`).status).toBe(64);
    expect(asRoot('bootstrap', 'system').status).toBe(64);
    expect(asRoot('error', '5').stdout).toBe('5: Input/output error\n');
  });
});
