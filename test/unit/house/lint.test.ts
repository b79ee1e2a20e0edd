// The linter sees what it must: one fault of each kind is planted in a copy of the rooms, beside sound code.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = resolve(import.meta.dirname, '../../..');
const pureRooms = ['domain', 'contract', 'bundle'];

const planted: Record<string, { readonly rule: string; readonly code: string }> = {
  'src/store/floating.ts': {
    rule: 'no-floating-promises',
    code: 'export function start(work: () => Promise<void>): void {\n  work();\n}\n',
  },
  'src/lane/any.ts': { rule: 'no-explicit-any', code: 'export const anything = (value: any): unknown => value;\n' },
  'src/domain/clock.ts': { rule: 'no-restricted-properties', code: 'export const now = (): number => Date.now();\n' },
  'src/bundle/timer.ts': {
    rule: 'no-restricted-globals',
    code: 'export const later = (work: () => void): unknown => setTimeout(work, 1);\n',
  },
  'src/workflows/random.ts': {
    rule: 'no-restricted-properties',
    code: 'export const dice = (): number => Math.random();\n',
  },
  'src/activities/console.ts': { rule: 'no-console', code: "export const say = (): void => console.log('said');\n" },
  'src/store/long.ts': { rule: 'max-lines', code: 'export const line = 1;\n' + '// more\n'.repeat(250) },
  'src/store/long-function.ts': {
    rule: 'max-lines-per-function',
    code: `export function long(say: (line: string) => void): void {\n${"  say('line');\n".repeat(70)}}\n`,
  },
  'src/store/default.ts': { rule: 'no-default-export', code: 'export default 1;\n' },
};

/** The same calls where they are allowed. */
const sound: Record<string, string> = {
  'src/embedded/clock.ts': 'export const now = (): number => Date.now();\n',
  'src/lane/timer.ts': 'export const later = (work: () => void): unknown => setTimeout(work, 1);\n',
  'src/cli/console.ts': "export const say = (): void => console.log('said');\n",
  'src/store/held.ts': 'export async function start(work: () => Promise<void>): Promise<void> {\n  await work();\n}\n',
};

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

async function lint(root: string): Promise<readonly Diagnostic[]> {
  const oxlint = join(project, 'node_modules/.bin/oxlint');
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const done = await promisify(execFile)(oxlint, ['--type-aware', '--format', 'json'], { cwd: root, env }).catch(
    (error: { stdout: string }) => error,
  );
  return (JSON.parse(done.stdout) as { diagnostics: readonly Diagnostic[] }).diagnostics;
}

describe('the linter', () => {
  let root: string;
  let found: readonly string[];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'clawback-lint-'));
    await symlink(join(project, 'node_modules'), join(root, 'node_modules'));
    for (const name of ['.oxlintrc.json', 'tsconfig.json']) await copyFile(join(project, name), join(root, name));
    const files = { ...sound, ...Object.fromEntries(Object.entries(planted).map(([path, { code }]) => [path, code])) };
    for (const [path, code] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), code);
    }
    found = (await lint(root)).map(({ filename, code }) => `${filename} ${code.replace(/^.*\(|\)$/g, '')}`);
  }, 60_000);
  afterAll(() => rm(root, { recursive: true }));

  it.each(Object.entries(planted))('%s is refused', (path, { rule }) => {
    expect(found).toContain(`${path} ${rule}`);
  });

  it.each(Object.keys(sound))('%s passes', (path) => {
    expect(found.filter((line) => line.startsWith(path))).toEqual([]);
  });
});

describe('the pure rooms', () => {
  it.each(pureRooms)('%s never asks for the present time', async (room) => {
    const files = await readdir(join(project, 'src', room), { recursive: true });
    const sources = files.filter((path) => path.endsWith('.ts'));
    expect(sources.length).toBeGreaterThan(0);
    for (const path of sources) {
      // The linter cannot tell `new Date()` from `new Date(instant)`.
      expect(await readFile(join(project, 'src', room, path), 'utf8'), path).not.toMatch(/new Date\(\s*\)/);
    }
  });
});
