// Class 3, removed on a real file system over SSH: what goes, and above all what stays.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profiles, type PruneRule } from '../../../src/domain/profile.ts';
import { pruneTrees } from '../../../src/lane/prune.ts';
import { matchesAny } from '../../../src/bundle/globs.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
let shell: LaneShell;
let home: string;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
  home = shell.target.home;
});
afterAll(() => local.stop());

const rules: readonly PruneRule[] = [
  { kind: 'npm-cache', how: 'content', path: '.npm' },
  { kind: 'caches', how: 'content', path: '.cache' },
  { kind: 'scratch', how: 'content', path: '.openclaw/tmp' },
  { kind: 'node-modules', how: 'packages', path: 'workspace' },
];

function put(path: string, bytes = 10): void {
  mkdirSync(join(home, path, '..'), { recursive: true });
  writeFileSync(join(home, path), Buffer.alloc(bytes, 7));
  own();
}

/** The lane's user is another than ours where we are root. */
function own(): void {
  if (isRoot) execFileSync('chown', ['-hR', shell.target.user, home]);
}

const here = (path: string): boolean => existsSync(join(home, path));

describe('pruning', () => {
  it('empties caches, keeps their folders, and tells counts and bytes by kind', async () => {
    put('.npm/_cacache/index/a', 50_000);
    put('.npm/with\nnewline/b', 50_000);
    const answer = await pruneTrees(shell, rules, {});
    expect(readdirSync(join(home, '.npm'))).toEqual([]);
    const [npm, ...others] = answer;
    expect(npm).toMatchObject({ kind: 'npm-cache', trees: 1 });
    expect(npm?.sizeBytes).toBeGreaterThanOrEqual(100_000);
    expect(others.map(({ trees }) => trees)).toEqual([0, 0, 0]);
  });

  it('finds nothing the second time', async () => {
    for (const { trees, sizeBytes } of await pruneTrees(shell, rules, {})) expect([trees, sizeBytes]).toEqual([0, 0]);
  });

  it('removes packages beside a lockfile, however deep and oddly named, and none without', async () => {
    put('workspace/a b/$(touch x)/node_modules/one/index.js', 20_000);
    put('workspace/a b/$(touch x)/pnpm-lock.yaml');
    put('workspace/bare/node_modules/two/index.js');
    put('workspace/inside/node_modules/three/node_modules/four/index.js');
    put('workspace/inside/yarn.lock');
    const answer = await pruneTrees(shell, rules, {});
    expect(answer.find(({ kind }) => kind === 'node-modules')).toMatchObject({ trees: 2 });
    expect(here('workspace/a b/$(touch x)/node_modules')).toBe(false);
    expect(here('workspace/a b/$(touch x)/pnpm-lock.yaml')).toBe(true);
    expect(here('workspace/inside/node_modules')).toBe(false);
    expect(here('workspace/bare/node_modules/two/index.js')).toBe(true);
    expect(here('x')).toBe(false);
  });

  it('follows no link: neither one in its place, nor one above it, nor one within', async () => {
    put('outside/kept');
    put('outside/node_modules/kept/index.js');
    put('outside/package-lock.json');
    symlinkSync(join(home, 'outside'), join(home, '.cache'));
    symlinkSync(join(home, 'outside'), join(home, '.openclaw'));
    mkdirSync(join(home, 'outside/tmp'));
    put('outside/tmp/kept');
    symlinkSync(join(home, 'outside'), join(home, 'workspace/link'));
    put('.npm/real');
    symlinkSync(join(home, 'outside/kept'), join(home, '.npm/link'));
    own();
    await pruneTrees(shell, rules, {});
    expect(readdirSync(join(home, '.npm'))).toEqual([]);
    for (const path of ['kept', 'tmp/kept', 'node_modules/kept/index.js']) expect(here(`outside/${path}`)).toBe(true);
  });

  it('removes what lies in folders without write permission', async () => {
    put('.npm/locked/deep/file', 10_000);
    execFileSync('chmod', ['555', join(home, '.npm/locked/deep')]);
    await pruneTrees(shell, rules, {});
    expect(readdirSync(join(home, '.npm'))).toEqual([]);
  });

  it.each(profiles.map((profile) => [profile.id, profile] as const))(
    'touches nothing that a bundle of %s would hold',
    (_, { prunes, skip }) => {
      const isSkipped = (path: string): boolean => matchesAny(Buffer.from(path), skip);
      for (const { how, path } of prunes) {
        const sample = how === 'content' ? `${path}/a/b` : `${path}/a/node_modules/b`;
        expect([sample, isSkipped(sample)]).toEqual([sample, true]);
      }
    },
  );
});
