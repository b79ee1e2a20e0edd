// The import rules see the files and refuse what they must: one violation of every rule is planted in a copy of
// the rooms, beside imports that are allowed. A checker that silently sees nothing fails here.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = resolve(import.meta.dirname, '../../..');

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

async function cruise(cwd: string, folders: readonly string[]): Promise<Cruise> {
  const depcruise = join(project, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const config = join(project, '.dependency-cruiser.mjs');
  const args = [depcruise, '--config', config, '--output-type', 'json', ...folders];
  // The exit status is the number of violations, so it is not an error here.
  const done = await promisify(execFile)(process.execPath, args, { cwd, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout: string }) => error,
  );
  return JSON.parse(done.stdout) as Cruise;
}

/** What each room may import, and for each rule of the room one import that it must refuse. */
const rooms: Record<string, { allowed: readonly string[]; refused: Record<string, string> }> = {
  domain: {
    allowed: ['../domain/index.ts'],
    refused: { 'domain-rooms': '../contract/index.ts', 'domain-npm': 'zod', 'domain-node': 'node:fs' },
  },
  contract: {
    allowed: ['../domain/index.ts', 'zod', '@temporalio/workflow', '@temporalio/common'],
    refused: { 'contract-rooms': '../config/index.ts', 'contract-npm': 'yaml', 'contract-node': 'node:crypto' },
  },
  workflows: {
    allowed: ['../domain/index.ts', '../contract/index.ts', '@temporalio/workflow', '@temporalio/common'],
    refused: {
      'workflows-rooms': '../store/index.ts',
      'workflows-npm': '@temporalio/activity',
      'workflows-node': 'node:path',
      'workflows-activities': '../activities/index.ts',
    },
  },
  signing: {
    allowed: ['../domain/index.ts', 'zod', '@sigstore/core', 'canonicalize', 'node:crypto'],
    refused: { 'signing-rooms': '../bundle/index.ts', 'signing-npm': 'tar-stream' },
  },
  bundle: {
    allowed: ['../domain/index.ts', '../signing/index.ts', 'zod', 'tar-stream', 'canonicalize', 'node:stream'],
    refused: { 'bundle-rooms': '../lane/index.ts', 'bundle-npm': '@temporalio/common' },
  },
  lane: {
    allowed: ['../domain/index.ts', 'ssh2', 'node:stream'],
    refused: { 'lane-rooms': '../config/index.ts', 'lane-npm': 'zod' },
  },
  store: {
    allowed: ['../domain/index.ts', '@aws-sdk/client-s3', 'node:fs'],
    refused: { 'store-rooms': '../bundle/index.ts', 'store-npm': 'tar-stream' },
  },
  receipt: {
    allowed: ['../domain/index.ts', '../signing/index.ts', 'canonicalize', 'node:crypto'],
    refused: { 'receipt-rooms': '../store/index.ts', 'receipt-npm': '@temporalio/activity' },
  },
  hook: {
    allowed: ['../domain/index.ts', 'node:child_process'],
    refused: { 'hook-rooms': '../cli/index.ts', 'hook-npm': 'ssh2' },
  },
  config: {
    allowed: ['../domain/index.ts', '../contract/index.ts', 'yaml', 'node:fs'],
    refused: { 'config-rooms': '../lane/index.ts', 'config-npm': '@temporalio/client' },
  },
  telemetry: {
    allowed: ['../domain/index.ts', 'pino', 'node:os'],
    refused: { 'telemetry-rooms': '../contract/index.ts', 'telemetry-npm': '@temporalio/worker' },
  },
  activities: {
    allowed: [
      '../bundle/index.ts',
      '../lane/index.ts',
      '../store/index.ts',
      '../telemetry/index.ts',
      '@temporalio/activity',
    ],
    refused: { 'activities-rooms': '../workflows/index.ts', 'activities-npm': '@temporalio/workflow' },
  },
  client: {
    allowed: ['../domain/index.ts', '../contract/index.ts', '@temporalio/client'],
    refused: { 'client-rooms': '../activities/index.ts', 'client-npm': '@temporalio/worker' },
  },
  embedded: {
    allowed: ['../domain/index.ts', '@temporalio/testing', 'node:net'],
    refused: { 'embedded-rooms': '../config/index.ts', 'embedded-npm': '@temporalio/client' },
  },
  page: {
    allowed: ['../client/index.ts', '../domain/index.ts', '../contract/index.ts'],
    refused: { 'page-rooms': '../lane/index.ts', 'page-npm': '@temporalio/client' },
  },
  cli: {
    allowed: ['../client/index.ts', '../embedded/index.ts', '../config/index.ts', 'commander', 'log-update'],
    refused: {
      'cli-rooms': '../workflows/index.ts',
      'cli-contract': '../contract/index.ts',
      'cli-npm': '@temporalio/client',
    },
  },
};

/** Rules that are not about a room. */
const elsewhere: Record<string, Record<string, string>> = {
  'src/worker.ts': { 'worker-tests': '../test/any.ts' },
  'src/activities/planted-worker.ts': { 'worker-imported': '../worker.ts' },
  'src/cli/status.ts': { 'cli-lane': '../lane/index.ts' },
  'src/cli/commands/restore.ts': { 'cli-changing': '../../bundle/index.ts' },
  'src/stray.ts': { 'no-room': './domain/index.ts' },
  'src/store/circle-a.ts': { 'no-circle': './circle-b.ts' },
  'src/lane/lost.ts': { 'not-found': './nowhere.ts' },
};

const importOf = (specifier: string): string => `import '${specifier}';\n`;

async function plant(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

async function plantAll(root: string): Promise<void> {
  await symlink(join(project, 'node_modules'), join(root, 'node_modules'));
  await plant(root, 'test/any.ts', 'export const any = 1;\n');
  for (const [room, { allowed, refused }] of Object.entries(rooms)) {
    await plant(root, `src/${room}/index.ts`, 'export const here = 1;\nexport type Here = number;\n');
    await plant(root, `src/${room}/allowed.ts`, allowed.map(importOf).join(''));
    for (const [rule, specifier] of Object.entries(refused)) {
      await plant(root, `src/${room}/${rule}.ts`, importOf(specifier));
    }
  }
  for (const [path, imports] of Object.entries(elsewhere)) {
    await plant(root, path, Object.values(imports).map(importOf).join(''));
  }
  await plant(
    root,
    'src/domain/using.ts',
    `export async function held() {\n  await using z = await import('zod');\n}\n`,
  );
  await plant(root, 'src/cli/lane-probe.ts', importOf('../lane/index.ts'));
  await plant(root, 'src/cli/commands/open.ts', importOf('../../bundle/index.ts'));
  await plant(root, 'src/store/circle-b.ts', importOf('./circle-a.ts'));
  const typesOf = (room: string): string => `import type { Here } from '../${room}/index.ts';\nexport type T = Here;\n`;
  await plant(root, 'src/workflows/types.ts', typesOf('activities'));
  await plant(root, 'src/cli/types.ts', typesOf('contract'));
}

describe('import rules on planted violations', () => {
  let root: string;
  let seen: Set<string>;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'clawback-rules-'));
    await plantAll(root);
    const { summary } = await cruise(root, ['src', 'test']);
    seen = new Set(summary.violations.map(({ from, rule }) => `${from} ${rule.name}`));
  }, 60_000);
  afterAll(() => rm(root, { recursive: true }));

  it.each(Object.entries(rooms))('%s is refused every import of another kind', (room, { refused }) => {
    for (const rule of Object.keys(refused)) expect(seen).toContain(`src/${room}/${rule}.ts ${rule}`);
  });

  it.each(Object.keys(rooms))('%s may import what the table allows', (room) => {
    expect([...seen].filter((line) => line.startsWith(`src/${room}/allowed.ts `))).toEqual([]);
  });

  it.each(Object.entries(elsewhere))('%s is refused', (path, imports) => {
    for (const rule of Object.keys(imports)) expect(seen).toContain(`${path} ${rule}`);
  });

  it('lets workflows import types of activities and the CLI types of the contract, and only types', () => {
    expect([...seen].filter((line) => /^src\/(workflows|cli)\/types\.ts /.test(line))).toEqual([]);
  });

  it('lets the command line probe lanes from one file, and reading commands open bundles', () => {
    const allowed = ['src/cli/lane-probe.ts ', 'src/cli/commands/open.ts '];
    expect([...seen].filter((line) => allowed.some((path) => line.startsWith(path)))).toEqual([]);
  });

  it('sees imports inside `await using`', () => {
    expect(seen).toContain('src/domain/using.ts domain-npm');
  });

  it('has a rule for every room, and a room for every folder of src', async () => {
    const folders = await readdir(join(project, 'src'), { withFileTypes: true });
    const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    expect(Object.keys(rooms)).toEqual(expect.arrayContaining(names));
  });
});

describe('import rules on the project', () => {
  it('see every source file', async () => {
    const files = await readdir(join(project, 'src'), { recursive: true });
    const sources = files.filter((path) => path.endsWith('.ts')).map((path) => `src/${path}`);
    const { modules } = await cruise(project, ['src']);
    expect(sources.length).toBeGreaterThan(0);
    expect(modules.map(({ source }) => source)).toEqual(expect.arrayContaining(sources));
  }, 60_000);
});
