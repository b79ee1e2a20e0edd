// What a hook answered, checked: strict JSON of its kind. Refused by name, and nothing of it is repeated but the names of
// fields, for it may hold anything.

import { isUtf8 } from 'node:buffer';
import { type HookAnswer, hookAnswers, type HookKind } from '../../contract/hooks.ts';
import { Failure } from '../../domain/failure.ts';
import { limits } from '../../domain/limits.ts';

/**
 * @param bytes none at all is an empty object: a script that has nothing to say need not say so
 * @param secrets that the hook was given
 * @throws Failure HookAnswerInvalid
 */
export function readHookAnswer<K extends HookKind>(hook: K, bytes: Buffer, secrets: readonly string[]): HookAnswer<K> {
  const parsed = hookAnswers[hook].safeParse(jsonOf(hook, bytes));
  if (!parsed.success) throw invalid(hook, parsed.error.issues.map((issue) => problemOf(issue, secrets)).join('; '));
  if (holdsSecret(JSON.stringify(Object.values(parsed.data)), secrets))
    throw invalid(hook, 'it holds a secret that the hook was given');
  return parsed.data as HookAnswer<K>;
}

export function invalid(hook: HookKind, problem: string): Failure {
  return new Failure('HookAnswerInvalid', `the hook ${hook} answered what it may not: ${problem}`, {
    field: `hooks.${hook}`,
  });
}

function jsonOf(hook: HookKind, bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw invalid(hook, 'it is not UTF-8 text');
  const text = bytes.toString('utf8').trim();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(hook, `its ${bytes.length} bytes are not one JSON object`);
  }
}

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

function problemOf({ code, path, message, keys = [] }: Issue, secrets: readonly string[]): string {
  if (code === 'unrecognized_keys')
    return keys
      .slice(0, 5)
      .map((key) => `unknown key ${shown(key, secrets)}`)
      .join(', ');
  return `${path.length === 0 ? 'the answer' : path.map(String).join('.')}: ${message}`;
}

/** A name, and nothing else that a program may have put where a name should be. */
function shown(key: string, secrets: readonly string[]): string {
  return /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(key) && !holdsSecret(key, secrets) ? key : '(no plain name)';
}

function holdsSecret(text: string, secrets: readonly string[]): boolean {
  return secrets
    .filter((secret) => secret.length >= limits.hookSecretBytes)
    .some((secret) => text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)));
}
