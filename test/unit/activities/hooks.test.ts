import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { describeHooksStep, runHookStep } from '../../../src/activities/hooks/run-hook.ts';
import { configuredHooks, resolveHook } from '../../../src/config/fleet-hooks.ts';
import { loadFleet } from '../../../src/config/fleet-file.ts';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { runStep } from './golden-stores.ts';

const canary = 'canary-4f81b2"\\$(id)-e';
const input = { lane: 'lane-1', host: 'mac-1', address: '192.0.2.7', port: 22, login: 'admin', user: 'agent-lane-1' };
const upgrade = { hook: 'upgrade', key: 'run-7/upgrade', input: { ...input, from: '2026.9.6', to: null } } as const;

let bed: FleetBed;

beforeAll(async () => {
  bed = await makeFleetBed();
  await bed.file('token', canary);
});

afterAll(() => bed.remove());

/** What a worker with these hooks in its fleet file has. */
async function depsWith(hooks: string): Promise<Deps> {
  const fleet = await loadFleet(await bed.fleet([/$/, `hooks:\n${hooks}\n`]));
  return {
    fleet: { name: fleet.fleet.fleet, digest: fleet.digest },
    hooks: { kinds: configuredHooks(fleet), resolve: (kind: 'upgrade') => resolveHook(fleet, kind) },
  } as unknown as Deps;
}

async function commandHook(text: string, more = ''): Promise<Deps> {
  chmodSync(await bed.file('hook.sh', `#!/bin/sh\n${text}\n`), 0o700);
  return depsWith(`  upgrade: { command: [./hook.sh, an argument], env: { TOKEN: { file: token } }${more} }`);
}

async function failureOf(deps: Deps, request: object = upgrade): Promise<ApplicationFailure> {
  const error: unknown = await runStep(runHookStep(deps), { ...upgrade, ...request }).catch(
    (caught: unknown) => caught,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error(`no failure but ${JSON.stringify(error)}`);
  for (const part of [canary, JSON.stringify(canary).slice(1, -1)])
    expect([error.message, error.stack, JSON.stringify(error.details), String(error.cause)].join()).not.toContain(part);
  return error;
}

describe('a hook', () => {
  it('is told kind, fleet, key and its input, and its answer is the answer', async () => {
    const deps = await commandHook('cat > told.json; echo "$TOKEN|$1" > env.txt; echo \'{"version":"2026.10.2"}\'');
    expect(await runStep(describeHooksStep(deps), {})).toEqual({ kinds: ['upgrade'] });
    expect(await runStep(runHookStep(deps), upgrade)).toEqual({ version: '2026.10.2' });
    expect(JSON.parse(readFileSync(join(bed.dir, 'told.json'), 'utf8'))).toEqual({
      hook: 'upgrade',
      fleet: 'demo',
      key: 'run-7/upgrade',
      ...upgrade.input,
    });
    expect(readFileSync(join(bed.dir, 'env.txt'), 'utf8')).toBe(`${canary}|an argument\n`);
  });

  it('that says nothing has answered an empty object', async () => {
    expect(await runStep(runHookStep(await commandHook('exit 0')), upgrade)).toEqual({});
  });

  it('is tried as often as its attempts say, with the same key', async () => {
    const count =
      'cat >> keys.txt; echo >> keys.txt; test "$(wc -l < keys.txt)" -ge 2 || { echo "$TOKEN" >&2; exit 9; }';
    const deps = await commandHook(count, ', attempts: 2');
    expect(await runStep(runHookStep(deps), upgrade)).toEqual({});
    const keys = readFileSync(join(bed.dir, 'keys.txt'), 'utf8').trim().split('\n');
    expect(keys.map((line) => (JSON.parse(line) as { key: string }).key)).toEqual(['run-7/upgrade', 'run-7/upgrade']);
  });

  it('that fails each time is told by its status, with the number of attempts', async () => {
    const failure = await failureOf(await commandHook('echo "$TOKEN"; echo "$TOKEN" >&2; exit 4', ', attempts: 2'));
    expect(failure.type).toBe('HookFailed');
    expect(failure.nonRetryable).toBe(true);
    expect(failure.message).toMatch(
      /^the hook upgrade ended with status 4 \(\d+\.\d s; 23 bytes on stdout, 23 on stderr\) in the last of 2 attempts\n/,
    );
  });

  it('that is not there, or not executable, is told as such', async () => {
    const deps = await commandHook('exit 0');
    chmodSync(join(bed.dir, 'hook.sh'), 0o600);
    expect((await failureOf(deps)).message).toContain('the hook upgrade could not be started (EACCES)\n');
  });

  it('that hangs is ended after its time-out', async () => {
    const failure = await failureOf(await commandHook('sleep 60', ', timeout: 1s'));
    expect(failure.message).toMatch(/^the hook upgrade did not end within 1 s /);
  });

  it('ends as cancelled when it is cancelled', async () => {
    const deps = await commandHook('touch running; sleep 60');
    const cancelAfter = new Promise((done) => setTimeout(done, 300));
    await expect(runStep(runHookStep(deps), upgrade, { cancelAfter })).rejects.toBeInstanceOf(CancelledFailure);
  });

  it.each([
    ['{"version":"2026.10.2","restarted":true}', 'unknown key restarted'],
    [`{"a b;${'x'.repeat(50)}":1}`, 'unknown key (no plain name)'],
    ['{"version":7}', 'version: Invalid input: expected string, received number'],
    ['{"version":"a version"}', 'version: a version has letters, digits, ".", "+", "_" and "-", at most 64'],
    ['["2026.10.2"]', 'the answer: Invalid input: expected object, received array'],
    ['installed 2026.10.2', 'its 20 bytes are not one JSON object'],
    ['{} {}', 'its 6 bytes are not one JSON object'],
  ])('that answers %s is refused by name', async (answer, problem) => {
    const deps = await commandHook(`printf '%s\\n' '${answer}'`);
    const failure = await failureOf(deps);
    expect(failure.type).toBe('HookAnswerInvalid');
    expect(failure.message).toContain(`the hook upgrade answered what it may not: ${problem}`);
    expect(failure.nonRetryable).toBe(true);
  });

  it('that answers more than 64 KiB is refused', async () => {
    const failure = await failureOf(await commandHook('head -c 1000000000 /dev/zero'));
    expect(failure.message).toContain('the hook upgrade answered what it may not: it is larger than 65536 bytes');
  });

  it.each(['{"version":"%s"}', '{"%s":1}', '%s'])(
    'that answers its secret as %s is refused without it',
    async (form) => {
      await bed.file('token', 'canary-77abcd');
      const deps = await commandHook(`printf '${form}\\n' "$TOKEN"`);
      const failure = await failureOf(deps);
      expect(failure.type).toBe('HookAnswerInvalid');
      expect(JSON.stringify([failure.message, failure.details])).not.toContain('canary-77abcd');
      await bed.file('token', canary);
    },
  );

  it('that the fleet file does not have is told by the field to add', async () => {
    const failure = await failureOf(await depsWith('  dns: { command: [./dns] }'));
    expect(failure.type).toBe('HookMissing');
    expect(failure.message).toContain('fleet.yaml has no hooks.upgrade\n');
  });

  it('is not run for what was started with another fleet file, nor with an input of another form', async () => {
    const deps = await commandHook('touch was-run');
    expect((await failureOf(deps, { fleetDigest: '0'.repeat(64) })).type).toBe('FleetChanged');
    const wrong = await failureOf(deps, { input: { ...upgrade.input, lane: 'Lane 1', shell: canary } });
    expect(wrong.type).toBe('InvalidInput');
    expect(wrong.message).toContain('the hook upgrade cannot be told this: lane, the input');
    expect(() => readFileSync(join(bed.dir, 'was-run'))).toThrow('ENOENT');
  });

  it('whose secret is not there is not run', async () => {
    const deps = await depsWith('  upgrade: { command: [./hook.sh], env: { TOKEN: { file: none } } }');
    expect((await failureOf(deps)).type).toBe('SecretUnavailable');
  });
});

describe('a hook that is a service', () => {
  it('gets its secrets in headers, and they are nowhere else', async () => {
    const seen: unknown[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers['authorization']);
      response.writeHead(401).end(`wrong token ${canary}`);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
    const deps = await depsWith(
      `  upgrade: { http: { url: '${url}', headers: { Authorization: { file: token } } }, attempts: 3 }`,
    );
    const failure = await failureOf(deps);
    expect(failure.message).toMatch(/^the hook upgrade answered HTTP status 401\n/);
    expect(seen).toEqual([canary]);
    server.close();
  });

  it('is not called at a secret URL that a URL of the file might not be', async () => {
    const path = join(bed.dir, 'url');
    const refusals: string[] = [];
    for (const url of [
      'http://hooks.example.net/canary-1',
      'https://user:pw@hooks.example.net/',
      'ftp://x/',
      'no url',
    ]) {
      writeFileSync(path, url, { mode: 0o600 });
      const failure = await failureOf(await depsWith('  upgrade: { http: { url: { file: url } } }'));
      expect(failure.type).toBe('SecretUnavailable');
      expect(failure.message).not.toContain('canary');
      refusals.push(failure.message.split('\n')[0] ?? '');
    }
    expect(refusals).toEqual([
      'the value of file url does not fit: it is http:// to another machine, where only https:// is allowed',
      'the value of file url does not fit: it holds a user or a password',
      'the value of file url does not fit: it is neither https:// nor http://',
      'the value of file url does not fit: it is no URL',
    ]);
  });

  it('gets no header that would break out of its line', async () => {
    writeFileSync(join(bed.dir, 'two-lines'), 'canary-a\r\nX-Other: canary-b', { mode: 0o600 });
    const failure = await failureOf(
      await depsWith('  upgrade: { http: { url: "http://localhost:1", headers: { X-Key: { file: two-lines } } } }'),
    );
    expect(failure.message).toContain('header X-Key takes one line of plain characters');
    expect(failure.message).not.toContain('canary');
  });
});
