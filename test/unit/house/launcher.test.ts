// The launcher, as an operator calls it. The command line itself is replaced by one that says how it was started.

import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const project = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const systemPath = '/usr/bin:/bin';
const sayHow =
  'console.log(JSON.stringify({ version: process.version, args: process.argv.slice(2), cwd: process.cwd() }));';

let home: string;
let elsewhere: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'clawback home-'));
  elsewhere = await mkdtemp(join(tmpdir(), 'clawback-elsewhere-'));
  await copyFile(join(project, 'clawback'), join(home, 'clawback'));
  await mkdir(join(home, 'src/cli'), { recursive: true });
  await writeFile(join(home, 'src/cli/main.ts'), sayHow);
});
afterEach(async () => {
  await rm(home, { recursive: true });
  await rm(elsewhere, { recursive: true });
});

async function installPinnedNode(): Promise<void> {
  await symlink(join(project, 'node_modules'), join(home, 'node_modules'));
}

async function installSystemNode(version: string): Promise<void> {
  const node = join(elsewhere, 'node');
  await writeFile(
    node,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else exec "${process.execPath}" "$@"; fi\n`,
  );
  await chmod(node, 0o755);
}

async function launch(program: string, args: readonly string[] = [], path = systemPath) {
  const { stdout } = await run(program, [...args], { cwd: elsewhere, env: { PATH: path } });
  return JSON.parse(stdout) as { version: string; args: string[]; cwd: string };
}

describe('./clawback', () => {
  it('runs the command line on the pinned Node, from any directory', async () => {
    await installPinnedNode();
    const { version, cwd } = await launch(join(home, 'clawback'));
    expect(version).toBe('v24.21.0');
    expect(cwd).toBe(elsewhere);
  });

  it('hands its arguments on as they are', async () => {
    await installPinnedNode();
    const args = ['restore', 'lane 1', '--at', '$(id)', '', '*'];
    expect((await launch(join(home, 'clawback'), args)).args).toEqual(args);
  });

  it('works through a link to a link', async () => {
    await installPinnedNode();
    await symlink(join(home, 'clawback'), join(elsewhere, 'one'));
    await symlink('one', join(elsewhere, 'two'));
    expect((await launch(join(elsewhere, 'two'))).args).toEqual([]);
  });

  it('says what to do when its packages are not installed', async () => {
    await expect(launch(join(home, 'clawback'))).rejects.toMatchObject({
      code: 2,
      stderr: `clawback: its packages are not installed\nHINT: run \`npm ci\` in ${home}\n`,
    });
  });

  it('takes a system Node that is new enough where only production packages are installed', async () => {
    await mkdir(join(home, 'node_modules'));
    await installSystemNode('v26.1.0');
    expect((await launch(join(home, 'clawback'), [], `${elsewhere}:/usr/bin:/bin`)).args).toEqual([]);
  });

  it('refuses an older system Node', async () => {
    await mkdir(join(home, 'node_modules'));
    await installSystemNode('v20.20.2');
    await expect(launch(join(home, 'clawback'), [], `${elsewhere}:/usr/bin:/bin`)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no Node 24 or newer on PATH'),
    });
  });
});
