// The playbook "disk full" from its signal to the answered message, on a disk without a free byte.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { diskFull } from '../rehearse/disk-full.ts';
import { rehearse } from '../rehearse/rehearsal.ts';
import { editFleet } from './kit.ts';
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

/** Of an approver, and of somebody else. */
const [ada, eve] = ['ada', 'eve'].map((name) => {
  const file = join(dir, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return file;
}) as [string, string];

// only root may mount a file system
it.skipIf(process.getuid?.() !== 0)(
  'makes room on a really full disk once an approver has signed for it, and the lane answers',
  async () => {
    let receipts: string[] = [];
    const typed: { readonly line: string; readonly status: number | null; readonly output: string }[] = [];
    const cause: typeof diskFull = {
      ...diskFull,
      prepare: async (rig) => {
        editFleet(rig, (fleet) => {
          const approvers = [{ name: 'ada', key: readFileSync(`${ada}.pub`, 'utf8').trim() }];
          Object.assign(fleet, { playbooks: { 'disk-full': { approval: 'required' }, approvers } });
        });
        return (await diskFull.prepare?.(rig)) ?? (async () => undefined);
      },
      check: async (rig, state) => {
        receipts = readdirSync(join(rig.storePath, 'mac-1/receipts'));
        const lines = ['where', 'plan'].flatMap((name) => blocks[name]?.trim().split('\n') ?? []);
        for (const line of lines) typed.push({ line, ...type(line, rig.env) });
        return diskFull.check(rig, state);
      },
    };
    const approvals: ReturnType<typeof type>[] = [];
    const report = await rehearse(cause, {
      dir,
      say: () => undefined,
      approve: async (rig) => {
        const by = (name: string, key: string) =>
          type(`./clawback approve disk-full/mac-1 --yes --as ${name} --key ${key}`, rig.env);
        for (const [name, key] of [
          ['eve', ada],
          ['ada', eve],
          ['ada', ada],
        ] as const)
          approvals.push(by(name, key));
      },
    });
    expect(approvals.map(({ status }) => status)).toEqual([3, 3, 0]);
    expect(approvals[0]?.output).toContain('none of the approvers');
    expect(approvals[1]?.output).toContain('the signature is not of the key of ada');
    expect(report.faults).toEqual([]);
    expect(report.state).toMatchObject({
      phase: 'recovered',
      approval: { by: 'ada', how: 'signed' },
      rto: { over: false },
    });
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
  },
);
