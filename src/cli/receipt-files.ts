// Receipts and their public keys as files of this machine, and what is written of them.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure, isFailure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { type OpenedIncident, openIncidentReceipt } from '../receipt/incident-receipt.ts';
import { type OpenedReceipt, openReceipt } from '../receipt/receipt.ts';
import type { Cli } from './cli.ts';

/** With the bytes as they were signed. */
export type ReceiptFile = OpenedReceipt & { readonly bytes: Buffer };

/** Of an incident. */
export type IncidentFile = OpenedIncident & { readonly bytes: Buffer };

/** Of a lane's run, of a gate, or of an incident. ReceiptFormatUnknown when it is of none of them. */
export async function openAnyFile(
  cli: Cli,
  path: string,
  publicKeysPem: readonly string[],
): Promise<ReceiptFile | IncidentFile> {
  const bytes = await readInput(cli, path, 'FILE', limits.receiptBytes);
  try {
    return { ...openReceipt(bytes, { publicKeysPem }), bytes };
  } catch (error) {
    const incident = isFailure(error, 'ReceiptFormatUnknown') ? openIncidentReceipt(bytes, publicKeysPem) : undefined;
    if (incident === undefined) throw error;
    return { ...incident, bytes };
  }
}

export async function publicKeys(cli: Cli, paths: readonly string[] | undefined): Promise<readonly string[]> {
  if (paths === undefined) return (await cli.loadFleet()).keys.receipt;
  const read = async (path: string): Promise<string> =>
    (await readInput(cli, path, '--key', limits.secretBytes)).toString('utf8');
  return Promise.all(paths.map(read));
}

async function readInput(cli: Cli, name: string, field: string, mostBytes: number): Promise<Buffer> {
  const path = resolve(cli.around.cwd, name);
  try {
    const { size } = await stat(path);
    if (size <= mostBytes) return await readFile(path);
    throw new Failure('InvalidInput', `${path} is ${size} bytes, at most ${mostBytes} are read`, { field });
  } catch (error) {
    if (isFailure(error)) throw error;
    throw unusable(path, 'read', error, field);
  }
}

export async function written(
  cli: Cli,
  name: string | undefined,
  field: string,
  content: () => string | Buffer,
): Promise<string | null> {
  if (name === undefined) return null;
  const path = resolve(cli.around.cwd, name);
  try {
    await writeFile(path, content());
    return path;
  } catch (error) {
    throw unusable(path, 'written', error, field);
  }
}

function unusable(path: string, what: string, error: unknown, field: string): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new Failure('InvalidInput', `${path} cannot be ${what} (${code})`, { field });
}
