import { chmod, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FetchProgress, progressLines } from '../../../src/embedded/fetched-tool.ts';
import { ensureTemporalCli, findTemporalCli } from '../../../src/embedded/temporal-cli.ts';

let folder: string;
let cached: string;

async function program(path: string, text = '#!/bin/sh\n'): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** A `go` that notes each call, says what the real one says, and builds a program. */
const go = (work: string): string => `#!/bin/sh
echo "$*" >> "${join(folder, 'go-calls')}"
echo "go: downloading go.temporal.io/server v1.29.1" >&2
${work}`;
const builds = `echo go.temporal.io/api/common >&2
sleep 0.2
printf '#!/bin/sh\\n' > "$GOBIN/temporal" && chmod 755 "$GOBIN/temporal"
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clawback-cli-'));
  cached = join(folder, 'cache/clawback/tools/temporal-v1.5.1/temporal');
  vi.stubEnv('CLAWBACK_TEMPORAL_CLI', undefined);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('PATH', `${join(folder, 'bin')}:/usr/bin:/bin`);
  // The SDK's download is refused here as behind a firewall: no proxy listens on port 1.
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:1');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('finding the Temporal server', () => {
  it('takes what CLAWBACK_TEMPORAL_CLI names before all else', async () => {
    await program(cached);
    await program(join(folder, 'bin/temporal'));
    const named = await program(join(folder, 'elsewhere/temporal'));
    vi.stubEnv('CLAWBACK_TEMPORAL_CLI', named);
    expect(await ensureTemporalCli()).toMatchObject({ path: named, source: 'environment' });
  });

  it('refuses a CLAWBACK_TEMPORAL_CLI that names no program', async () => {
    await program(cached);
    vi.stubEnv('CLAWBACK_TEMPORAL_CLI', folder);
    await expect(findTemporalCli()).rejects.toMatchObject({ code: 'TemporalMissing' });
  });

  it('takes PATH before the cache', async () => {
    await program(cached);
    const onPath = await program(join(folder, 'bin/temporal'));
    expect(await ensureTemporalCli()).toMatchObject({ path: onPath, source: 'path' });
  });

  it('takes the cache, and nothing that is not executable', async () => {
    await program(cached);
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, 'bin/temporal'), 'not a program');
    expect(await ensureTemporalCli()).toMatchObject({ path: cached, source: 'cache' });
  });

  it('finds nothing where there is nothing', async () => {
    expect(await findTemporalCli()).toBeUndefined();
  });
});

describe('fetching the Temporal server', () => {
  it('builds it with go when the download is refused, and says so while it does', async () => {
    await program(join(folder, 'bin/go'), go(builds));
    const heard: FetchProgress[] = [];
    const fetched = await ensureTemporalCli({ onProgress: (progress) => heard.push(progress) });
    expect(fetched).toMatchObject({ path: cached, source: 'go-install' });
    expect(fetched.elapsedMs).toBeGreaterThanOrEqual(200);
    expect(heard.map(({ doing }) => doing)).toEqual(expect.arrayContaining(['sdk-download', 'go-install']));
    expect(heard.find(({ detail }) => detail.startsWith('refused: '))).toBeDefined();
    expect(heard.at(-1)?.detail).toBe('1 packages built');
    expect(await readFile(join(folder, 'go-calls'), 'utf8')).toContain('github.com/temporalio/cli/cmd/temporal@v1.5.1');
    expect(await ensureTemporalCli()).toMatchObject({ path: cached, source: 'cache' });
  });

  it('lets a second starter wait for the first', async () => {
    await program(join(folder, 'bin/go'), go(builds));
    const [one, two] = await Promise.all([
      ensureTemporalCli({ onProgress: () => undefined }),
      ensureTemporalCli({ onProgress: () => undefined }),
    ]);
    expect([one.source, two.source].toSorted()).toEqual(['cache', 'go-install']);
    expect((await readFile(join(folder, 'go-calls'), 'utf8')).trim().split('\n')).toHaveLength(1);
  });

  it('takes over from a starter that died', async () => {
    await program(join(folder, 'bin/go'), go(builds));
    const lock = join(folder, 'cache/clawback/tools/temporal-v1.5.1.lock');
    await mkdir(dirname(lock), { recursive: true });
    await writeFile(lock, '');
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(lock, minuteAgo, minuteAgo);
    expect(await ensureTemporalCli({ onProgress: () => undefined })).toMatchObject({ source: 'go-install' });
  });

  it('leaves nothing behind when the build fails, and gives the last words of go', async () => {
    await program(join(folder, 'bin/go'), go('touch "$GOBIN/half"; echo "no such version" >&2; exit 1\n'));
    const failing = ensureTemporalCli({ onProgress: () => undefined });
    await expect(failing).rejects.toMatchObject({
      code: 'TemporalMissing',
      message: expect.stringContaining('no such version'),
    });
    expect(await readdir(join(folder, 'cache/clawback/tools'))).toEqual([]);
  });

  it('says that go is missing where it is', async () => {
    vi.stubEnv('PATH', join(folder, 'bin'));
    const failing = ensureTemporalCli({ onProgress: () => undefined });
    await expect(failing).rejects.toMatchObject({
      code: 'TemporalMissing',
      message: expect.stringContaining('no go on PATH'),
    });
  });

  it('ends the build when it is cancelled', async () => {
    await program(join(folder, 'bin/go'), go('exec sleep 60\n'));
    const cancel = new AbortController();
    const onProgress = ({ doing }: FetchProgress): void => {
      if (doing === 'go-install') cancel.abort(new Error('enough'));
    };
    await expect(ensureTemporalCli({ onProgress, signal: cancel.signal })).rejects.toThrow('enough');
    expect(await readdir(join(folder, 'cache/clawback/tools'))).toEqual([]);
  });
});

describe('progress in lines', () => {
  it('says the first at once and then one each ten seconds', () => {
    const lines: string[] = [];
    const say = progressLines((line) => lines.push(line));
    for (const elapsedMs of [5, 400, 9_000, 10_100, 11_000])
      say({ doing: 'go-install', detail: `at ${elapsedMs}`, elapsedMs });
    expect(lines).toEqual([
      'temporal server: go-install, 0 s: at 5\n',
      'temporal server: go-install, 10 s: at 10100\n',
    ]);
  });
});
