// Finds the Temporal dev server's program, and fetches it where it is nowhere: CLAWBACK_TEMPORAL_CLI, `temporal` on
// PATH, the cache, the SDK's own download, and where that is refused `go install` of the pinned version (about six
// minutes on two cores, once). Starters at the same time wait for the first.

import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { findOnPath, installTool, isExecutable, toolFolder, withLock } from './tools-cache.ts';

/** Newer CLI versions carry a `replace` directive, which `go install` refuses. */
export const temporalCliVersion = 'v1.5.1';
const goModule = `github.com/temporalio/cli/cmd/temporal@${temporalCliVersion}`;
const lineBytes = 300;

export type TemporalCliSource = 'environment' | 'path' | 'cache' | 'sdk-download' | 'go-install';

export interface TemporalCli {
  readonly path: string;
  readonly source: TemporalCliSource;
  /** What fetching took; a few milliseconds when it was there. */
  readonly elapsedMs: number;
}

export interface FetchProgress {
  readonly doing: 'waiting' | 'sdk-download' | 'go-install';
  readonly detail: string;
  readonly elapsedMs: number;
}

export interface EnsureOptions {
  /** Called at most every few hundred milliseconds; default: a line on stderr each ten seconds. */
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

const cachedCli = (): string => join(toolFolder(`temporal-${temporalCliVersion}`), 'temporal');

async function locate(): Promise<Pick<TemporalCli, 'path' | 'source'> | undefined> {
  const named = process.env['CLAWBACK_TEMPORAL_CLI'];
  if (named) {
    if (await isExecutable(named)) return { path: named, source: 'environment' };
    throw new Failure('TemporalMissing', `CLAWBACK_TEMPORAL_CLI names ${named}, which is no program`);
  }
  const onPath = await findOnPath('temporal');
  if (onPath !== undefined) return { path: onPath, source: 'path' };
  return (await isExecutable(cachedCli())) ? { path: cachedCli(), source: 'cache' } : undefined;
}

/** The dev server's program where it is already on this machine. @throws Failure TemporalMissing */
export async function findTemporalCli(): Promise<string | undefined> {
  return (await locate())?.path;
}

/** Writes progress to stderr, one line each ten seconds. */
export function progressLines(write: (line: string) => void): (progress: FetchProgress) => void {
  const everyMs = 10_000;
  let due = 0;
  return ({ doing, detail, elapsedMs }) => {
    if (elapsedMs < due) return;
    due = elapsedMs + everyMs;
    write(`temporal server: ${doing}, ${Math.round(elapsedMs / 1000)} s: ${detail}\n`);
  };
}

interface Fetching {
  readonly say: (doing: FetchProgress['doing'], detail: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Runs a program, each line of its stderr to `onLine`; resolves to its exit status and last line. */
function run(argv: readonly string[], env: NodeJS.ProcessEnv, fetching: Fetching, onLine: (line: string) => void) {
  const [program = '', ...args] = argv;
  const { signal } = fetching;
  return new Promise<{ status: number | null; last: string }>((resolve) => {
    let last = '';
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'], ...(signal && { signal }) });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
        last = line.slice(0, lineBytes);
        onLine(last);
      }
    });
    child.on('error', (error) => resolve({ status: null, last: error.message }));
    child.on('close', (status) => resolve({ status, last }));
  });
}

/** In a process of its own: the SDK's native runtime takes over signals, and can be installed only once. */
async function bySdk(folder: string, fetching: Fetching): Promise<string | undefined> {
  fetching.say('sdk-download', `asking for ${temporalCliVersion}`);
  const script = join(import.meta.dirname, 'sdk-download.ts');
  const argv = [process.execPath, script, folder, temporalCliVersion];
  const { status, last } = await run(argv, process.env, fetching, () => undefined);
  if (status !== 0) {
    fetching.say('sdk-download', `refused: ${last}`);
    return undefined;
  }
  for (const name of await readdir(folder)) {
    if (await isExecutable(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

async function byGo(folder: string, fetching: Fetching): Promise<string> {
  const go = await findOnPath('go');
  if (go === undefined) throw new Failure('TemporalMissing', 'the download was refused, and there is no go on PATH');
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '-trimpath' };
  let packages = 0;
  const { status, last } = await run([go, 'install', '-v', '-ldflags=-s -w', goModule], env, fetching, (line) => {
    if (!line.startsWith('go: ')) packages += 1;
    fetching.say('go-install', packages > 0 ? `${packages} packages built` : line);
  });
  fetching.signal?.throwIfAborted();
  if (status !== 0) throw new Failure('TemporalMissing', `go install ${goModule} failed: ${last}`);
  return join(folder, 'temporal');
}

async function fetchOnce(fetching: Fetching): Promise<Pick<TemporalCli, 'path' | 'source'>> {
  const path = cachedCli();
  // Another starter may have put it there while this one waited for the lock.
  if (await isExecutable(path)) return { path, source: 'cache' };
  if (await installTool(path, (folder) => bySdk(folder, fetching))) return { path, source: 'sdk-download' };
  fetching.signal?.throwIfAborted();
  await installTool(path, (folder) => byGo(folder, fetching));
  return { path, source: 'go-install' };
}

/**
 * The dev server's program, fetched if need be; may be called again, and by several processes at once.
 * @throws Failure TemporalMissing
 */
export async function ensureTemporalCli(options: EnsureOptions = {}): Promise<TemporalCli> {
  const { onProgress = progressLines((line) => process.stderr.write(line)), signal } = options;
  const startedAtMs = performance.now();
  const elapsedMs = (): number => Math.round(performance.now() - startedAtMs);
  const say: Fetching['say'] = (doing, detail) => onProgress({ doing, detail, elapsedMs: elapsedMs() });
  const there = await locate();
  if (there !== undefined) return { ...there, elapsedMs: elapsedMs() };
  const lock = `${toolFolder(`temporal-${temporalCliVersion}`)}.lock`;
  const waiting = (): void => {
    signal?.throwIfAborted();
    say('waiting', 'another process fetches it');
  };
  const fetched = await withLock(lock, () => fetchOnce({ say, signal }), waiting);
  return { ...fetched, elapsedMs: elapsedMs() };
}
