import { createServer, connect, type Server, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../../bed/tcp-proxy.ts';

let echo: Server;
let proxy: TcpProxy;

beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await TcpProxy.start({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.close();
  echo.close();
});

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(proxy.port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends and waits for as much to come back. @returns milliseconds, or why it did not */
async function roundTrip(socket: Socket, sizeBytes: number, withinMs = 3000): Promise<number | 'closed' | 'silent'> {
  const startedMs = Date.now();
  let seen = 0;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('silent'), withinMs);
    const done = (answer: number | 'closed'): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    socket.on('data', (data) => {
      seen += data.length;
      if (seen >= sizeBytes) done(Date.now() - startedMs);
    });
    socket.on('error', () => done('closed')).on('close', () => done('closed'));
    socket.write(Buffer.alloc(sizeBytes));
  });
}

describe('the proxy', () => {
  it('passes bytes both ways and counts them', async () => {
    expect(await roundTrip(await open(), 10_000)).toEqual(expect.any(Number));
    expect(proxy.passedBytes).toBe(20_000);
  });

  it('adds latency each way', async () => {
    proxy.set({ latencyMs: 60 });
    expect(await roundTrip(await open(), 10)).toBeGreaterThanOrEqual(118);
  });

  it('caps the bandwidth', async () => {
    proxy.set({ bytesPerSecond: 1_000_000 });
    expect(await roundTrip(await open(), 200_000)).toBeGreaterThanOrEqual(195);
  });

  it('caps all connections together, as a link does', async () => {
    proxy.set({ bytesPerSecond: 1_000_000 });
    const sockets = [await open(), await open()];
    const took = await Promise.all(sockets.map((socket) => roundTrip(socket, 100_000)));
    expect(Math.max(...took.map(Number))).toBeGreaterThanOrEqual(195);
  });

  it('cuts after so many bytes', async () => {
    proxy.set({ cutAfterBytes: 50_000 });
    expect(await roundTrip(await open(), 200_000)).toBe('closed');
    proxy.set({});
    expect(await roundTrip(await open(), 200_000)).toEqual(expect.any(Number));
  });

  it('swallows bytes in a black hole, and gives them back when it ends', async () => {
    const socket = await open();
    proxy.set({ blackhole: true });
    expect(await roundTrip(socket, 100, 200)).toBe('silent');
    const back = new Promise((resolve) => socket.once('data', resolve));
    proxy.set({});
    expect(await back).toHaveLength(100);
  });

  it('refuses new connections', async () => {
    proxy.set({ refuse: true });
    const socket = await open().catch(() => undefined);
    if (socket !== undefined) expect(await roundTrip(socket, 10)).toBe('closed');
    proxy.set({});
    expect(await roundTrip(await open(), 10)).toEqual(expect.any(Number));
  });
});
