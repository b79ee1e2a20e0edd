// Recorded histories replay on the workflows as they are: a change that would break a run under way is seen here.
// Workflows that are not released yet may be recorded again: `node test/workflows/record.ts`.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { workflowNames } from '../../src/contract/names.ts';
import { installRuntime } from './bench.ts';
import { historiesFolder, readHistories, type Recorded, scenarios } from './histories.ts';

let recorded: Recorded[];
let folder: string;
beforeAll(async () => {
  installRuntime();
  recorded = await readHistories();
  folder = await mkdtemp(join(tmpdir(), 'clawback-bundle-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Names of the errors of those that do not replay. */
async function replay(codePath: string, histories: readonly Recorded[]): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  const runs = Worker.runReplayHistories(
    { workflowBundle: { codePath } },
    histories.map(({ history }) => ({ workflowId: startOf(history).workflowId, history: history as History })),
  );
  for await (const { runId, error } of runs) if (error) failed[nameOf(runId, histories)] = error.name;
  return failed;
}

function named(pattern: RegExp): Recorded[] {
  return recorded.filter(({ name }) => pattern.test(name));
}

/** The bundled workflows with one change in their code. */
async function changedBundle(from: RegExp, to: string): Promise<string> {
  const code = await readFile(inject('workflowBundle'), 'utf8');
  expect(code.match(from)).not.toBeNull();
  const path = join(folder, `${crypto.randomUUID()}.js`);
  await writeFile(path, code.replace(from, to));
  return path;
}

describe('recorded histories', () => {
  it('are there for every scenario and every workflow, and small', async () => {
    const kept = new Set(recorded.map(({ name }) => name.slice(0, name.indexOf('.'))));
    expect([...kept].sort()).toEqual(Object.keys(scenarios).sort());
    const types = new Set(recorded.map(({ history }) => startOf(history).workflowType.name));
    expect([...types].sort()).toEqual(Object.values(workflowNames).sort());
    const sizes = await Promise.all(recorded.map(({ name }) => stat(join(historiesFolder, name))));
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(1_000_000);
  });

  it('name no machine', async () => {
    for (const { name } of recorded) {
      const text = await readFile(join(historiesFolder, name), 'utf8');
      expect(text).not.toContain(hostname());
      expect(text).not.toMatch(/"identity"|"stackTrace"|\/home\/|\/root\/|node_modules/);
    }
  });

  it('all replay on the workflows as they are', async () => {
    expect(recorded.length).toBeGreaterThanOrEqual(Object.keys(scenarios).length);
    expect(await replay(inject('workflowBundle'), recorded)).toEqual({});
  });

  it('do not replay when a step of a restore is another, and the rest does', async () => {
    const changed = await changedBundle(/\.hostDown\.swapTrees\(/, '.hostDown.startGateway(');
    const failed = await replay(changed, named(/^(restore-live|backup-a|undo)\./));
    expect(failed).toEqual({ 'restore-live.section.json': 'DeterminismViolationError' });
  });

  it('do not replay when a step is left out', async () => {
    const changed = await changedBundle(
      /await [\w.]+\.host\.appendBackupLog\([^)]*\)|[\w.]+\.host\.appendBackupLog\(/,
      'Promise.resolve(',
    );
    expect(await replay(changed, named(/^(backup-a|sweep-store)\./))).toEqual({
      'backup-a.section.json': 'DeterminismViolationError',
    });
  });

  it('do not replay when a budget has no timer any more', async () => {
    const changed = await changedBundle(
      /await \(0,\s*[\w.]+\.sleep\)\(Math\.max\(leftMs, 1\)[^;]*/,
      'await new Promise(() => undefined)',
    );
    expect(await replay(changed, named(/^restore-sandbox\./))).toEqual({
      'restore-sandbox.section.json': 'DeterminismViolationError',
    });
  });
});

interface Start {
  readonly workflowId: string;
  readonly workflowType: { readonly name: string };
  readonly originalExecutionRunId: string;
}

/** A section reads its own id: it is replayed under the one that it had. */
function startOf(history: unknown): Start {
  const { events } = history as { events: { workflowExecutionStartedEventAttributes: Start }[] };
  return (events[0] as { workflowExecutionStartedEventAttributes: Start }).workflowExecutionStartedEventAttributes;
}

function nameOf(runId: string, histories: readonly Recorded[]): string {
  return histories.find(({ history }) => startOf(history).originalExecutionRunId === runId)?.name ?? runId;
}
