// Errors of the file system, in the words of the failure table.

import { Failure, type FailureCode } from '../domain/failure.ts';

const codes: Readonly<Record<string, FailureCode>> = {
  ENOSPC: 'StoreFull',
  EDQUOT: 'StoreFull',
  EFBIG: 'StoreFull',
  EACCES: 'StoreRefused',
  EPERM: 'StoreRefused',
  EROFS: 'StoreRefused',
  ENOTSUP: 'StoreRefused',
  EOPNOTSUPP: 'StoreRefused',
  ELOOP: 'StoreRefused',
};

export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? '';
}

/**
 * @param error what a call of node:fs threw; a Failure and an abort are given back as they are
 * @param doing what was tried, for the message: `write`, `list`
 */
export function directoryFailure(error: unknown, store: string, doing: string, key?: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof Failure || !/^E[A-Z0-9]+$/.test(errno)) return error;
  const object = key === undefined ? '' : ` ${key}`;
  const code = codes[errno] ?? 'StoreUnreachable';
  return new Failure(code, `store ${store}: cannot ${doing}${object} (${errno})`, {
    store,
    ...(key === undefined ? {} : { key }),
  });
}
