// Prints `N passed, N failed, N skipped` as the very last line of a run, and before it what was skipped and why. What failed
// to load counts as failed; with
// CLAWBACK_REQUIRE_ALL=1 a skipped test fails the run, so that nothing skips silently where everything is installed.

import { relative, resolve } from 'node:path';
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

const project = resolve(import.meta.dirname, '../..');

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

type Tested = Pick<TestModule, 'children' | 'state'>;

/** Counts the tests of finished modules; a module that failed outside its tests is one failure more. */
export function countTests(modules: readonly Tested[], errorsOutside: number): Counts {
  const counts = { passed: 0, failed: errorsOutside, skipped: 0 };
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') counts.passed += 1;
      else if (state === 'skipped') counts.skipped += 1;
      else failedTests += 1;
    }
    counts.failed += failedTests === 0 && module.state() === 'failed' ? 1 : failedTests;
  }
  return counts;
}

/** Tests that passed at their second try, each with what its first one said: a flake that nobody reads about stays. */
export function secondTries(modules: readonly Pick<TestModule, 'children'>[]): string[] {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  return tests.filter(neededAnother).map((test) => `${test.fullName}\n${firstErrors(test)}`);
}

/** Tests that were skipped, each with its file and the reason that it gives: a newcomer sees what this machine lacks. */
export function skippedTests(modules: readonly Pick<TestModule, 'children' | 'moduleId'>[]): string[] {
  return modules.flatMap(({ moduleId, children }) =>
    [...children.allTests('skipped')].map((test) => {
      const result = test.result();
      const why = result.state === 'skipped' && result.note !== undefined ? `: ${result.note}` : '';
      return `${relative(project, moduleId)} › ${test.fullName}${why}`;
    }),
  );
}

function neededAnother(test: TestCase): boolean {
  return test.diagnostic()?.flaky === true;
}

function firstErrors(test: TestCase): string {
  const { errors = [] } = test.result();
  return errors.map(({ stack, message }) => `  ${stack ?? message}`).join('\n');
}

/** The exit status that the counts ask for; `asked` is what vitest itself decided. */
export function exitStatusFor(counts: Counts, asked: number, requireAll: boolean): number {
  const failed = counts.failed > 0 || (requireAll && counts.skipped > 0);
  return failed && asked === 0 ? 1 : asked;
}

export default class CountReporter implements Reporter {
  /** Only some tests were asked for by their names: the others are no news. */
  #isPart = false;

  onInit({ config }: Vitest): void {
    this.#isPart = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const counts = countTests(modules, errors.length + (reason === 'interrupted' ? 1 : 0));
    const requireAll = process.env['CLAWBACK_REQUIRE_ALL'] === '1';
    // On exit, so that it is the last line: the summary and the coverage table come before it.
    process.once('exit', (status) => {
      process.exitCode = exitStatusFor(counts, status, requireAll);
      for (const text of secondTries(modules)) console.log(`needed a second try: ${text}`);
      for (const text of this.#isPart ? [] : skippedTests(modules)) console.log(`skipped: ${text}`);
      if (requireAll && counts.skipped > 0) console.log('CLAWBACK_REQUIRE_ALL=1: a skipped test fails the run');
      console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    });
  }
}
