// A passphrase from a file: never from a command line, where every user of the machine could read it.

import { readFile } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';

/** The file's content without one newline at its end. InvalidInput when it cannot be read, is empty or too large. */
export async function readPassphraseFile(path: string, field: string): Promise<string> {
  const bytes = await readSmallFile(path, field);
  const passphrase = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (passphrase !== '') return passphrase;
  throw new Failure('InvalidInput', `${field} ${path} is empty`, { field });
}

/** A key or passphrase file. InvalidInput naming the flag. */
export async function readSmallFile(path: string, field: string): Promise<Buffer> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= limits.secretBytes) return bytes;
    throw new Failure(
      'InvalidInput',
      `${field} ${path} has ${bytes.length} bytes, at most ${limits.secretBytes} are read`,
      { field },
    );
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      'InvalidInput',
      `${field} ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      { field },
    );
  }
}
