import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countTests, exitStatusFor, secondTries, skippedTests } from '../../setup/count-reporter.ts';

type State = 'passed' | 'failed' | 'skipped' | 'pending';

function moduleOf(state: 'passed' | 'failed', tests: readonly State[]): Parameters<typeof countTests>[0][number] {
  const children = { allTests: () => tests.map((test) => ({ result: () => ({ state: test }) })) };
  return { children, state: () => state } as unknown as Parameters<typeof countTests>[0][number];
}

describe('the last line of a test run', () => {
  it('counts what passed, failed and was skipped', () => {
    const modules = [moduleOf('passed', ['passed', 'passed', 'skipped']), moduleOf('failed', ['failed', 'passed'])];
    expect(countTests(modules, 0)).toEqual({ passed: 3, failed: 1, skipped: 1 });
  });

  it('counts a file that would not load as a failure', () => {
    expect(countTests([moduleOf('failed', [])], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a test that never ended as a failure', () => {
    expect(countTests([moduleOf('passed', ['pending'])], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts errors outside of tests', () => {
    expect(countTests([moduleOf('passed', ['passed'])], 2)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });
});

describe('what needed a second try', () => {
  it('is named, with what the first one said', () => {
    const test = (fullName: string, flaky: boolean) => ({
      fullName,
      diagnostic: () => ({ flaky }),
      result: () => ({ state: 'passed', errors: flaky ? [{ message: 'expected 1 to be 2' }] : [] }),
    });
    const children = { allTests: () => [test('a > steady', false), test('a > shaky', true)] };
    expect(secondTries([{ children } as unknown as Parameters<typeof secondTries>[0][number]])).toEqual([
      'a > shaky\n  expected 1 to be 2',
    ]);
  });
});

describe('what was skipped', () => {
  it('is named by its file, with the reason that it gives', () => {
    const test = (fullName: string, note?: string) => ({ fullName, result: () => ({ state: 'skipped', note }) });
    const tests = [
      test('a receipt > is good', 'no Python, or PyPI does not answer'),
      test('in the Temporal UI > starts'),
    ];
    const children = { allTests: (state: string) => (state === 'skipped' ? tests : []) };
    const moduleId = resolve(import.meta.dirname, '../../e2e/some.test.ts');
    expect(skippedTests([{ children, moduleId } as unknown as Parameters<typeof skippedTests>[0][number]])).toEqual([
      'test/e2e/some.test.ts › a receipt > is good: no Python, or PyPI does not answer',
      'test/e2e/some.test.ts › in the Temporal UI > starts',
    ]);
  });
});

describe('the exit status of a test run', () => {
  it.each([
    ['is 0 when all passed', { passed: 1, failed: 0, skipped: 0 }, 0, true, 0],
    ['is 1 when one failed', { passed: 1, failed: 1, skipped: 0 }, 0, false, 1],
    ['is 0 with a skipped test', { passed: 1, failed: 0, skipped: 1 }, 0, false, 0],
    ['is 1 with a skipped test where all are required', { passed: 1, failed: 0, skipped: 1 }, 0, true, 1],
    ['stays what vitest decided', { passed: 1, failed: 0, skipped: 0 }, 130, false, 130],
  ])('%s', (_, counts, asked, requireAll, status) => {
    expect(exitStatusFor(counts, asked, requireAll)).toBe(status);
  });
});
