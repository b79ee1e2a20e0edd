import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const port = 19_000 + Math.floor(Math.random() * 900);
const item = (service: string) => ({ service, account: 'me' });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
let home: string;
let running: ChildProcess | undefined;
let log = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gateway-'));
  mkdirSync(join(home, '.openclaw/config'), { recursive: true });
  setKeychain('gw', 'pv');
  log = '';
});

afterEach(async () => {
  await end('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** A security that knows two items, or (without values) is locked. */
function setKeychain(token: string | undefined, provider: string | undefined): void {
  const answer = (value: string | undefined): string =>
    value === undefined ? 'exit 44' : `echo 'password: "${value}"' >&2; exit 0`;
  const text =
    token === 'locked'
      ? 'exit 36'
      : `case "$4" in gateway) ${answer(token)} ;; provider) ${answer(provider)} ;; esac\nexit 44`;
  writeFileSync(join(home, 'security'), `#!/bin/sh\n${text}\n`);
  chmodSync(join(home, 'security'), 0o755);
}

function configure(changes: Record<string, unknown> = {}, place = '.openclaw/config/openclaw.json'): void {
  const config = {
    gateway: { mode: 'local', port, auth: { token: item('gateway') } },
    secrets: { keychain: '~/kc' },
    models: { provider: { ...item('provider'), tokenSha256: sha256('pv') } },
    ...changes,
  };
  writeFileSync(join(home, place), JSON.stringify(config));
}

/** @returns the exit status when it ends by itself, else `up` */
async function start(environment: Record<string, string> = {}): Promise<number | 'up'> {
  const script = join(import.meta.dirname, '../bed/gateway.ts');
  const child = spawn(process.execPath, ['--no-warnings', script, 'gateway', 'run', '--port', String(port)], {
    env: { HOME: home, OPENCLAW_SECURITY: join(home, 'security'), PATH: '/usr/bin:/bin', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? -1));
    child.stdout.once('data', () => resolve('up'));
  });
}

async function end(signal: NodeJS.Signals): Promise<number | null> {
  const child = running;
  running = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
}

const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

async function say(
  content: string,
  token = 'gw',
  session = 'agent:main:test',
): Promise<{ status: number; text: string }> {
  const response = await fetch(url('/v1/chat/completions'), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-openclaw-session-key': session,
    },
    body: JSON.stringify({ model: 'openclaw/default', messages: [{ role: 'user', content }] }),
  });
  return { status: response.status, text: await response.text() };
}

describe('the gateway', () => {
  it('keeps a conversation in JSONL and in SQLite, over a restart', async () => {
    configure();
    expect(await start()).toBe('up');
    expect(await say('one')).toMatchObject({
      status: 200,
      text: expect.stringContaining('turn 1 of agent:main:test: one'),
    });
    expect(await end('SIGTERM')).toBe(0);
    expect(existsSync(join(home, '.openclaw/transcripts/sessions.sqlite-wal'))).toBe(true);
    expect(await start()).toBe('up');
    expect(await say('two')).toMatchObject({ status: 200, text: expect.stringContaining('turn 2') });
    expect(
      readFileSync(join(home, '.openclaw/transcripts/agent_main_test.jsonl'), 'utf8').trim().split('\n'),
    ).toHaveLength(4);
    const database = new DatabaseSync(join(home, '.openclaw/transcripts/sessions.sqlite'));
    expect(database.prepare('SELECT count(*) AS count FROM turns').get()).toEqual({ count: 4 });
    database.close();
  });

  it('says 401 to a wrong token, and with a wrong or missing provider key, while health and ready stay 200', async () => {
    configure();
    await start();
    expect((await say('x', 'other')).status).toBe(401);
    setKeychain('gw', 'another key');
    expect(await say('x')).toMatchObject({ status: 401, text: expect.stringContaining('Incorrect API key') });
    setKeychain('gw', undefined);
    expect((await say('x')).status).toBe(401);
    for (const path of ['/health', '/readyz']) expect((await fetch(url(path))).status).toBe(200);
    setKeychain('gw', 'pv');
    expect((await say('x')).status).toBe(200);
  });

  it('reads its own token at start only, but asks a locked keychain again', async () => {
    configure();
    setKeychain(undefined, 'pv');
    await start();
    setKeychain('gw', 'pv');
    expect((await say('x')).status).toBe(401);
    await end('SIGTERM');
    setKeychain('locked', undefined);
    await start();
    expect((await say('x')).status).toBe(401);
    setKeychain('gw', 'pv');
    expect((await say('x')).status).toBe(200);
  });

  it('exits 78 at once without a configuration, with a broken one, and with an unknown key', async () => {
    expect(await start()).toBe(78);
    writeFileSync(join(home, '.openclaw/config/openclaw.json'), '{"gateway":');
    expect(await start()).toBe(78);
    configure({ bogusKey: 1 });
    expect(await start()).toBe(78);
    expect(log).toContain('Unrecognized key: "bogusKey"');
    configure({ gateway: { port } });
    expect(await start()).toBe(78);
  });

  it('exits 78 when its port is taken', async () => {
    configure();
    await start();
    const first = running;
    expect(await start()).toBe(78);
    running = first;
  });

  it('says 503 to messages while it is suspended, by a lease that ends by itself', async () => {
    configure();
    await start();
    await fetch(url('/suspend'), { method: 'POST', body: JSON.stringify({ leaseMs: 300 }) });
    expect((await fetch(url('/readyz'))).status).toBe(503);
    expect((await fetch(url('/health'))).status).toBe(200);
    expect((await say('x')).status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect((await say('x')).status).toBe(200);
  });

  it('is suspended for one who asks at a time, goes on when told, and not by another', async () => {
    configure({ bed: { chatterMs: 5 } });
    await start();
    const post = async (path: string, body: object): Promise<{ status: number; answer: { suspensionId?: string } }> => {
      const response = await fetch(url(path), { method: 'POST', body: JSON.stringify(body) });
      return { status: response.status, answer: (await response.json()) as object };
    };
    const first = await post('/suspend', { requestId: 'one' });
    expect(first).toMatchObject({ status: 200, answer: { status: 'ready' } });
    expect((await post('/suspend', { requestId: 'one' })).answer.suspensionId).toBe(first.answer.suspensionId);
    expect((await post('/suspend', { requestId: 'two' })).status).toBe(503);
    const chatter = (): string => readFileSync(join(home, '.openclaw/transcripts/agent_main_chatter.jsonl'), 'utf8');
    const held = chatter();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(chatter()).toBe(held);
    expect((await post('/resume', { suspensionId: 'other' })).status).toBe(400);
    for (const resumed of [true, false])
      expect((await post('/resume', first.answer)).answer).toMatchObject({ status: 'running', resumed });
    expect((await say('x')).status).toBe(200);
  });

  it('is not suspended while a turn is under way', async () => {
    configure({ bed: { turnMs: 300 } });
    await start();
    const turn = say('x');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = await fetch(url('/suspend'), { method: 'POST', body: JSON.stringify({ requestId: 'one' }) });
    expect(await asked.json()).toMatchObject({ status: 'busy', activeCount: 1 });
    expect((await turn).status).toBe(200);
  });

  it('answers unknown paths with 200 and a page, as the real one does', async () => {
    configure();
    await start();
    expect(await (await fetch(url('/live'))).text()).toContain('<!doctype html>');
  });

  it('writes on by itself when it is told to', async () => {
    configure({ bed: { chatterMs: 20 } });
    await start();
    const path = join(home, '.openclaw/transcripts/agent_main_chatter.jsonl');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(readFileSync(path, 'utf8').split('\n').length).toBeGreaterThan(3);
  });

  it('in the 2026 layout respects a fresh lease of another host, and takes over its own', async () => {
    rmSync(join(home, '.openclaw/config'), { recursive: true });
    configure({}, '.openclaw/openclaw.json');
    expect(await start({ BED_HOST: 'mac-1' })).toBe('up');
    await end('SIGKILL');
    expect(await start({ BED_HOST: 'mac-2' })).toBe(1);
    expect(log).toContain('Another Gateway owner lease is still active');
    expect(await start({ BED_HOST: 'mac-1' })).toBe('up');
    await end('SIGTERM');
    expect(await start({ BED_HOST: 'mac-2' })).toBe('up');
    expect(existsSync(join(home, '.openclaw/agents/main/agent/openclaw-agent.sqlite'))).toBe(true);
  });
});
