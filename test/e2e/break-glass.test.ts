// docs/break-glass.md is followed to the letter, on a golden bundle, with AWS's library from PyPI and no code of ours.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, project, runBlock } from '../unit/docs/pages.ts';

const noLibraries = 'no Python, or PyPI does not answer';
const page = 'docs/break-glass.md';
const golden = join(project, 'test/golden');
const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'clawback-break-glass-'));
const [bundle = ''] = readdirSync(join(golden, 'v1/lane-1/manifests')).map((name) => name.replace('.json', ''));
const env = {
  ...process.env,
  STORE: join(golden, 'v1'),
  LANE: 'lane-1',
  BUNDLE: bundle,
  MANIFEST_PUBLIC_KEY: join(golden, 'keys/TEST-ONLY-manifest.pub.pem'),
  PRIVATE_KEY: join(golden, 'keys/TEST-ONLY-recovery.pem'),
};

async function shell(commands: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run('/bin/sh', ['-euc', commands], { cwd: dir, env: { ...env, ...more } });
  return stdout;
}

/** Installed once for each set of commands: PyPI is not asked again. */
async function installLibraries(): Promise<boolean> {
  const commands = runBlock('docs/break-glass.md', 'libraries');
  const cache = join(
    project,
    'node_modules/.cache/clawback',
    `break-glass-${createHash('sha256').update(commands).digest('hex').slice(0, 16)}`,
  );
  const ready = join(cache, 'ready');
  if (!existsSync(ready)) {
    mkdirSync(cache, { recursive: true });
    try {
      await run('/bin/sh', ['-euc', commands], { cwd: cache });
    } catch {
      return false;
    }
    writeFileSync(ready, '');
  }
  symlinkSync(join(cache, 'venv'), join(dir, 'venv'));
  return true;
}

interface Expected {
  readonly secrets: readonly { readonly service: string; readonly account: string; readonly valueBase64: string }[];
  readonly tree: readonly {
    readonly pathBase64: string;
    readonly type: string;
    readonly mode: number;
    readonly mtimeNs: string;
    readonly content: string;
  }[];
}

const expected = JSON.parse(readFileSync(join(golden, 'v1/expected.json'), 'utf8')) as Expected;

describe('docs/break-glass.md', () => {
  let installed = false;
  let opened = '';
  beforeAll(async () => {
    installed = await installLibraries();
    const [program] = blocksOf(page).filter(({ language }) => language === 'python');
    writeFileSync(join(dir, 'open_bundle.py'), program?.text ?? '');
    if (installed) opened = await shell(runBlock('docs/break-glass.md', 'open'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('lists the bundles', async () => {
    expect(await shell(runBlock('docs/break-glass.md', 'list'))).toBe(`${bundle}.json\n`);
  });

  it('opens every member as it was: content, links, modes, times', ({ skip }) => {
    skip(!installed, noLibraries);
    expect(opened).toContain(`opened ${bundle} into opened`);
    expect(expected.tree.length).toBeGreaterThan(10);
    for (const { pathBase64, type, mode, mtimeNs, content } of expected.tree) {
      const path = Buffer.concat([Buffer.from(join(dir, 'opened/home/')), Buffer.from(pathBase64, 'base64')]);
      const name = path.toString('latin1');
      const found = lstatSync(path, { bigint: true });
      expect(typeOf(found), name).toBe(type === 'link' ? 'file' : type);
      if (type !== 'symlink') expect(Number(found.mode) & 0o7777, name).toBe(mode);
      if (mtimeNs !== '') expect(found.mtimeNs, name).toBe(BigInt(mtimeNs));
      if (type === 'file') expect(createHash('sha256').update(readFileSync(path)).digest('hex'), name).toBe(content);
      if (type === 'symlink') expect(readlinkSync(path, { encoding: 'buffer' }).toString('base64'), name).toBe(content);
    }
  });

  it('gives the Keychain items, in a file that only its owner reads', async ({ skip }) => {
    skip(!installed, noLibraries);
    const path = join(dir, 'opened/secrets.json');
    expect((JSON.parse(readFileSync(path, 'utf8')) as Expected['secrets'] & { items: unknown }).items).toEqual(
      expected.secrets,
    );
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    const [item] = expected.secrets;
    expect(await shell(runBlock('docs/break-glass.md', 'secret'))).toBe(
      `${item?.service} ${item?.account}\n${Buffer.from(item?.valueBase64 ?? '', 'base64').toString()}\n`,
    );
  });

  it.for<[string, NodeJS.ProcessEnv, string | RegExp]>([
    [
      "another fleet's signing key",
      { MANIFEST_PUBLIC_KEY: join(golden, 'keys/TEST-ONLY-intruder.pub.pem') },
      'signed with another key',
    ],
    [
      "a stranger's private key",
      { PRIVATE_KEY: join(golden, 'keys/TEST-ONLY-stranger.pem') },
      /Unable to decrypt any data key|DecryptKeyError/,
    ],
  ])('opens nothing with %s', async ([_what, keys, words], { skip }) => {
    skip(!installed, noLibraries);
    rmSync(join(dir, 'refused'), { recursive: true, force: true });
    const commands = runBlock('docs/break-glass.md', 'open').replaceAll(/\bopened\b/g, 'refused');
    await expect(shell(commands, keys)).rejects.toThrow(words);
    expect(
      readdirSync(join(dir, 'refused'), { recursive: true }).filter((name) =>
        lstatSync(join(dir, 'refused', String(name))).isFile(),
      ),
    ).toEqual([]);
  });
});

function typeOf(found: { isDirectory(): boolean; isSymbolicLink(): boolean }): string {
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'symlink' : 'file';
}
