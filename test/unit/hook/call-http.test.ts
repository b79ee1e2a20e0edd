import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { callHttp } from '../../../src/hook/call-http.ts';
import type { HookOutcome } from '../../../src/hook/hook-call.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Listener = (...args: Parameters<RequestListener>) => unknown;

async function serve(listener: Listener): Promise<string> {
  return `http://${await listen(createServer((...args) => void listener(...args)))}`;
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface More {
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function call(url: string, { headers = {}, timeoutMs = 5_000, signal }: More = {}): Promise<HookOutcome> {
  const question = { body: '{"hook":"alert"}', key: 'run-7/alert', timeoutMs };
  return callHttp({ way: 'http', url, headers }, { ...question, signal: signal ?? new AbortController().signal });
}

describe('a hook that is a service', () => {
  it('gets one POST with its question, its headers and its key, and answers in the body', async () => {
    let seen: { method?: string | undefined; headers?: IncomingHttpHeaders; body?: string } = {};
    const url = await serve(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen = { method: request.method, headers: request.headers, body };
      response.end('{"fenced":"power-off"}');
    });
    const outcome = await call(`${url}/hook`, { headers: { Authorization: 'Bearer canary-5521' } });
    expect(outcome).toEqual({ kind: 'answer', bytes: Buffer.from('{"fenced":"power-off"}') });
    expect(seen).toMatchObject({ method: 'POST', body: '{"hook":"alert"}' });
    expect(seen.headers).toMatchObject({
      authorization: 'Bearer canary-5521',
      'content-type': 'application/json',
      'idempotency-key': 'run-7/alert',
    });
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [401, false],
    [404, false],
  ])('that answers %i has failed, and is asked again: %s', async (status, again) => {
    const url = await serve((_, response) => void response.writeHead(status).end('canary in the body'));
    expect(await call(url)).toEqual({ kind: 'failed', reason: `answered HTTP status ${status}`, again });
  });

  it('that redirects is refused, and where it leads is not called', async () => {
    let called = false;
    const other = await serve((_, response) => {
      called = true;
      response.end('{}');
    });
    const url = await serve((_, response) => void response.writeHead(302, { location: other }).end());
    expect(await call(url, { headers: { Authorization: 'canary' } })).toEqual({
      kind: 'failed',
      reason: 'answered a redirect (HTTP status 302), which is not followed',
      again: false,
    });
    expect(called).toBe(false);
  });

  it('whose certificate nobody vouches for gets nothing', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'clawback-tls-'));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=127.0.0.1',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    let called = false;
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      called = true;
      response.end('{}');
    });
    rmSync(dir, { recursive: true });
    const outcome = await call(`https://${await listen(server)}`);
    expect(outcome).toEqual({
      kind: 'failed',
      reason: 'could not be called (DEPTH_ZERO_SELF_SIGNED_CERT)',
      again: true,
    });
    expect(called).toBe(false);
  });

  it('that is not there is told by the error code, without its URL', async () => {
    const url = await serve(() => undefined);
    servers.splice(0).forEach((server) => server.close());
    expect(await call(`${url}/canary-path`)).toEqual({
      kind: 'failed',
      reason: 'could not be called (ECONNREFUSED)',
      again: true,
    });
  });

  it('that does not answer in time, or not to the end, has failed', async () => {
    const silent = await serve(() => undefined);
    expect(await call(silent, { timeoutMs: 200 })).toEqual({
      kind: 'failed',
      reason: 'did not answer within 0.2 s',
      again: true,
    });
    const halting = await serve((_, response) => void response.write('{'));
    expect(await call(halting, { timeoutMs: 200 })).toMatchObject({ reason: 'did not answer within 0.2 s' });
    const broken = await serve((_, response) => {
      response.write('{', () => response.destroy());
    });
    expect(await call(broken)).toMatchObject({ kind: 'failed', again: true });
  });

  it('that answers without end is cut off', async () => {
    let sentBytes = 0;
    const url = await serve((_, response) => {
      const chunk = 'x'.repeat(16_384);
      const more = (): void => {
        if (response.destroyed || sentBytes > 1e9) return;
        sentBytes += chunk.length;
        response.write(chunk, more);
      };
      more();
    });
    expect(await call(url)).toEqual({ kind: 'too-large' });
    expect(sentBytes).toBeLessThan(50_000_000);
  });

  it('is left when it is cancelled', async () => {
    let reached: () => void = () => undefined;
    const asked = new Promise<void>((done) => {
      reached = done;
    });
    const url = await serve(() => reached());
    const stop = new AbortController();
    const calling = call(url, { signal: stop.signal }).catch((error: unknown) => error);
    await asked;
    const reason = new Error('cancelled by the caller');
    stop.abort(reason);
    expect(await calling).toBe(reason);
  });
});
