import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { limits } from '../../../src/domain/limits.ts';
import { connectHost } from '../../../src/lane/host-connection.ts';
import { HostPool } from '../../../src/lane/host-pool.ts';
import { freePort, type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
beforeAll(async () => {
  local = await startLocalHost();
});
afterAll(() => local.stop());

async function run(command: string): Promise<{ status: number; out: string }> {
  const connection = await local.connect();
  const process = await connection.exec(command);
  process.stdin.end();
  const out = await text(process.stdout);
  return { status: await process.exited, out };
}

/** A TCP proxy before the sshd, to cut or stall a connection. */
async function proxy(
  onSockets: (client: Socket, server: Socket) => void,
): Promise<{ port: number; close: () => void }> {
  const { connect } = await import('node:net');
  const port = await freePort();
  const server = createServer((client) => {
    const upstream = connect(local.host.port, '127.0.0.1');
    client.on('error', () => undefined);
    upstream.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
    onSockets(client, upstream);
  }).listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { port, close: () => server.close() };
}

describe('connectHost', () => {
  it('runs commands and reads their exit statuses', async () => {
    expect(await run('printf hello; exit 3')).toEqual({ status: 3, out: 'hello' });
  });

  it('accepts a pinned RSA key as well', async () => {
    const { readFileSync } = await import('node:fs');
    const hostKey = readFileSync(`${local.folder}/host_key_rsa.pub`, 'utf8');
    const connection = await local.connect({ ...local.host, hostKey });
    expect(connection.closed).toBe(false);
  });

  it('refuses a host whose key differs in the last byte', async () => {
    const [type, base64 = ''] = local.host.hostKey.split(' ');
    const key = Buffer.from(base64, 'base64');
    key.writeUInt8(key.readUInt8(key.length - 1) ^ 1, key.length - 1);
    const host = { ...local.host, hostKey: `${type} ${key.toString('base64')}` };
    await expect(connectHost(host, local)).rejects.toMatchObject({ code: 'HostKeyChanged' });
  });

  it('refuses a host that has no key of the pinned type', async () => {
    const { execFileSync } = await import('node:child_process');
    const { readFileSync } = await import('node:fs');
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', `${local.folder}/other`]);
    const hostKey = readFileSync(`${local.folder}/other.pub`, 'utf8');
    await expect(connectHost({ ...local.host, hostKey }, local)).rejects.toMatchObject({ code: 'HostKeyChanged' });
  });

  it('tells a refused login from an unreachable host', async () => {
    await expect(connectHost({ ...local.host, user: 'no-such-user' }, local)).rejects.toMatchObject({
      code: 'HostLoginRefused',
    });
    await expect(connectHost({ ...local.host, port: await freePort() }, local)).rejects.toMatchObject({
      code: 'HostUnreachable',
    });
  });

  it('does not quote a private key that it cannot read', async () => {
    const login = {
      privateKey: Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----'),
    };
    const failure = await connectHost(local.host, login).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'HostLoginRefused' });
    expect(String(failure)).not.toContain('c2VjcmV0');
  });

  it('is ended by its signal', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address() as { port: number };
    const signal = AbortSignal.timeout(100);
    await expect(connectHost({ ...local.host, port: address.port }, local, signal)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    silent.close();
  });
});

describe('a command on a connection', () => {
  it('is read whole when it is over at once, a thousand times', async () => {
    const connection = await local.connect();
    for (let round = 0; round < 125; round += 1) {
      const statuses = await Promise.all(
        Array.from({ length: limits.channelsPerConnection }, async (_, index) => {
          const process = await connection.exec(`exit ${index}`);
          process.stdin.end();
          process.stdout.resume();
          return process.exited;
        }),
      );
      expect(statuses).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  it('carries megabytes both ways unchanged', async () => {
    const connection = await local.connect();
    const sent = randomBytes(6_000_000);
    const process = await connection.exec('cat');
    const [, got] = await Promise.all([
      pipeline(Readable.from([sent.subarray(0, 1), sent.subarray(1)]), process.stdin),
      buffer(process.stdout),
    ]);
    expect(got.equals(sent)).toBe(true);
    expect(await process.exited).toBe(0);
  });

  it('keeps backpressure: a reader that takes nothing lets the command wait', async () => {
    const connection = await local.connect();
    const process = await connection.exec('head -c 30000000 /dev/zero; echo done >&2');
    process.stdin.end();
    await sleep(400);
    expect(process.stderrTail()).toBe('');
    let sizeBytes = 0;
    for await (const chunk of process.stdout as AsyncIterable<Buffer>) sizeBytes += chunk.length;
    expect(sizeBytes).toBe(30_000_000);
    expect(await process.exited).toBe(0);
    expect(process.stderrTail()).toBe('done\n');
  });

  it('fails when a signal ends it', async () => {
    const connection = await local.connect();
    const process = await connection.exec('kill -KILL $$');
    process.stdin.end();
    process.stdout.resume();
    await expect(process.exited).rejects.toMatchObject({ code: 'HostCommandFailed' });
  });

  it('breaks its input when it fails before reading it, and swallows it when it succeeds', async () => {
    const connection = await local.connect();
    // not before its input begins: Node has a failure of its own for that
    const failing = await connection.exec('sleep 0.5; exit 4');
    failing.stdout.resume();
    await expect(pipeline(Readable.from([Buffer.alloc(9_000_000)]), failing.stdin)).rejects.toMatchObject({
      code: 'HostCommandFailed',
    });
    expect(await failing.exited).toBe(4);
    const content = await connection.exec('head -c 10');
    const [, out] = await Promise.all([
      pipeline(Readable.from([Buffer.alloc(9_000_000)]), content.stdin),
      buffer(content.stdout),
    ]);
    expect(out).toHaveLength(10);
    expect(await content.exited).toBe(0);
  });

  it('fails HostConnectionLost at once when the connection is cut in the middle', async () => {
    const cut: Socket[] = [];
    const front = await proxy((client) => cut.push(client));
    const connection = await local.connect({ ...local.host, port: front.port });
    const process = await connection.exec('head -c 100000000 /dev/zero; sleep 30');
    process.stdin.end();
    const reading = buffer(process.stdout);
    setTimeout(() => cut[0]?.destroy(), 100);
    await expect(reading).rejects.toMatchObject({ code: 'HostConnectionLost' });
    await expect(process.exited).rejects.toMatchObject({ code: 'HostConnectionLost' });
    expect(connection.closed).toBe(true);
    await expect(connection.exec('true')).rejects.toMatchObject({ code: 'HostConnectionLost' });
    front.close();
  });

  it('notices within seconds that the peer has gone silent', async () => {
    const front = await proxy((client, upstream) => {
      setTimeout(() => {
        client.unpipe(upstream);
        upstream.unpipe(client);
      }, 700);
    });
    const connection = await local.connect({ ...local.host, port: front.port });
    const process = await connection.exec('sleep 60');
    const startedAtMs = performance.now();
    process.stdout.resume();
    await expect(process.exited).rejects.toMatchObject({ code: 'HostConnectionLost' });
    expect(performance.now() - startedAtMs).toBeLessThan(limits.keepAliveIntervalMs * (limits.keepAliveCount + 3));
    front.close();
  }, 20_000);

  it('fails with the reason of its signal', async () => {
    const connection = await local.connect();
    const abort = new AbortController();
    const process = await connection.exec('sleep 60', { signal: abort.signal });
    process.stdout.resume();
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(process.exited).rejects.toBe(reason);
  });

  it('fails with it also when that came while the channel was being opened', async () => {
    const connection = await local.connect();
    const abort = new AbortController();
    const opening = connection.exec('sleep 60', { signal: abort.signal });
    // asked for by now, and the host has not answered
    await new Promise((resolve) => setImmediate(resolve));
    const reason = new Error('enough');
    abort.abort(reason);
    const process = await opening;
    process.stdout.on('error', () => undefined);
    await expect(process.exited).rejects.toBe(reason);
    await vi.waitFor(() => expect(connection.load).toBe(0));
  });

  it('waits for a channel when all are taken', async () => {
    const connection = await local.connect();
    const outs = await Promise.all(
      Array.from({ length: 3 * limits.channelsPerConnection }, async (_, index) => {
        const process = await connection.exec(`sleep 0.05; echo ${index}`);
        process.stdin.end();
        const out = await text(process.stdout);
        await process.exited;
        return Number(out);
      }),
    );
    expect(outs).toEqual(Array.from({ length: outs.length }, (_, index) => index));
    // A channel is free when the host has closed it, which it does after the output has ended.
    await vi.waitFor(() => expect(connection.load).toBe(0));
  });
});

describe('a full connection', () => {
  it('lets a waiting command be ended by its signal, and never takes more channels than allowed', async () => {
    const connection = await local.connect();
    const held = await Promise.all(Array.from({ length: limits.channelsPerConnection }, () => connection.exec('cat')));
    const abort = new AbortController();
    const waiting = connection.exec('true', { signal: abort.signal });
    const next = connection.exec('echo next');
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    held[0]?.stdin.end();
    held[0]?.stdout.resume();
    const process = await next;
    process.stdin.end();
    expect(await text(process.stdout)).toBe('next\n');
    const refill = await connection.exec('cat');
    const last = connection.exec('echo last');
    connection.close();
    await expect(last).rejects.toMatchObject({ code: 'HostConnectionLost' });
    await expect(refill.exited).rejects.toMatchObject({ code: 'HostConnectionLost' });
  });
});

describe('HostPool', () => {
  it('reuses one connection, and opens another when its channels are taken', async () => {
    const pool = new HostPool(async () => local);
    const [first, second] = await Promise.all([pool.lease(local.host), pool.lease(local.host)]);
    expect(second).toBe(first);
    const held = await Promise.all(Array.from({ length: limits.channelsPerConnection }, () => first.exec('cat')));
    const short = await first.exec('echo still going');
    short.stdin.end();
    expect(await text(short.stdout)).toBe('still going\n');
    expect(first.load).toBe(limits.channelsPerConnection);
    for (const process of held) {
      process.stdin.end();
      process.stdout.resume();
    }
    pool.close();
  });

  it('makes a new connection when the old one is gone', async () => {
    const pool = new HostPool(async () => local);
    const first = await pool.lease(local.host);
    first.close();
    const process = await first.exec('echo again');
    process.stdin.end();
    expect(await text(process.stdout)).toBe('again\n');
    expect(await pool.lease(local.host)).not.toBe(first);
    pool.close();
    await expect(pool.lease(local.host)).rejects.toMatchObject({ code: 'HostConnectionLost' });
  });
});
