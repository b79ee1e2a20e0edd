// The real dev server, started and ended in every way that matters.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevServer, type DevServerOptions, startDevServer } from '../../../src/embedded/dev-server.ts';
import { ensureTemporalCli } from '../../../src/embedded/temporal-cli.ts';
import { isAlive } from '../../setup/is-alive.ts';

const project = resolve(import.meta.dirname, '../../..');
let cli: string;
let folder: string;

beforeAll(async () => {
  cli = (await ensureTemporalCli()).path;
  folder = await mkdtemp(join(tmpdir(), 'clawback-server-'));
}, 30 * 60_000);
afterAll(() => rm(folder, { recursive: true }));

async function describeNamespace(server: DevServer): Promise<{ namespaceInfo: { id: string } }> {
  const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/v1/namespaces/default`);
  return (await answer.json()) as { namespaceInfo: { id: string } };
}

async function withServer(
  options: Omit<DevServerOptions, 'cli'>,
  use: (server: DevServer) => Promise<void>,
): Promise<void> {
  const server = await startDevServer({ cli, ...options });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
  expect(isAlive(server.pid)).toBe(false);
}

describe('the embedded Temporal server', () => {
  it('registers search attributes, shows its UI, and is gone after stop', async () => {
    await withServer({ searchAttributes: { ClawbackLane: 'Keyword' } }, async (server) => {
      const url = `http://127.0.0.1:${server.ports.http}/api/v1/namespaces/default/search-attributes`;
      const answer = (await (await fetch(url)).json()) as { customAttributes: unknown };
      expect(answer.customAttributes).toEqual({ ClawbackLane: 'INDEXED_VALUE_TYPE_KEYWORD' });
      expect((await fetch(`${server.uiUrl}/`)).status).toBe(200);
      expect(server.address).toBe(`127.0.0.1:${server.ports.grpc}`);
    });
  });

  it('keeps its database over kill -9, at the same address', async () => {
    const dbFile = join(folder, 'kept.db');
    const first = await startDevServer({ cli, dbFile, headless: true });
    const before = await describeNamespace(first);
    first.kill();
    expect(await first.exited).toBe(137);
    await withServer({ dbFile, ports: first.ports, headless: true }, async (second) => {
      expect(second.address).toBe(first.address);
      expect(second.uiUrl).toBeUndefined();
      expect((await describeNamespace(second)).namespaceInfo.id).toBe(before.namespaceInfo.id);
    });
  });

  it('tells that it was ended from outside', async () => {
    const server = await startDevServer({ cli, headless: true });
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toBe(137);
    await server.stop();
  });

  it('runs beside others', async () => {
    await withServer({ headless: true }, async (one) => {
      await withServer({ headless: true }, async (two) => {
        expect((await describeNamespace(one)).namespaceInfo.id).not.toBe(
          (await describeNamespace(two)).namespaceInfo.id,
        );
      });
    });
  });

  it('is gone when its owner is killed with SIGKILL', async () => {
    const module = join(project, 'src/embedded/dev-server.ts');
    const code = `
      const { startDevServer } = await import(${JSON.stringify(module)});
      const server = await startDevServer({ cli: ${JSON.stringify(cli)}, headless: true });
      console.log(server.pid);
      setInterval(() => undefined, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [first] = (await once(owner.stdout, 'data')) as [Buffer];
    const pid = Number(first.toString());
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });

  it('fails with the last words of a server whose port is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const taken = (holder.address() as { port: number }).port;
    const failing = startDevServer({ cli, ports: { grpc: taken, ui: taken, http: taken }, headless: true });
    await expect(failing).rejects.toMatchObject({
      code: 'TemporalWouldNotStart',
      message: expect.stringMatching(/port|bind/),
    });
    holder.close();
  });

  it('fails at once when the program is not there', async () => {
    const failing = startDevServer({ cli: '/nowhere/temporal' });
    await expect(failing).rejects.toMatchObject({ code: 'TemporalWouldNotStart' });
  });

  it('is ended by its signal, before and after the start', async () => {
    await expect(startDevServer({ cli, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    await expect(startDevServer({ cli, signal: AbortSignal.timeout(1) })).rejects.toThrow(/timeout/);
    const cancel = new AbortController();
    const server = await startDevServer({ cli, headless: true, signal: cancel.signal });
    cancel.abort();
    expect(await server.exited).toBe(137);
  });
});
