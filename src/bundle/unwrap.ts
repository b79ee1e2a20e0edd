// Opens an old script's archive: what gpg or openssl encrypted is decrypted by them, for they are its readers; the
// passphrase goes to them on a file descriptor of its own and is on no command line. Then gzip. A wrong passphrase, a
// cut and a changed archive are told apart; nothing that these programs print is in a message.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Failure, type FailureCode, isFailure } from '../domain/failure.ts';
import type { Wrapping } from '../domain/old-archive.ts';
import { limits } from '../domain/limits.ts';
import { CountAndHash } from './digest.ts';

export interface Unwrapping {
  readonly wrapping: Wrapping;
  /** Of the archive, or of the private key in `gpgHome`. */
  readonly passphrase?: Buffer | undefined;
  /** gpg's own folder, where the archive was encrypted to a public key. */
  readonly gpgHome?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The most that may come out; default limits.archivePlainBytes. */
  readonly maxBytes?: number;
}

export interface ArchiveRead<T> {
  readonly result: T;
  /** Of the archive as it lies there. */
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * Reads an archive once.
 * @param stored its bytes; destroyed in the end
 * @param consume takes the tar to its end
 * @throws ArchiveKeyWrong, ArchiveDamaged, ToolMissing; what `consume` throws, but that its BundleDamaged is the archive's
 */
export async function readArchive<T>(
  stored: Readable,
  how: Unwrapping,
  consume: (tar: Readable) => Promise<T>,
): Promise<ArchiveRead<T>> {
  const digest = new CountAndHash();
  const tar = new AtMost(how.maxBytes ?? limits.archivePlainBytes);
  await using program = await startProgram(how);
  const options = how.signal ? { signal: how.signal } : {};
  const flow: Promise<unknown> = program
    ? Promise.all([
        pipeline(stored, digest, program.stdin, options),
        pipeline(program.stdout, createGunzip(), tar, options),
        program.ended,
      ])
    : pipeline(stored, digest, createGunzip(), tar, options);
  const [consumed, flowed] = await Promise.allSettled([consume(tar), flow]);
  stored.destroy();
  if (consumed.status === 'fulfilled' && flowed.status === 'fulfilled')
    return { result: consumed.value, sizeBytes: digest.sizeBytes, sha256: digest.sha256 };
  const errors = [consumed, flowed].flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
  throw await explained(errors, how, program, tar.seen);
}

/** Passes on and counts; a bomb ends it. */
class AtMost extends Transform {
  readonly #most: number;
  seen = 0;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length;
    if (this.seen > this.#most) done(new Failure('ArchiveHostile', `an archive grows past ${this.#most} bytes`));
    else done(null, chunk);
  }
}

// --- the programs ------------------------------------------------------------------------------------------------

interface Program extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Rejects when it fails. */
  readonly ended: Promise<void>;
  /** What went wrong, in its words; after its end. */
  complaint(): string;
}

async function startProgram({ wrapping, passphrase, gpgHome, signal }: Unwrapping): Promise<Program | undefined> {
  if (wrapping === 'none') return undefined;
  if (wrapping === 'openssl') {
    if (!passphrase)
      throw new Failure('ArchiveKeyWrong', 'the archive is encrypted, and fleet.yaml gives no archives.passphrase');
    return run(
      ['openssl', 'enc', '-d', '-aes-256-cbc', '-pbkdf2', '-pass', 'fd:3'],
      passphrase,
      signal,
      async () => undefined,
    );
  }
  if (!passphrase && gpgHome === undefined)
    throw new Failure(
      'ArchiveKeyWrong',
      'the archive is encrypted, and fleet.yaml gives neither archives.passphrase nor archives.gpgHome',
    );
  const own = gpgHome === undefined ? await mkdtemp(join(tmpdir(), 'cb-gpg-')) : undefined;
  const home = gpgHome ?? own ?? '';
  const argv = [
    'gpg',
    '--batch',
    '--quiet',
    '--no-tty',
    '--homedir',
    home,
    '--no-symkey-cache',
    '--pinentry-mode',
    'loopback',
  ];
  return run([...argv, '--passphrase-fd', '3', '--decrypt'], passphrase ?? Buffer.alloc(0), signal, async () => {
    if (own === undefined) return;
    await quietly(['gpgconf', '--homedir', own, '--kill', 'gpg-agent']); // the agent that gpg starts would outlive it
    await rm(own, { recursive: true, force: true });
  });
}

/** Messages in English. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C' };
}

function run(
  [name = '', ...args]: readonly string[],
  passphrase: Buffer,
  signal: AbortSignal | undefined,
  tidy: () => Promise<void>,
): Program {
  const child = spawn(name, args, {
    env: environment(),
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  const secret = child.stdio[3] as Writable;
  secret.on('error', () => undefined); // it ended before it read all of it: its status tells
  secret.end(Buffer.concat([passphrase, Buffer.from('\n')]));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString('latin1')).slice(-4096)));
  const ended = endOf(child, name);
  ended.catch(() => undefined);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    complaint: () => said,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended.catch(() => undefined);
      await tidy();
    },
  };
}

function endOf(child: ChildProcess, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'ENOENT'
        ? new Failure('ToolMissing', `the worker has no ${name}, which the archive was encrypted with`, { tool: name })
        : error,
    ),
  );
  child.once('close', (status) =>
    status === 0 ? resolve() : reject(new Failure('ArchiveDamaged', `${name} ended with ${status}`, { tool: name })),
  );
  return promise;
}

async function quietly([name = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(name, args, { env: environment(), stdio: 'ignore' });
  await new Promise<void>((resolve) => child.once('error', () => resolve()).once('close', () => resolve()));
}

// --- what went wrong ---------------------------------------------------------------------------------------------

const wrongKey = /bad (?:session )?key|bad passphrase|no secret key|decryption failed: (?:no|bad)/i;

/** The cause comes before what it brings about: a program that gives up cuts gzip, and cut gzip cuts the tar. */
async function explained(
  errors: readonly unknown[],
  how: Unwrapping,
  program: Program | undefined,
  seen: number,
): Promise<unknown> {
  if (how.signal?.aborted) return how.signal.reason;
  const own = errors.find((error) => isFailure(error) && !consequences.has(error.code));
  if (own !== undefined) return own;
  await program?.ended.catch(() => undefined);
  // openssl says "bad decrypt" of a cut file too: what came out of gzip tells
  const isWrong = how.wrapping === 'gpg' && wrongKey.test(program?.complaint() ?? '');
  if (program && (isWrong || seen === 0))
    return new Failure(
      'ArchiveKeyWrong',
      'the archive does not open with the passphrase or key that was given, or it is damaged at its beginning',
    );
  const foreign = errors.find((error) => !isFailure(error) && !isStreamEnd(error));
  if (foreign !== undefined) return foreign;
  const cut = errors.find((error) => isFailure(error, 'BundleDamaged'));
  const what = cut instanceof Failure ? cut.message : 'the archive is cut or changed: gzip cannot read it';
  return new Failure('ArchiveDamaged', what, {}, { cause: errors[0] });
}
const consequences: ReadonlySet<FailureCode> = new Set(['BundleDamaged', 'ArchiveDamaged']);

function isStreamEnd(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return /^(?:Z_|ERR_STREAM_|EPIPE|ECONNRESET)/.test(code);
}
