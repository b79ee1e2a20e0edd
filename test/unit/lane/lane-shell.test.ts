import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
let shell: LaneShell;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
});
afterAll(() => local.stop());

describe('LaneShell.run', () => {
  it('runs as the lane, in /, with umask 077', async () => {
    const { stdout } = await shell.script('id -un; pwd; umask', []);
    expect(stdout.toString()).toBe(`${shell.target.user}\n/\n0077\n`);
  });

  it('hands words over as they are', async () => {
    const words = ["it's", '$(id)', 'a b\nc', '', '-n', '*', '~', '=ls', 'é\u{1F980}'];
    const { stdout } = await shell.run(['/usr/bin/printf', '%s\\0', ...words]);
    expect(stdout.toString().split('\0').slice(0, -1)).toEqual(words);
  });

  it('runs as the login', async () => {
    const { stdout } = await shell.run(['/usr/bin/id', '-un'], { as: 'login' });
    expect(stdout.toString().trim()).toBe(shell.target.host.user);
  });

  it.runIf(isRoot)('runs as root', async () => {
    expect((await shell.run(['/usr/bin/id', '-un'], { as: 'root' })).stdout.toString().trim()).toBe('root');
  });

  it('fails for a status that was not expected, and names neither output nor arguments', async () => {
    const secret = 'hunter2';
    const failure = await shell.script('echo "$1" >&2; echo "$1"; exit 5', [secret]).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'HostCommandFailed', context: { exitStatus: 5 } });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(secret);
  });

  it('gives other statuses where they are expected', async () => {
    expect((await shell.script('exit 5', [], { okStatuses: [0, 5] })).exitStatus).toBe(5);
  });

  it('takes input from text, bytes and streams', async () => {
    const bytes = randomBytes(300_000);
    expect((await shell.run(['/bin/cat'], { stdin: 'abc' })).stdout.toString()).toBe('abc');
    expect((await shell.run(['/bin/cat'], { stdin: bytes })).stdout.equals(bytes)).toBe(true);
    expect((await shell.run(['/bin/cat'], { stdin: Readable.from([bytes, bytes]) })).stdout).toHaveLength(600_000);
  });

  it('fails with what its input stream failed with', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error('the source broke'));
      },
    });
    await expect(shell.run(['/bin/cat'], { stdin: broken })).rejects.toThrow('the source broke');
  });

  it('judges a command that leaves its input unread by its status', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65_536);
      })(),
    );
    await expect(shell.script('exit 7', [], { stdin: endless })).rejects.toMatchObject({
      code: 'HostCommandFailed',
      context: { exitStatus: 7 },
    });
  });

  it('is bounded in time and output, and ends with its signal', async () => {
    await expect(shell.run(['/bin/sleep', '20'], { timeoutMs: 150 })).rejects.toMatchObject({
      code: 'HostCommandTimeout',
    });
    await expect(shell.script('head -c 3000000 /dev/zero', [])).rejects.toMatchObject({ code: 'HostOutputUnexpected' });
    const abort = new AbortController();
    const running = shell.run(['/bin/sleep', '20'], { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await expect(running).rejects.toThrow('enough');
  });

  it('refuses a command line that no login shell could be given', async () => {
    expect((await shell.run(['/bin/echo', 'x'.repeat(100_000)])).stdout).toHaveLength(100_001);
    await expect(shell.run(['/bin/echo', 'x'.repeat(130_000)])).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('names a missing program', async () => {
    await expect(shell.run(['/no/such/program'])).rejects.toMatchObject({
      code: 'ToolMissing',
      context: { tool: 'program' },
    });
    if (isRoot) {
      await expect(shell.run(['/no/such/program'], { as: 'root' })).rejects.toMatchObject({ code: 'ToolMissing' });
    }
  });
});

describe.runIf(isRoot)('a lane of another user', () => {
  it('is told when the user is missing', async () => {
    const missing = await local.shell({ user: 'no-such-lane' });
    await expect(missing.run(['/bin/true'])).rejects.toMatchObject({ code: 'LaneUserMissing' });
  });
});

describe.runIf(isRoot)('a login without sudo rules', () => {
  it('is refused as such', async () => {
    const sudo = `${local.folder}/sudo-of-nobody`;
    writeFileSync(sudo, '#!/bin/sh\nexec setpriv --reuid=nobody --clear-groups /usr/bin/sudo "$@"\n', { mode: 0o755 });
    const host = { ...local.host, tools: { ...local.host.tools, sudo } };
    const denied = await local.shell({ host, user: 'daemon' });
    await expect(denied.run(['/bin/true'])).rejects.toMatchObject({ code: 'SudoRefused' });
  });
});
