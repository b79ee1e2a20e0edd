// Somebody's word, signed on this machine by ssh-keygen, with a key that never leaves it.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import { approvalNamespace } from '../domain/incident.ts';
import { signBySsh } from '../signing/ssh-signature.ts';
import type { Cli } from './cli.ts';
import { parseDuration, parsePath } from './parse.ts';

export interface SigningOptions {
  readonly key?: string;
  readonly expires: number;
}

const defaultExpiryMs = 3_600_000;

/** `--key` and `--expires`. */
export function withSigning(command: Command): Command {
  return command
    .option('--key <FILE>', "the approver's SSH key (default: ~/.ssh/id_ed25519)", parsePath('--key'))
    .option('--expires <DURATION>', 'until when a signature counts', parseDuration('--expires'), defaultExpiryMs);
}

export interface Signer extends SigningOptions {
  readonly by: string;
  /** Names; none: nothing is signed. */
  readonly approvers: readonly string[];
  /** The option that says who it is. */
  readonly option: '--as' | '--by';
}

interface SignedWord {
  readonly signature?: string;
  readonly expires?: string;
}

/**
 * @param textOf what is signed, once it is known until when that counts
 * @throws Failure ApprovalRefused for who is no approver, and when ssh-keygen refuses the key; ToolMissing
 */
export async function signWord(
  cli: Cli,
  { approvers, by, option, key, expires }: Signer,
  textOf: (expires: string) => string,
): Promise<SignedWord> {
  if (approvers.length === 0) return {};
  if (!approvers.includes(by))
    throw new Failure(
      'ApprovalRefused',
      `${by} is none of the approvers: ${approvers.join(', ')}; say who you are with ${option}`,
    );
  const until = new Date(Date.now() + expires).toISOString();
  const file = key === undefined ? join(homedir(), '.ssh', 'id_ed25519') : resolve(cli.around.cwd, key);
  return { signature: await signBySsh({ text: textOf(until), namespace: approvalNamespace }, file), expires: until };
}
