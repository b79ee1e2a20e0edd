// The demo refuses to go on when a tool does not answer as a stand-in, or something lies outside its folder.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { requireStandIns } from '../demo/stand-ins.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-guard-'));
let bed: Bed;
beforeAll(async () => {
  bed = await startBed({ kind: 'in-process', dir: join(dir, 'bed'), hosts: [{ name: 'mac-1', lanes: 1 }] });
});
afterAll(async () => {
  await bed?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A tool as a Mac has it: it knows no such option. */
function realTool(name: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\necho "${name}: unrecognized option" >&2\nexit 64\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The bed, with one host and one lane changed. */
function withHost(
  change: (host: Bed['hosts'][number]) => object,
  home?: string,
): Parameters<typeof requireStandIns>[0] {
  const hosts = bed.hosts.map(({ name, tools, realRoot, ...host }) => ({
    name,
    tools,
    realRoot,
    ...change({ ...host, name, tools, realRoot }),
  }));
  const lanes = bed.lanes.map(({ lane, realHome }) => ({ lane, realHome: home ?? realHome }));
  return { dir: bed.dir, sshKey: bed.sshKey, host: (name) => bed.host(name), hosts, lanes };
}

describe('the guard of the demo', () => {
  it('lets the bed as it is pass', async () => {
    await expect(requireStandIns(bed)).resolves.toBeUndefined();
  });

  it.each(['sudo', 'launchctl', 'security', 'tar', 'sqlite3', 'curl', 'pgrep', 'ps'])(
    'refuses a real %s',
    async (tool) => {
      const real = withHost(({ tools }) => ({ tools: { ...tools, [tool]: realTool(tool) } }));
      await expect(requireStandIns(real)).rejects.toThrow(`would use a real ${tool}`);
    },
  );

  it('refuses a host that names no launchctl, for it would get the default', async () => {
    const bare = withHost(({ tools: { launchctl: _, ...tools } }) => ({ tools }));
    await expect(requireStandIns(bare)).rejects.toThrow('would use a real launchctl');
  });

  it('refuses a stand-in of another name in its place', async () => {
    const swapped = withHost(({ tools }) => ({ tools: { ...tools, sudo: tools['launchctl'] } }));
    await expect(requireStandIns(swapped)).rejects.toThrow('would use a real sudo');
  });

  it('refuses a root or a home outside its folder', async () => {
    await expect(requireStandIns(withHost(() => ({ realRoot: '/' })))).rejects.toThrow(
      'the root of host mac-1 lies outside',
    );
    await expect(requireStandIns(withHost(() => ({}), '/Users/agent-lane-1'))).rejects.toThrow(
      'the home of lane-1 lies outside',
    );
  });
});
