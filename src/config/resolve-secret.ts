// Turns a reference into the secret's value: environment variable, file or command. Failures name the reference,
// never the value, nor what a command printed. Nothing is kept: each call reads anew.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants, open } from 'node:fs/promises';
import { describeSecretRef, type SecretRef } from '../contract/secret-ref.ts';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { resolvePath } from './private-path.ts';

/**
 * The secret's value, without one newline at its end.
 * @param baseDir the folder of the fleet file: relative paths and commands start there
 * @param timeoutMs how long a command may take
 * @throws Failure SecretUnavailable: not there, empty, larger than 64 KiB, command failed or too slow
 */
export async function resolveSecret(
  ref: SecretRef,
  baseDir: string,
  timeoutMs: number = limits.secretCommandMs,
): Promise<Buffer> {
  const value = withoutNewline(await readSecret(ref, baseDir, timeoutMs));
  if (value.length === 0) throw unavailable(ref, 'it is empty');
  if (value.length > limits.secretBytes) throw unavailable(ref, `it is larger than ${limits.secretBytes} bytes`);
  return value;
}

function readSecret(ref: SecretRef, baseDir: string, timeoutMs: number): Promise<Buffer> {
  if ('env' in ref) return readVariable(ref);
  if ('file' in ref) return readFileSecret(ref, resolvePath(baseDir, ref.file));
  return runSecretCommand(ref, baseDir, timeoutMs);
}

function unavailable(ref: SecretRef, reason: string): Failure {
  return new Failure('SecretUnavailable', `the secret of ${describeSecretRef(ref)} is not available: ${reason}`);
}

function withoutNewline(value: Buffer): Buffer {
  if (value.at(-1) !== 0x0a) return value;
  return value.subarray(0, value.at(-2) === 0x0d ? -2 : -1);
}

async function readVariable(ref: { readonly env: string }): Promise<Buffer> {
  const value = process.env[ref.env];
  if (value === undefined) throw unavailable(ref, 'the variable is not set');
  return Buffer.from(value);
}

/** One byte more than allowed is read, so that a larger file shows without being read whole. */
async function readFileSecret(ref: { readonly file: string }, path: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw unavailable(ref, 'it is not a regular file');
    const buffer = Buffer.alloc(limits.secretBytes + 2);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unavailable(ref, (error as NodeJS.ErrnoException).code ?? 'unreadable');
  }
}

/** Runs without a shell in a process group of its own, so that a time-out ends its children too. */
function runSecretCommand(ref: { readonly command: string[] }, baseDir: string, timeoutMs: number): Promise<Buffer> {
  const [program = '', ...args] = ref.command;
  return new Promise((fulfil, reject) => {
    const child = spawn(program, args, { cwd: baseDir, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    const end = (reason: string): void => {
      endGroup(child);
      reject(unavailable(ref, reason));
    };
    const timer = setTimeout(() => end(`the command did not end within ${timeoutMs} ms`), timeoutMs);
    const output = collect(child, () => end(`it is larger than ${limits.secretBytes} bytes`));
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(unavailable(ref, `the command could not be started (${error.code ?? 'unknown'})`));
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      if (status === 0) fulfil(Buffer.concat(output));
      else reject(unavailable(ref, `the command ended with ${status ?? signal}`));
    });
  });
}

function collect(child: ChildProcess, onTooMuch: () => void): Buffer[] {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= limits.secretBytes + 2) chunks.push(chunk);
    else onTooMuch();
  });
  return chunks;
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself meanwhile; nothing is left to end.
  }
  child.stdout?.destroy();
}
