// The hooks of docs/hooks.md, each run as it stands there, with stand-ins for the programs that only an operator has.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { runHookStep } from '../../../src/activities/hooks/run-hook.ts';
import { configuredHooks, resolveHook } from '../../../src/config/fleet-hooks.ts';
import { loadFleet } from '../../../src/config/fleet-file.ts';
import { hookKinds, type HookInput, type HookKind } from '../../../src/contract/hooks.ts';
import { runStep } from '../activities/golden-stores.ts';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { blocksOf, pageText, runBlock } from './pages.ts';

let bed: FleetBed;

beforeAll(async () => {
  bed = await makeFleetBed();
  mkdirSync(join(bed.dir, 'bin'));
  const rented = JSON.stringify({ address: '192.0.2.9', hostKey: `ssh-ed25519 ${'A'.repeat(68)}` });
  standIn('ssh', 'echo "ssh $*" >> calls.log');
  standIn('power-off', 'echo "power-off $*" >> calls.log');
  standIn('set-address', 'echo "set-address $*" >> calls.log');
  standIn('rent-a-mac', `cat >> calls.log; echo '${rented}'`);
  vi.stubEnv('PATH', `${join(bed.dir, 'bin')}:${process.env['PATH']}`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await bed.remove();
});

function standIn(name: string, text: string): void {
  writeFileSync(join(bed.dir, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

async function ask<K extends HookKind>(hook: K, text: string, input: HookInput<K>): Promise<unknown> {
  chmodSync(await bed.file(`${hook}.sh`, text), 0o700);
  const fleet = await loadFleet(await bed.fleet([/$/, `hooks:\n  ${hook}: { command: [./${hook}.sh] }\n`]));
  const deps = {
    fleet: { name: fleet.fleet.fleet, digest: fleet.digest },
    hooks: { kinds: configuredHooks(fleet), resolve: (kind: HookKind) => resolveHook(fleet, kind) },
  } as unknown as Deps;
  writeFileSync(join(bed.dir, 'calls.log'), '');
  return runStep(runHookStep(deps), { hook, key: 'run-7/x', input });
}

const calls = (): string => readFileSync(join(bed.dir, 'calls.log'), 'utf8');
const place = { lane: 'lane-1', host: 'mac-1', address: '192.0.2.7', port: 22, login: 'admin', user: 'agent-lane-1' };

describe('the hooks of docs/hooks.md', () => {
  it('alert: one line for each', async () => {
    const since = '2026-11-22T03:15:00.000Z';
    const text = {
      code: 'RpoMissed',
      subject: 'lane-1',
      message: 'no tier A for 26 h',
      since,
      runbook: 'docs/operating.md',
    };
    expect(await ask('alert', runBlock('docs/hooks.md', 'alert'), { severity: 'warning', ...text })).toEqual({});
    expect(readFileSync(join(bed.dir, 'alerts.log'), 'utf8')).toBe('warning lane-1 no tier A for 26 h\n');
  });

  it('upgrade: the version that was asked for, or its own', async () => {
    const text = runBlock('docs/hooks.md', 'upgrade');
    const asked = { ...place, from: '2026.9.6', to: '2026.11.1' };
    expect(await ask('upgrade', text, asked)).toEqual({ version: '2026.11.1' });
    expect(calls()).toBe('ssh -p 22 admin@192.0.2.7 upgrade-openclaw agent-lane-1 2026.11.1\n');
    expect(await ask('upgrade', text, { ...asked, to: null })).toEqual({ version: '2026.10.2' });
  });

  it('pin: that version', async () => {
    expect(await ask('pin', runBlock('docs/hooks.md', 'pin'), { ...place, version: '2026.9.6' })).toEqual({});
    expect(calls()).toBe('ssh -p 22 admin@192.0.2.7 pin-openclaw agent-lane-1 2026.9.6\n');
  });

  it('provision: address and host key of the new Mac', async () => {
    const lanes = [{ lane: 'lane-1', user: 'agent-lane-1', port: 11430 }];
    const lost = { host: 'mac-1', region: 'tokyo', profile: 'slimvps-legacy', version: '2026.9.6', lanes };
    const answer = await ask('provision', runBlock('docs/hooks.md', 'provision'), lost);
    expect(answer).toEqual({ address: '192.0.2.9', hostKey: `ssh-ed25519 ${'A'.repeat(68)}` });
    expect(JSON.parse(calls())).toEqual({ hook: 'provision', fleet: 'demo', key: 'run-7/x', ...lost });
  });

  it('fence: in which way', async () => {
    const lost = { host: 'mac-1', address: '192.0.2.7', region: 'tokyo', lanes: ['lane-1'] };
    expect(await ask('fence', runBlock('docs/hooks.md', 'fence'), lost)).toEqual({ fenced: 'power-off' });
    expect(calls()).toBe('power-off mac-1\n');
  });

  it('dns: each lane', async () => {
    const moved = { host: 'mac-2', address: '192.0.2.9', lanes: ['lane-1', 'lane-2'] };
    expect(await ask('dns', runBlock('docs/hooks.md', 'dns'), moved)).toEqual({});
    expect(calls()).toBe('set-address lane-1 192.0.2.9\nset-address lane-2 192.0.2.9\n');
  });

  it('are of every kind, and the example of fleet.yaml is right', async () => {
    const headings = [...pageText('docs/hooks.md').matchAll(/^### (.*)$/gm)].map(([, kind]) => kind);
    expect(headings).toEqual(hookKinds);
    const [yaml] = blocksOf('docs/hooks.md').filter(({ language }) => language === 'yaml');
    const fleet = await loadFleet(await bed.fleet([/$/, yaml?.text ?? '']));
    expect(configuredHooks(fleet)).toEqual(['alert', 'upgrade']);
  });
});
