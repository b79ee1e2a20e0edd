// Pieces of large files as raw bytes, and putting them together again. Names are bytes: they travel as octal escapes or
// on stdin, and reach a program through `xargs -0`, never through the text of a command.

import type { Readable, Writable } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { watchedInput, watchedOutput } from './data-stream.ts';
import type { Fence } from './fence-script.ts';
import type { LaneShell } from './lane-shell.ts';
import { octalOf } from './octal.ts';
import { quoteArgv } from './quote.ts';

const blockBytes = 1024 * 1024;
const goneStatus = 3;

interface RangePlace {
  /** Absolute folder that the path is relative to. */
  readonly base: string;
  readonly path: Buffer;
  readonly offset: number;
  readonly signal?: AbortSignal | undefined;
}

export interface FinishedFile {
  readonly path: Buffer;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly mtimeNs: bigint;
}

function checkPath(base: string, path: Buffer): void {
  const parts = path.toString('latin1').split('/');
  if (!base.startsWith('/') || path.includes(0) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Failure('InvalidInput', 'a range wants an absolute base and a relative path without . or ..');
  }
}

function joined(base: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(base.endsWith('/') ? base : `${base}/`), path]);
}

/** Runs `body` with the file's path as `$1` and its folder as `$2`; the script's own stdin is its descriptor 3. */
function withPath(shell: LaneShell, body: string): string {
  return `exec 3<&0
printf '%b' "$1" | ${quoteArgv([shell.tool('xargs'), '-0', shell.tool('sh'), '-c', body, 'sh'])}
`;
}

/** `path NUL folder NUL` for {@link withPath}. */
function encodedPath(base: string, path: Buffer): string {
  const whole = joined(base, path);
  const nul = '\\0000';
  return `${octalOf(whole)}${nul}${octalOf(whole.subarray(0, whole.lastIndexOf(0x2f)))}${nul}`;
}

/** xargs reports a failing command as 123 (GNU) or 1 (BSD), so scripts say on stderr what happened. */
function said(process: { stderrTail(): string }, word: string): boolean {
  return process.stderrTail().includes(`clawback: ${word}`);
}

/**
 * Reads `length` bytes at `offset`. A file that is gone or shorter is no failure here: the caller compares what it got
 * and the file's times afterwards.
 * @throws (`finished`) HostCommandFailed, StreamStalled, HostConnectionLost
 */
export async function readRange(
  shell: LaneShell,
  request: RangePlace & { readonly length: number },
): Promise<{ stdout: Readable; finished: Promise<{ missing: boolean }> }> {
  checkPath(request.base, request.path);
  const skip = Math.floor(request.offset / blockBytes);
  const rest = request.offset % blockBytes;
  const count = Math.ceil((rest + request.length) / blockBytes);
  const cut = rest === 0 ? '' : ` | tail -c +${rest + 1}`;
  const body = `[ -f "$1" ] && exec 4<"$1" || { echo "clawback: gone" >&2; exit ${goneStatus}; }
{ dd bs=${blockBytes} skip=${skip} count=${count} <&4 2>/dev/null || echo "clawback: unread" >&2; }${cut} | { head -c ${request.length} && cat >/dev/null; }`;
  const process = await shell.spawnScript(withPath(shell, body), [encodedPath(request.base, request.path)], {
    signal: request.signal,
    tool: 'dd',
  });
  process.stdin.end();
  const { stdout, exited } = watchedOutput(process);
  const finished = exited.then((exitStatus) => {
    if (said(process, 'gone')) return { missing: true };
    if (exitStatus !== 0 || said(process, 'unread')) throw rangeFailure(shell, 'read', exitStatus);
    return { missing: false };
  });
  finished.catch(() => undefined);
  return { stdout, finished };
}

/**
 * Writes what comes on stdin at `offset`; parent folders are made, the rest of the file is kept.
 * @throws (`finished`) HostCommandFailed, DiskTooFull, FenceLost, StreamStalled, HostConnectionLost
 */
export async function writeRange(
  shell: LaneShell,
  request: RangePlace & { readonly fence?: Fence | undefined },
): Promise<{ stdin: Writable; finished: Promise<void> }> {
  checkPath(request.base, request.path);
  const block = commonBlock(request.offset);
  const body = `mkdir -p "$2" && exec dd ibs=65536 obs=${block} seek=${request.offset / block} conv=notrunc of="$1" <&3`;
  const process = await shell.spawnScript(withPath(shell, body), [encodedPath(request.base, request.path)], {
    signal: request.signal,
    fence: request.fence,
    tool: 'dd',
  });
  const { stdin, exited } = watchedInput(process);
  const finished = exited.then((exitStatus) => {
    if (exitStatus === 0) return;
    if (/No space left on device/.test(process.stderrTail())) {
      throw new Failure('DiskTooFull', `lane ${shell.target.lane}: its volume had no room for a piece of a file`, {
        lane: shell.target.lane,
      });
    }
    throw rangeFailure(shell, 'written', exitStatus);
  });
  finished.catch(() => undefined);
  return { stdin, finished };
}

/** The largest block that divides the offset: dd seeks in blocks. Offsets are multiples of 256 MiB, so it is 1 MiB. */
function commonBlock(offset: number): number {
  let block = blockBytes;
  while (offset % block !== 0) block /= 2;
  return block;
}

function rangeFailure(shell: LaneShell, verb: string, exitStatus: number): Failure {
  const { lane, host } = shell.target;
  return new Failure(
    'HostCommandFailed',
    `lane ${lane}: a piece of a file could not be ${verb} (status ${exitStatus})`,
    { lane, host: host.name, exitStatus },
  );
}

/** GNU's and macOS's touch both take this form, with nanoseconds (BSD: not yet seen on a Mac). */
function touchTime(mtimeNs: bigint): string {
  const billion = 1_000_000_000n;
  const nanos = ((mtimeNs % billion) + billion) % billion;
  const seconds = (mtimeNs - nanos) / billion;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
}

/** Size by dd (BSD has no truncate before macOS 13): with `seek` and no `notrunc` it cuts or extends the file there. */
const finishBody = `[ "$(wc -c <"$1")" -eq "$2" ] || dd if=/dev/null of="$1" bs=1 seek="$2" count=0 2>/dev/null || exit 1
chmod "$3" "$1" && touch -d "$4" "$1"`;

/**
 * Gives files that were written in pieces their size, mode and time. May be repeated.
 * @throws HostCommandFailed, FenceLost, and what {@link LaneShell.run} throws
 */
export async function finishFiles(
  shell: LaneShell,
  request: {
    base: string;
    files: readonly FinishedFile[];
    fence?: Fence | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<void> {
  if (request.files.length === 0) return;
  const words = request.files.flatMap((file) => {
    checkPath(request.base, file.path);
    const texts = [String(file.sizeBytes), file.mode.toString(8).padStart(4, '0'), touchTime(file.mtimeNs)];
    return [joined(request.base, file.path), ...texts.map((text) => Buffer.from(text))];
  });
  const stdin = Buffer.concat(words.flatMap((word) => [word, Buffer.from([0])]));
  // one file a shell: a longer row could be cut between the words of one file
  const argv = [shell.tool('xargs'), '-0', '-n', '4', shell.tool('sh'), '-c', finishBody, 'sh'];
  await shell.run(argv, {
    stdin,
    fence: request.fence,
    signal: request.signal,
    tool: 'finish files',
    timeoutMs: 600_000,
  });
}
