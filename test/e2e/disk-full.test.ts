// The playbook "disk full" from its signal to the answered message, on a disk without a free byte.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { diskFull } from '../rehearse/disk-full.ts';
import { rehearse } from '../rehearse/rehearsal.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-e2e-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// only root may mount a file system
it.skipIf(process.getuid?.() !== 0)('makes room on a really full disk, and the lane answers', async () => {
  let receipts: string[] = [];
  const cause: typeof diskFull = {
    ...diskFull,
    check: async (rig, state) => {
      receipts = readdirSync(join(rig.storePath, 'mac-1/receipts'));
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
  // no name of a file found on the lane leaves it
  expect(JSON.stringify(report.state)).not.toMatch(/left-pad|_cacache|handmade/);
});
