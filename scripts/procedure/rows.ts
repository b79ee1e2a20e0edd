// Reads docs/procedure.md: the rows of its tables, each with the tests that show it. The last column of every table names
// them, as `file › title › title`; a table without that column is no part of the procedure.

import { lexer, type Token, type Tokens } from 'marked';

/** A test, by its file (below the project) and the titles from the outermost `describe` to the test. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

export interface ProcedureRow {
  /** The heading that the row stands under. */
  readonly table: string;
  /** The cells before the last. */
  readonly cells: readonly string[];
  readonly tests: readonly NamedTest[];
}

const column = 'shown by';
export const separator = ' › ';

/** @returns the rows in the order of the page; a row that names no test has an empty list */
export function procedureRows(markdown: string): ProcedureRow[] {
  let heading = '';
  return lexer(markdown).flatMap((token) => {
    if (isHeading(token)) heading = token.text;
    return isTable(token) && token.header.at(-1)?.text === column ? rowsOf(heading, token) : [];
  });
}

// marked's own union has an open member, which hides the others from the compiler.
function isHeading(token: Token): token is Tokens.Heading {
  return token.type === 'heading';
}

function isTable(token: Token): token is Tokens.Table {
  return token.type === 'table';
}

function isCode(token: Token): token is Tokens.Codespan {
  return token.type === 'codespan';
}

function rowsOf(table: string, { rows }: Tokens.Table): ProcedureRow[] {
  return rows.map((row) => ({
    table,
    cells: row.slice(0, -1).map(({ text }) => text),
    tests: (row.at(-1)?.tokens ?? []).filter(isCode).map(({ text }) => namedTest(text)),
  }));
}

function namedTest(text: string): NamedTest {
  const [file = '', ...titles] = text.split(separator);
  return { file, title: titles.join(separator) };
}
