// Which keys a store takes: names that mean the same on S3, on a file system and in a URL. No empty name, none that
// starts with a dot (so no `..`, and a store's own folders stay out of reach), ASCII only.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';

const namePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

export function isStoreName(name: string): boolean {
  return name.length <= limits.storeNameBytes && namePattern.test(name);
}

/** @throws Failure InvalidInput */
export function checkKey(key: string): string {
  if (key.length <= limits.storeKeyBytes && key.split('/').every(isStoreName)) return key;
  throw refused('key', key);
}

/**
 * A prefix is the head of a key: whole names, and of the last any part, also none.
 * @throws Failure InvalidInput
 */
export function checkPrefix(prefix: string): string {
  const names = prefix.split('/');
  const last = names.pop() ?? '';
  if (prefix.length <= limits.storeKeyBytes && names.every(isStoreName) && (last === '' || isStoreName(last)))
    return prefix;
  throw refused('prefix', prefix);
}

/**
 * The first name of keys, under which all objects of one lane lie.
 * @throws Failure InvalidInput
 */
export function checkFolder(folder: string): string {
  if (isStoreName(folder)) return folder;
  throw refused('folder', folder);
}

function refused(what: string, text: string): Failure {
  return new Failure(
    'InvalidInput',
    `a store's ${what} of ${text.length} characters is refused: names of A-Z a-z 0-9 . _ -, none empty or from a dot`,
    { field: what },
  );
}
