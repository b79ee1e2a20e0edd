import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, keepResults, readResults, verdictOf } from '../../../scripts/procedure/results.ts';
import { procedureRows } from '../../../scripts/procedure/rows.ts';

describe('the rows of the procedure', () => {
  it('are those of tables that name their tests, under their heading', () => {
    const page = [
      '# One',
      '| what | when | shown by |',
      '| --- | --- | --- |',
      '| a | b \\| c | `x.test.ts › d › e`, and `y.test.ts › f` |',
      '| nothing | shows it | |',
      '## Two',
      '| no | such column |',
      '| --- | --- |',
      '| 1 | 2 |',
    ].join('\n');
    expect(procedureRows(page)).toEqual([
      {
        table: 'One',
        cells: ['a', 'b | c'],
        tests: [
          { file: 'x.test.ts', title: 'd › e' },
          { file: 'y.test.ts', title: 'f' },
        ],
      },
      { table: 'One', cells: ['nothing', 'shows it'], tests: [] },
    ]);
  });
});

describe('what is known of a test', () => {
  let project: string;
  const file = 'x.test.ts';
  const test = { file, title: 'a suite › a test' };

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'clawback-procedure-'));
    writeFileSync(join(project, file), "describe('a suite', () => it('a test', run));");
  });
  afterEach(() => rmSync(project, { recursive: true, force: true }));

  function keep(tests: Record<string, 'passed' | 'failed'>): void {
    keepResults(project, { [file]: { sha256: digestOf(project, file), at: '2026-11-22T00:00:00.000Z', tests } });
  }

  it('is nothing before it ran, and its result from then on', () => {
    expect(verdictOf(project, readResults(project), test)).toBe('unknown');
    keep({ [test.title]: 'passed' });
    expect(verdictOf(project, readResults(project), test)).toBe('passed');
    keep({ [test.title]: 'failed' });
    expect(verdictOf(project, readResults(project), test)).toBe('failed');
  });

  it('outlives a run of others in its file, but no change of the file', () => {
    keep({ [test.title]: 'passed' });
    keep({ 'a suite › another': 'failed' });
    expect(verdictOf(project, readResults(project), test)).toBe('passed');
    writeFileSync(join(project, file), "describe('a suite', () => it('a test', runOther));");
    expect(verdictOf(project, readResults(project), test)).toBe('unknown');
  });

  it('is that it is missing when its file or its title is', () => {
    expect(verdictOf(project, {}, { file: 'none.test.ts', title: 'a test' })).toBe('missing');
    expect(verdictOf(project, {}, { file, title: 'a suite › no test' })).toBe('missing');
    expect(verdictOf(project, {}, { file, title: '' })).toBe('missing');
  });

  it('is found where a table of cases makes its title', () => {
    writeFileSync(join(project, file), "it.each(cases)('is restored alone: %s', run);");
    expect(verdictOf(project, {}, { file, title: 'is restored alone: config' })).toBe('unknown');
    expect(verdictOf(project, {}, { file, title: 'is restored' })).toBe('missing');
  });

  it('is nothing when what was kept cannot be read', () => {
    mkdirSync(join(project, 'node_modules/.cache/clawback'), { recursive: true });
    writeFileSync(join(project, 'node_modules/.cache/clawback/test-results.json'), '{"x.test.ts":1}');
    expect(verdictOf(project, readResults(project), test)).toBe('unknown');
  });
});
