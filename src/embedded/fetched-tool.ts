// A program that is looked for (the variable that names it, PATH, the cache) and fetched where it is nowhere, by the
// first of its ways that works. Starters at the same time wait for the first.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { findOnPath, installTool, isExecutable, toolFolder, withLock } from './tools-cache.ts';

const lineBytes = 300;

type Way = 'sdk-download' | 'go-install';

export interface FetchedTool {
  /** What it is, for progress: `temporal server`. */
  readonly label: string;
  readonly program: string;
  readonly version: string;
  /** Environment variable that names the program. */
  readonly variable: string;
  /** The failure when it cannot be had. */
  readonly missing: FailureCode;
  /** Tried in turn: each gets an empty folder, and answers the program's path in it, or undefined when refused. */
  readonly ways: readonly {
    readonly source: Way;
    readonly make: (folder: string, fetching: Fetching) => Promise<string | undefined>;
  }[];
}

export interface FoundTool {
  readonly path: string;
  readonly source: 'environment' | 'path' | 'cache' | Way;
  /** What fetching took; a few milliseconds when it was there. */
  readonly elapsedMs: number;
}

export interface FetchProgress {
  readonly doing: 'waiting' | Way;
  readonly detail: string;
  readonly elapsedMs: number;
}

export interface EnsureOptions {
  /** Called at most every few hundred milliseconds; default: a line on stderr each ten seconds. */
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

export interface Fetching {
  readonly say: (doing: FetchProgress['doing'], detail: string) => void;
  readonly signal: AbortSignal | undefined;
}

const folderOf = ({ program, version }: FetchedTool): string => toolFolder(`${program}-${version}`);
const cachedPath = (tool: FetchedTool): string => join(folderOf(tool), tool.program);

/** Where it is already on this machine. @throws Failure `missing` when the variable names no program */
export async function locateTool(tool: FetchedTool): Promise<Pick<FoundTool, 'path' | 'source'> | undefined> {
  const named = process.env[tool.variable];
  if (named) {
    if (await isExecutable(named)) return { path: named, source: 'environment' };
    throw new Failure(tool.missing, `${tool.variable} names ${named}, which is no program`);
  }
  const onPath = await findOnPath(tool.program);
  if (onPath !== undefined) return { path: onPath, source: 'path' };
  return (await isExecutable(cachedPath(tool))) ? { path: cachedPath(tool), source: 'cache' } : undefined;
}

/** Writes progress, one line each ten seconds. */
export function progressLines(
  write: (line: string) => void,
  label = 'temporal server',
): (progress: FetchProgress) => void {
  const everyMs = 10_000;
  let due = 0;
  return ({ doing, detail, elapsedMs }) => {
    if (elapsedMs < due) return;
    due = elapsedMs + everyMs;
    write(`${label}: ${doing}, ${Math.round(elapsedMs / 1000)} s: ${detail}\n`);
  };
}

/** Runs a program, each line of its stderr to `onLine`; resolves to its exit status and last line. */
export function runTool(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  fetching: Fetching,
  onLine: (line: string) => void,
): Promise<{ status: number | null; last: string }> {
  const [program = '', ...args] = argv;
  const { signal } = fetching;
  return new Promise((resolve) => {
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

/** A way: `go install` of a module's command. @throws Failure `missing` */
export function byGoInstall(module: string, program: string, missing: FailureCode): FetchedTool['ways'][number] {
  const make = async (folder: string, fetching: Fetching): Promise<string> => {
    const go = await findOnPath('go');
    if (go === undefined) throw new Failure(missing, `${program} is not on this machine, and there is no go on PATH`);
    const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '-trimpath' };
    let packages = 0;
    const { status, last } = await runTool([go, 'install', '-v', '-ldflags=-s -w', module], env, fetching, (line) => {
      if (!line.startsWith('go: ')) packages += 1;
      fetching.say('go-install', packages > 0 ? `${packages} packages built` : line);
    });
    fetching.signal?.throwIfAborted();
    if (status !== 0) throw new Failure(missing, `go install ${module} failed: ${last}`);
    return join(folder, program);
  };
  return { source: 'go-install', make };
}

async function fetchOnce(tool: FetchedTool, fetching: Fetching): Promise<Pick<FoundTool, 'path' | 'source'>> {
  const path = cachedPath(tool);
  // Another starter may have put it there while this one waited for the lock.
  if (await isExecutable(path)) return { path, source: 'cache' };
  for (const { source, make } of tool.ways) {
    if (await installTool(path, (folder) => make(folder, fetching))) return { path, source };
    fetching.signal?.throwIfAborted();
  }
  throw new Failure(tool.missing, `${tool.label}: it could not be fetched`);
}

/**
 * The program, fetched if need be; may be called again, and by several processes at once.
 * @throws Failure `missing`
 */
export async function ensureTool(tool: FetchedTool, options: EnsureOptions = {}): Promise<FoundTool> {
  const { onProgress = progressLines((line) => process.stderr.write(line), tool.label), signal } = options;
  const startedAtMs = performance.now();
  const elapsedMs = (): number => Math.round(performance.now() - startedAtMs);
  const say: Fetching['say'] = (doing, detail) => onProgress({ doing, detail, elapsedMs: elapsedMs() });
  const there = await locateTool(tool);
  if (there !== undefined) return { ...there, elapsedMs: elapsedMs() };
  const waiting = (): void => {
    signal?.throwIfAborted();
    say('waiting', 'another process fetches it');
  };
  const fetched = await withLock(`${folderOf(tool)}.lock`, () => fetchOnce(tool, { say, signal }), waiting);
  return { ...fetched, elapsedMs: elapsedMs() };
}
