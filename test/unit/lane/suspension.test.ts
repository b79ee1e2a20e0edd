import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileOf } from '../../../src/domain/profile.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { resumeGateway, suspendGateway } from '../../../src/lane/suspension.ts';
import { type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
let shell: LaneShell;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell({ port: 4711 });
});
afterAll(() => local.stop());

/** A command of the profile's that does this instead. */
function command(text: string): string[] {
  const path = join(local.folder, 'openclaw');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return [path, 'gateway'];
}

const suspend = (text: string): Promise<string | undefined> =>
  suspendGateway(shell, { suspend: command(text), resume: [] }, { requestId: 'bundle-1' });

describe('suspending a gateway', () => {
  it('asks at the port of the lane with an id of ours, and learns the id of the suspension', async () => {
    const said = `echo "Config warnings"; printf '{"status":"ready","suspensionId":"%s-%s"}' "$OPENCLAW_GATEWAY_PORT" "$2"`;
    expect(await suspend(said)).toBe('4711-bundle-1');
  });

  it.each([
    ['is busy', `echo '{"status":"busy","activeCount":1}'; exit 1`],
    ['is still draining', `echo '{"status":"draining","suspensionId":"x"}'`],
    ['says no JSON', 'echo ready'],
    ['gives an id that is none', `echo '{"status":"ready","suspensionId":"a b; rm -rf"}'`],
    ['does not answer', 'echo "Gateway suspend failed" >&2; exit 1'],
  ])('is refused when it %s', async (_what, text) => {
    expect(await suspend(text)).toBeUndefined();
  });

  it('is refused where there is no such command', async () => {
    const commands = { suspend: ['no-such-openclaw'], resume: ['no-such-openclaw'] };
    expect(await suspendGateway(shell, commands, { requestId: 'bundle-1' })).toBeUndefined();
    expect(await resumeGateway(shell, commands, 'x', {})).toBe(false);
  });

  it('is what the profile of 2026 can, and the legacy one cannot', () => {
    expect(profileOf('openclaw-2026')?.suspension?.resume).toEqual(['openclaw', 'gateway', 'resume']);
    expect(profileOf('slimvps-legacy')?.suspension).toBeUndefined();
  });
});

describe('resuming it', () => {
  it('names the suspension, and tells whether the command agreed', async () => {
    const resume = command('[ "$2" = id-1 ]');
    expect(await resumeGateway(shell, { suspend: [], resume }, 'id-1', {})).toBe(true);
    expect(await resumeGateway(shell, { suspend: [], resume }, 'id-2', {})).toBe(false);
  });
});
