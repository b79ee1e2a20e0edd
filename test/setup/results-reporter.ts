// Keeps what each test said, for `npm run procedure`.

import { relative, resolve } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { digestOf, keepResults, type TestResults } from '../../scripts/procedure/results.ts';
import { separator } from '../../scripts/procedure/rows.ts';

const project = resolve(import.meta.dirname, '../..');

function titleOf(test: TestCase): string {
  const titles = [test.name];
  for (let at = test.parent; at.type === 'suite'; at = at.parent) titles.unshift(at.name);
  return titles.join(separator);
}

export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const at = new Date().toISOString();
    const results: TestResults = {};
    for (const module of modules) {
      const file = relative(project, module.moduleId);
      const tests = (results[file] ??= { sha256: digestOf(project, file), at, tests: {} }).tests;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // Skipped shows nothing; and where only some tests were asked for, the others stay as they are known.
        if (state !== 'skipped') tests[titleOf(test)] = state === 'passed' ? 'passed' : 'failed';
      }
    }
    keepResults(project, results);
  }
}
