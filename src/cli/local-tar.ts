// Unpacks an audited tar with this machine's own tar, as the lanes do it with theirs: members are named byte for byte,
// owners stay those of whoever runs this.

import { execFile, spawn } from 'node:child_process';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Failure } from '../domain/failure.ts';

export type TarKind = 'gnu' | 'bsdtar';

/** In locale C both tars keep names as bytes (lane/tar.ts tells what was measured). */
const env = { ...process.env, LC_ALL: 'C' };
const common = ['-xpf', '-', '--no-same-owner', '--numeric-owner', '--no-xattrs', '--no-acls'];

/** @throws Failure ToolMissing */
export async function findTar(): Promise<TarKind> {
  try {
    const { stdout } = await promisify(execFile)('tar', ['--version'], { env });
    return stdout.includes('GNU tar') ? 'gnu' : 'bsdtar';
  } catch {
    throw new Failure('ToolMissing', 'this machine has no tar on its PATH', { tool: 'tar' });
  }
}

function argvOf(kind: TarKind, directory: string): string[] {
  const own =
    kind === 'gnu'
      ? ['--no-selinux', '--delay-directory-restore', '--warning=no-unknown-keyword']
      : ['-S', '-U', '--no-fflags', ...(process.platform === 'darwin' ? ['--no-mac-metadata'] : [])];
  return [...common, ...own, '-C', directory];
}

export interface UnpackRequest {
  readonly tar: TarKind;
  readonly directory: string;
  /** What tar complains about: it names files, and is for the operator's eyes only. */
  readonly onComplaint: (text: string) => void;
}

/** @throws Failure TarFailed; what the source fails with */
export async function unpackTar(
  source: readonly [Readable, ...NodeJS.ReadWriteStream[]],
  { tar, directory, onComplaint }: UnpackRequest,
): Promise<void> {
  const child = spawn('tar', argvOf(tar, directory), { stdio: ['pipe', 'ignore', 'pipe'], env });
  child.stderr.on('data', (chunk: Buffer) => onComplaint(chunk.toString('latin1')));
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 128));
  });
  const fed = pipeline([...source, lenientSink(child.stdin)]).catch((error: unknown) => {
    child.kill();
    throw error;
  });
  const [status] = await Promise.all([ended, fed]);
  if (status !== 0)
    throw new Failure('TarFailed', `tar ended with status ${status}`, { tool: 'tar', exitStatus: status });
}

/**
 * A tar ends at the end mark and may leave the padding behind it unread: what comes then is still checked by whoever
 * stands before, and goes nowhere. One that ended too early is judged by its status.
 */
function lenientSink(stdin: Writable): Writable {
  let isOpen = true;
  let pending: (() => void) | undefined;
  const settle = (): void => {
    const done = pending;
    pending = undefined;
    done?.(); // may bring the next write at once
  };
  const shut = (): void => {
    isOpen = false;
    settle();
  };
  stdin.on('error', shut).once('close', shut);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isOpen) return done();
      pending = done;
      stdin.write(chunk, settle);
    },
    final(done) {
      stdin.end();
      done();
    },
    destroy(error, done) {
      if (error) stdin.destroy();
      done(error);
    },
  });
}
