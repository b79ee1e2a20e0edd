import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { resolveSecret } from '../../../src/config/resolve-secret.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clawback-secret-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

const sh = (script: string, ...args: string[]) => ({ command: ['/bin/sh', '-c', script, 'sh', ...args] });

async function textOf(ref: Parameters<typeof resolveSecret>[0]): Promise<string> {
  return (await resolveSecret(ref, dir)).toString('utf8');
}

async function failureOf(ref: Parameters<typeof resolveSecret>[0], timeoutMs?: number): Promise<string> {
  const error = await resolveSecret(ref, dir, timeoutMs).then(
    () => ({ code: 'none', message: '' }),
    (caught: unknown) => caught as { code: string; message: string },
  );
  expect(error.code).toBe('SecretUnavailable');
  return error.message;
}

describe('a secret from the environment', () => {
  it('is the value of the variable at the time of the call', async () => {
    vi.stubEnv('CLAWBACK_TEST_SECRET', 'grün ☃');
    expect(await textOf({ env: 'CLAWBACK_TEST_SECRET' })).toBe('grün ☃');
    vi.stubEnv('CLAWBACK_TEST_SECRET', undefined);
    expect(await failureOf({ env: 'CLAWBACK_TEST_SECRET' })).toBe(
      'the secret of env CLAWBACK_TEST_SECRET is not available: the variable is not set',
    );
    vi.unstubAllEnvs();
  });

  it('is refused when it is empty', async () => {
    vi.stubEnv('CLAWBACK_TEST_SECRET', '');
    expect(await failureOf({ env: 'CLAWBACK_TEST_SECRET' })).toContain('it is empty');
    vi.unstubAllEnvs();
  });
});

describe('a secret from a file', () => {
  it.each([
    ['token\n', 'token'],
    ['token\r\n', 'token'],
    ['token', 'token'],
    ['two\nlines\n\n', 'two\nlines\n'],
    [' spaces ', ' spaces '],
  ])('loses one newline at its end and nothing else: %j', async (content, value) => {
    await writeFile(join(dir, 'secret'), content);
    expect(await textOf({ file: 'secret' })).toBe(value);
  });

  it('keeps its bytes', async () => {
    const bytes = Buffer.from([0, 255, 254, 10, 128]);
    await writeFile(join(dir, 'bytes'), bytes);
    expect((await resolveSecret({ file: 'bytes' }, dir)).equals(bytes)).toBe(true);
  });

  it('may stand anywhere', async () => {
    await writeFile(join(dir, 'secret'), 'x');
    expect(await textOf({ file: join(dir, 'secret') })).toBe('x');
    vi.stubEnv('HOME', dir);
    expect((await resolveSecret({ file: '~/secret' }, '/')).toString()).toBe('x');
    vi.unstubAllEnvs();
  });

  it('may have 64 KiB and no more', async () => {
    await writeFile(join(dir, 'large'), `${'x'.repeat(65_536)}\n`);
    expect(await textOf({ file: 'large' })).toHaveLength(65_536);
    await writeFile(join(dir, 'large'), 'x'.repeat(65_537));
    expect(await failureOf({ file: 'large' })).toContain('it is larger than 65536 bytes');
  });

  it('is refused when missing, empty, a folder, or a pipe without a writer', async () => {
    await mkdir(join(dir, 'folder'));
    await writeFile(join(dir, 'empty'), '\n');
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    expect(await failureOf({ file: 'absent' })).toBe('the secret of file absent is not available: ENOENT');
    expect(await failureOf({ file: 'folder' })).toContain('not a regular file');
    expect(await failureOf({ file: 'empty' })).toContain('it is empty');
    expect(await failureOf({ file: 'pipe' })).toContain('not a regular file');
  });
});

describe('a secret from a command', () => {
  it('is what it prints, run in the folder of the fleet file without a shell', async () => {
    expect(await textOf(sh('printf "%s in %s" "$1" "$(pwd -P)"', '$(no) "shell"'))).toBe(`$(no) "shell" in ${dir}`);
    expect(await textOf({ command: ['/bin/echo', '$HOME; `id`'] })).toBe('$HOME; `id`');
  });

  it('is refused when the command fails, with its status and nothing that it printed', async () => {
    const message = await failureOf(sh('echo hunter2; echo hunter2 >&2; exit 3', 'hunter2'));
    expect(message).toBe('the secret of command /bin/sh is not available: the command ended with 3');
  });

  it('is refused when the command cannot be started or is killed', async () => {
    expect(await failureOf({ command: ['/no/such/program'] })).toContain('could not be started (ENOENT)');
    expect(await failureOf(sh('kill -9 $$'))).toContain('ended with SIGKILL');
  });

  it('is refused when it is too large, and the command does not go on', async () => {
    expect(await failureOf(sh('while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done'))).toContain(
      'larger than 65536',
    );
  });

  it('is refused after its time, and its children end too', async () => {
    const message = await failureOf(sh('sleep 60 & echo $! > child; wait'), 300);
    expect(message).toContain('did not end within 300 ms');
    const pid = Number(await readFile(join(dir, 'child'), 'utf8'));
    for (let round = 0; round < 40 && isRunning(pid); round += 1) await sleep(50);
    expect(isRunning(pid)).toBe(false);
  });
});

/** A zombie that nobody has waited for has ended, too. */
function isRunning(pid: number): boolean {
  try {
    return !/^\s*Z/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}
