// The playbook "disk full" from its signal to the answered message, on a disk without a free byte.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { diskFull } from '../rehearse/disk-full.ts';
import { rehearse } from '../rehearse/rehearsal.ts';
import { project, runBlock } from '../unit/docs/pages.ts';

/** The commands of the page, as they stand there. */
const blocks: Readonly<Record<string, string>> = {
  where: runBlock('docs/playbooks.md', 'where'),
  plan: runBlock('docs/playbooks.md', 'plan'),
};

function type(line: string, env: NodeJS.ProcessEnv): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', line], { cwd: project, env, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const dir = mkdtempSync(join(tmpdir(), 'clawback-e2e-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// only root may mount a file system
it.skipIf(process.getuid?.() !== 0)('makes room on a really full disk, and the lane answers', async () => {
  let receipts: string[] = [];
  const typed: { readonly line: string; readonly status: number | null; readonly output: string }[] = [];
  const cause: typeof diskFull = {
    ...diskFull,
    check: async (rig, state) => {
      receipts = readdirSync(join(rig.storePath, 'mac-1/receipts'));
      const lines = ['where', 'plan'].flatMap((name) => blocks[name]?.trim().split('\n') ?? []);
      for (const line of lines) typed.push({ line, ...type(line, rig.env) });
      return diskFull.check(rig, state);
    },
  };
  const report = await rehearse(cause, { dir, say: () => undefined });
  expect(report.faults).toEqual([]);
  expect(report.state).toMatchObject({ phase: 'recovered', approval: { how: 'policy' }, rto: { over: false } });
  const [pruned] = report.state.outcome?.pruned ?? [];
  expect(pruned?.freeBeforeBytes).toBeLessThan(100_000);
  expect(pruned?.freeAfterBytes).toBeGreaterThan(20_000_000);
  expect(receipts).toEqual([`incident-${report.state.receipt}.json`]);
  expect(typed.map(({ status }) => status)).toEqual([0, 0, 0]);
  const [list, show, plan] = typed.map(({ output }) => output);
  expect(list).toContain('incident/bed/disk-full/mac-1');
  expect(show).toMatch(/RECOVERED[\s\S]*lost: nothing[\s\S]*receipt/);
  expect(plan).toMatch(/PLANNED[\s\S]*prune lane-1/);
  // no name of a file found on the lane leaves it
  expect(JSON.stringify(report.state)).not.toMatch(/left-pad|_cacache|handmade/);
});
