import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bestBedKind, startBed } from '../bed/bed.ts';
import { runOnHost } from '../bed/bed-shell.ts';
import { bedSuite } from './bed-suite.ts';

/** What is not there, or not for this user, cannot be compared. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the machine must still be while a bed runs and when it is gone. */
function machine(): unknown {
  const read = (path: string): string | undefined => (isReadable(path) ? readFileSync(path, 'utf8') : undefined);
  const list = (path: string): string[] | undefined => (isReadable(path) ? readdirSync(path) : undefined);
  return {
    files: ['/etc/passwd', '/etc/group', '/etc/shadow', '/etc/sudoers', '/etc/hosts', '/proc/self/mounts'].map(read),
    folders: ['/Users', '/Library', '/private', '/etc/sudoers.d', '/opt', '/usr/bin', '/usr/local/bin'].map(list),
  };
}

// where they cannot be made (no root, no overlay), the truest kind is another, and its suite runs twice
const kind = bestBedKind();
bedSuite(kind);

describe(`the machine under a bed of kind ${kind}`, () => {
  it('keeps its own users, sudoers, hosts file, /Users, /Library and mounts', async () => {
    const before = machine();
    const dir = mkdtempSync(join(tmpdir(), 'bed-machine-'));
    const bed = await startBed({ kind, dir, hosts: [{ name: 'mac-1', lanes: 1 }] });
    expect(machine()).toEqual(before);
    expect((await runOnHost(bed, bed.host('mac-1'), 'hostname; pwd')).status).toBe(0);
    await bed.stop();
    expect(machine()).toEqual(before);
    rmSync(dir, { recursive: true, force: true });
  });
});
