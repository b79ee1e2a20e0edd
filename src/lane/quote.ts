// Argument lists as one command line that every POSIX shell (and zsh, a Mac's login shell) reads back byte for byte.
// Refuses what no command line can carry: NUL, and text that is not Unicode (a lone surrogate has no UTF-8 form).
// Names of a lane's files may be any bytes and therefore never go here: they go on stdin (octal.ts, listing.ts).

import { Failure } from '../domain/failure.ts';

/** Words that mean themselves in sh, bash and zsh; `=` and `~` are left out, zsh expands them at the head of a word. */
const plainWord = /^[A-Za-z0-9_/.,:+-]+$/;

function quoteWord(word: string): string {
  if (word.includes('\0'))
    throw new Failure('InvalidInput', 'an argument holds a NUL byte, which no command line can carry');
  if (!word.isWellFormed()) throw new Failure('InvalidInput', 'an argument is not well-formed Unicode');
  return plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * One command line for `sh -c`, whose words are exactly `argv`.
 * @throws InvalidInput for NUL bytes and text that is not Unicode
 */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}
