// What the tests last said, kept from run to run: test/setup/results-reporter.ts writes it, `npm run procedure` reads it.
// A result counts as long as its file is as it was then.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type NamedTest, separator } from './rows.ts';

const states = ['passed', 'failed'] as const;
const resultsSchema = z.record(
  z.string(),
  z.object({ sha256: z.string(), at: z.iso.datetime(), tests: z.record(z.string(), z.enum(states)) }),
);

/** By the file's path below the project; titles are joined by the separator of docs/procedure.md. */
export type TestResults = z.infer<typeof resultsSchema>;
type TestState = (typeof states)[number];

/** `missing`: no such file or title. `unknown`: not run since the file was changed. */
export type TestVerdict = TestState | 'missing' | 'unknown';

export function resultsPath(project: string): string {
  return join(project, 'node_modules/.cache/clawback/test-results.json');
}

export function digestOf(project: string, file: string): string {
  return createHash('sha256')
    .update(readFileSync(join(project, file)))
    .digest('hex');
}

/** None where there is no file, or one of another form. */
export function readResults(project: string): TestResults {
  const path = resultsPath(project);
  if (!existsSync(path)) return {};
  const parsed = resultsSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  return parsed.success ? parsed.data : {};
}

/** Puts the results of what has run beside those of the rest: of other files, and of a file whose tests ran in part. */
export function keepResults(project: string, ran: TestResults): void {
  const path = resultsPath(project);
  const kept = readResults(project);
  for (const [file, result] of Object.entries(ran)) {
    const before = kept[file];
    const rest = before?.sha256 === result.sha256 ? before.tests : {};
    kept[file] = { ...result, tests: { ...rest, ...result.tests } };
  }
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${process.pid}`;
  writeFileSync(next, JSON.stringify(kept, null, 1));
  renameSync(next, path);
}

/** What is known of a test. A title that is made by `it.each` is found by what has run, not by the text of its file. */
export function verdictOf(project: string, results: TestResults, { file, title }: NamedTest): TestVerdict {
  if (!existsSync(join(project, file))) return 'missing';
  const known = results[file];
  const state = known?.sha256 === digestOf(project, file) ? known.tests[title] : undefined;
  if (state !== undefined) return state;
  return isWritten(readFileSync(join(project, file), 'utf8'), title) ? 'unknown' : 'missing';
}

/** Is the innermost title, or the template that `it.each` makes it from, a text of the file? */
function isWritten(source: string, title: string): boolean {
  const innermost = title.split(separator).at(-1) ?? '';
  const texts = [...source.matchAll(/(?<=[ (])'((?:[^'\\\n]|\\.)+)'/g)].map(([, text = '']) => text);
  return innermost !== '' && texts.some((text) => text === innermost || isMadeFrom(innermost, text));
}

/** By what stands before the first case's value and after the last. */
function isMadeFrom(title: string, template: string): boolean {
  const [first = '', ...others] = template.split(/%[sdij]/);
  const last = others.at(-1);
  return last !== undefined && first + last !== '' && title.startsWith(first) && title.endsWith(last);
}
