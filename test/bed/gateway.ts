// A gateway in the manner of OpenClaw, as the workload of the bed: conversations as JSONL and in SQLite with a WAL;
// /health says 200 as long as it lives; a message is answered only with the token and the provider key of the
// Keychain, else 401 (openclaw-notes.md, 2 and 3). It depends on Node alone, for hosts see only this folder.
// Refuses a missing or broken configuration with exit status 78, at once.

import { execFile } from 'node:child_process';
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const exConfig = 78;
/** A lease of another host's gateway counts for this long (openclaw-notes, 8). */
const leaseMs = 300_000;

interface ItemRef {
  readonly service: string;
  readonly account: string;
}

interface GatewayConfig {
  readonly gateway: { readonly mode: 'local'; readonly port: number; readonly auth: { readonly token: ItemRef } };
  readonly secrets: { readonly keychain: string };
  readonly models: { readonly provider: ItemRef & { readonly tokenSha256: string } };
  readonly bed?: { readonly chatterMs?: number; readonly drainMs?: number; readonly turnMs?: number };
}

interface Layout {
  readonly config: string;
  readonly sessions: string;
  readonly database: string;
  /** Where the owner lease is kept: the 2026 layout only. */
  readonly stateDatabase?: string;
}

const home = process.env['HOME'] ?? '/';

function layoutOf(state: string): Layout {
  const legacy = {
    config: join(state, 'config/openclaw.json'),
    sessions: join(state, 'transcripts'),
    database: join(state, 'transcripts/sessions.sqlite'),
  };
  if (existsSync(dirname(legacy.config))) return legacy;
  return {
    config: join(state, 'openclaw.json'),
    sessions: join(state, 'agents/main/sessions'),
    database: join(state, 'agents/main/agent/openclaw-agent.sqlite'),
    stateDatabase: join(state, 'state/openclaw.sqlite'),
  };
}

function giveUp(status: number, line: string): never {
  process.stderr.write(`gateway: ${line}\n`);
  process.exit(status);
}

const knownKeys = new Set(['gateway', 'secrets', 'models', 'agents', 'channels', 'plugins', 'bed']);

function readConfig(path: string): GatewayConfig {
  let config: GatewayConfig;
  try {
    config = JSON.parse(readFileSync(path, 'utf8')) as GatewayConfig;
  } catch (error) {
    giveUp(exConfig, `config ${path}: ${(error as Error).message}`);
  }
  const unknown = Object.keys(config).find((key) => !knownKeys.has(key));
  if (unknown !== undefined) giveUp(exConfig, `Unrecognized key: "${unknown}"`);
  if (config.gateway?.mode !== 'local') giveUp(exConfig, 'existing config is missing gateway.mode');
  if (!config.gateway.auth?.token?.service || !config.secrets?.keychain || !config.models?.provider?.tokenSha256)
    giveUp(exConfig, 'config is incomplete');
  return config;
}

// as the real one does; where it was started from is not its business
process.title = `openclaw ${process.argv.slice(2).join(' ')}`;

const layout = layoutOf(join(home, '.openclaw'));
const config = readConfig(layout.config);
const port = portOf(process.argv) ?? config.gateway.port;

function portOf(argv: readonly string[]): number | undefined {
  const at = argv.indexOf('--port');
  return at < 0 ? undefined : Number(argv[at + 1]);
}

// --- what is kept -----------------------------------------------------------------------------------------------

const database = openDatabase(
  layout.database,
  'CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY, session TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, at TEXT NOT NULL)',
);
const insertTurn = database.prepare('INSERT INTO turns (session, role, content, at) VALUES (?, ?, ?, ?)');
const countTurns = database.prepare("SELECT count(*) AS turns FROM turns WHERE session = ? AND role = 'user'");
const leases = layout.stateDatabase === undefined ? undefined : takeLease(layout.stateDatabase);

function openDatabase(path: string, schema: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const opened = new DatabaseSync(path);
    opened.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000');
    opened.exec(schema);
    return opened;
  } catch (error) {
    return giveUp(1, `database ${path}: ${(error as Error).message}`);
  }
}

/** One gateway for one state directory: a fresh lease of another host is respected, a stale or own one is taken over. */
function takeLease(path: string): DatabaseSync {
  const state = openDatabase(
    path,
    'CREATE TABLE IF NOT EXISTS state_leases (name TEXT PRIMARY KEY, host TEXT, pid INTEGER, heartbeat_ms INTEGER); CREATE TABLE IF NOT EXISTS delivery_queue (id INTEGER PRIMARY KEY, payload TEXT)',
  );
  const host = process.env['BED_HOST'] ?? 'localhost';
  const row = state
    .prepare("SELECT host, heartbeat_ms AS heartbeatMs FROM state_leases WHERE name = 'gateway-owner'")
    .get() as { host: string; heartbeatMs: number } | undefined;
  if (row !== undefined && row.host !== host && Date.now() - row.heartbeatMs < leaseMs)
    giveUp(1, 'Another Gateway owner lease is still active for this state directory');
  const beat = state.prepare("INSERT OR REPLACE INTO state_leases VALUES ('gateway-owner', ?, ?, ?)");
  beat.run(host, process.pid, Date.now());
  setInterval(() => beat.run(host, process.pid, Date.now()), 10_000).unref();
  return state;
}

function appendTurn(session: string, role: 'user' | 'assistant', content: string): void {
  const at = new Date().toISOString();
  const name = `${session.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.jsonl`;
  mkdirSync(layout.sessions, { recursive: true, mode: 0o700 });
  appendFileSync(join(layout.sessions, name), `${JSON.stringify({ at, session, role, content })}\n`, { mode: 0o600 });
  insertTurn.run(session, role, content, at);
}

// --- secrets ----------------------------------------------------------------------------------------------------

const run = promisify(execFile);

/** The item's value; `locked` while the keychain is; undefined when there is none. */
async function readItem(item: ItemRef): Promise<Buffer | 'locked' | undefined> {
  const keychain = config.secrets.keychain.replace(/^~(?=\/)/, home);
  const tool = process.env['OPENCLAW_SECURITY'] ?? '/usr/bin/security';
  try {
    const { stderr } = await run(tool, [
      'find-generic-password',
      '-g',
      '-s',
      item.service,
      '-a',
      item.account,
      keychain,
    ]);
    const line = stderr.split('\n').find((one) => one.startsWith('password: ')) ?? '';
    const hex = /^password: 0x([0-9A-F]*)/.exec(line)?.[1];
    return hex === undefined ? Buffer.from(line.slice('password: "'.length, -1)) : Buffer.from(hex, 'hex');
  } catch (error) {
    return (error as { code?: number }).code === 36 ? 'locked' : undefined;
  }
}

// The token is read at start. Only a locked keychain is asked again: a host that has just booted.
let token = await readItem(config.gateway.auth.token);

async function mayAnswer(
  request: IncomingMessage,
): Promise<'yes' | 'Unauthorized' | '401 Incorrect API key provided.'> {
  if (token === 'locked') token = await readItem(config.gateway.auth.token);
  const bearer = Buffer.from(/^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '', 'latin1');
  if (token === undefined || token === 'locked' || bearer.length !== token.length || !timingSafeEqual(bearer, token))
    return 'Unauthorized';
  const key = await readItem(config.models.provider);
  if (key === undefined || key === 'locked') return '401 Incorrect API key provided.';
  const digest = createHash('sha256').update(key).digest('hex');
  return digest === config.models.provider.tokenSha256 ? 'yes' : '401 Incorrect API key provided.';
}

// --- HTTP -------------------------------------------------------------------------------------------------------

const startedAtMs = Date.now();
let draining = false;
/** A lease of two minutes, granted to who asked with an id of its own (OpenClaw's docs/gateway/external-apps.md). */
const suspensionMs = 120_000;
let suspension = { requestId: '', id: '', untilMs: 0 };
/** Turns under way. */
let active = 0;

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  if (path === '/health' || path === '/healthz') return send(response, 200, { ok: true, status: 'live' });
  if (path === '/readyz' || path === '/ready') return sendReady(response);
  if (path === '/suspend' && request.method === 'POST') return suspend(request, response);
  if (path === '/resume' && request.method === 'POST') return resume(request, response);
  if (path === '/v1/chat/completions' && request.method === 'POST') {
    active += 1;
    return converse(request, response).finally(() => (active -= 1));
  }
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><title>OpenClaw Control</title>');
}

function isSuspended(): boolean {
  return Date.now() < suspension.untilMs;
}

function isBusyElsewhere(): boolean {
  return draining || isSuspended();
}

function note(line: string): void {
  process.stdout.write(`${new Date().toISOString()} gateway ${line}\n`);
}

function sendReady(response: ServerResponse): void {
  if (isBusyElsewhere())
    return send(response, 503, { ready: false, failing: ['gateway-draining'], uptimeMs: Date.now() - startedAtMs });
  send(response, 200, { ready: true, failing: [], uptimeMs: Date.now() - startedAtMs });
}

/** A lease that ends by itself: refused while turns are under way or another is held, renewed for its own request. */
async function suspend(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { requestId = '', leaseMs: forMs = suspensionMs } = JSON.parse(await text(request)) as {
    requestId?: string;
    leaseMs?: number;
  };
  if (isSuspended() && suspension.requestId !== requestId)
    return send(response, 503, { error: { message: 'another gateway suspension is already prepared' } });
  if (active > 0) return send(response, 200, { status: 'busy', retryAfterMs: 200, activeCount: active, blockers: [] });
  const id = isSuspended() ? suspension.id : randomUUID();
  suspension = { requestId, id, untilMs: Date.now() + forMs };
  note(`suspended for ${requestId}`);
  send(response, 200, {
    status: 'ready',
    suspensionId: id,
    expiresAtMs: suspension.untilMs,
    activeCount: 0,
    blockers: [],
  });
}

/** No error for one that has ended; another that is held is not ended. */
async function resume(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { suspensionId } = JSON.parse(await text(request)) as { suspensionId?: string };
  const resumed = isSuspended();
  if (resumed && suspension.id !== suspensionId)
    return send(response, 400, { error: { message: 'gateway suspension id does not match' } });
  suspension = { ...suspension, untilMs: 0 };
  if (resumed) note(`resumed for ${suspension.requestId}`);
  send(response, 200, { ok: true, status: 'running', resumed });
}

async function converse(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  if (isBusyElsewhere())
    return send(response, 503, { error: { message: 'gateway unavailable', type: 'gateway_unavailable' } });
  const verdict = await mayAnswer(request);
  if (verdict !== 'yes')
    return send(response, 401, {
      error: { message: verdict, type: verdict === 'Unauthorized' ? 'unauthorized' : 'authentication_error' },
    });
  const { model, messages } = JSON.parse(body) as { model?: string; messages?: { role: string; content: string }[] };
  const asked = messages?.findLast((message) => message.role === 'user')?.content;
  if (asked === undefined)
    return send(response, 400, { error: { message: 'no user message', type: 'invalid_request_error' } });
  const session = String(request.headers['x-openclaw-session-key'] ?? 'agent:main:main');
  appendTurn(session, 'user', asked);
  await sleep(config.bed?.turnMs ?? 0);
  const { turns } = countTurns.get(session) as { turns: number };
  const said = `turn ${turns} of ${session}: ${asked}`;
  appendTurn(session, 'assistant', said);
  send(response, 200, {
    id: `chatcmpl-${turns}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: model ?? 'openclaw/default',
    choices: [{ index: 0, message: { role: 'assistant', content: said }, finish_reason: 'stop' }],
  });
}

const server = createServer((request, response) => {
  answer(request, response).catch(() =>
    send(response, 500, { error: { message: 'internal error', type: 'api_error' } }),
  );
});
server.on('error', (error: NodeJS.ErrnoException) => giveUp(exConfig, `port ${port}: ${error.code}`));
server.listen(port, '127.0.0.1', () =>
  process.stdout.write(`${new Date().toISOString()} gateway listening on ${port}\n`),
);

const chatterMs = config.bed?.chatterMs ?? 0;
if (chatterMs > 0)
  setInterval(() => {
    if (!isSuspended()) appendTurn('agent:main:chatter', 'assistant', `tick ${Date.now()} ${'.'.repeat(200)}`);
  }, chatterMs).unref();

// Databases are not closed: like the real gateway it leaves a WAL behind even after a clean stop.
process.on('SIGTERM', () => {
  draining = true;
  leases?.exec("DELETE FROM state_leases WHERE name = 'gateway-owner'");
  server.close();
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), config.bed?.drainMs ?? 50);
});
