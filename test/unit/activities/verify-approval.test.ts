// Whose word counts: of a plan, of a step done by hand, of a gate; and what only looks like it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { verifyApprovalStep } from '../../../src/activities/recover/verify-approval.ts';
import { playbooksSchema } from '../../../src/contract/fleet-playbooks.ts';
import { approvalNamespace, approvalText } from '../../../src/domain/incident.ts';
import { gateText, handText, type ShownGate, shownOf } from '../../../src/domain/statements.ts';
import { canonicalSha256 } from '../../../src/signing/canonical.ts';
import { signBySsh } from '../../../src/signing/ssh-signature.ts';
import { fleetDigest } from '../../workflows/fake-lane.ts';
import { runStep } from './golden-stores.ts';

const folder = mkdtempSync(join(tmpdir(), 'clawback-approvers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function depsWith(playbooks: object = {}): Deps {
  const fleet = { digest: fleetDigest, playbooks: playbooksSchema.parse(playbooks) };
  return { fleet } as unknown as Deps;
}

/** The mock's attempt was scheduled a millisecond later. */
const past = '1970-01-01T00:00:00Z';
const otherRun = '019aac4e-0000-7000-8000-000000000001';

function ofAda(name: string) {
  const file = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const approvers = [{ name: 'ada', key: readFileSync(`${file}.pub`, 'utf8').trim() }];
  return { file, step: verifyApprovalStep(depsWith({ approvers })) };
}

function signed(file: string, text: string): Promise<string> {
  return signBySsh({ text, namespace: approvalNamespace }, file);
}

describe('an approval', () => {
  const plan = {
    workflowId: 'incident/demo/host-loss/mac-1',
    runId: '019aac4e-0000-7000-8000-000000000000',
    digest: 'a'.repeat(64),
    waiveFence: false,
  };
  const by = 'ada';
  const about = { kind: 'plan', ...plan } as const;
  const expires = '2999-11-23T04:00:00Z';

  it('of anybody counts as his own statement where the fleet file names no approvers', async () => {
    expect(await runStep(verifyApprovalStep(depsWith()), { by, fleetDigest, about })).toEqual({ how: 'stated' });
  });

  it('counts by the signature of an approver, and by nothing else', async () => {
    const { file, step } = ofAda('ada-plan');
    const sign = (of: object): Promise<string> => signed(file, approvalText({ ...plan, by, expires, ...of }));
    const good = { by, about, fleetDigest, expires, signature: await sign({}) };
    expect(await runStep(step, good)).toEqual({ how: 'signed' });
    const { signature: _, ...bare } = good;
    const bad = [
      bare,
      { ...good, by: 'bob' },
      { ...good, about: { ...about, waiveFence: true } },
      { ...good, about: { ...about, digest: 'b'.repeat(64) } },
      { ...good, about: { ...about, runId: otherRun } },
      { ...good, expires: past, signature: await sign({ expires: past }) },
    ];
    for (const one of bad) await expect(runStep(step, one)).rejects.toMatchObject({ type: 'ApprovalRefused' });
  });
});

describe('what somebody did by hand', () => {
  const hand = {
    workflowId: 'incident/demo/host-loss/mac-1',
    runId: '019aac4e-0000-7000-8000-000000000000',
    step: 'provision',
    what: 'provide a Mac in tokyo in the stead of mac-1',
    address: '192.0.2.9',
    hostKey: 'ssh-ed25519 AAAA',
  };
  const by = 'ada';
  const about = { kind: 'hand', ...hand } as const;
  const expires = '2999-11-23T04:00:00Z';

  it('of anybody counts as his own statement where the fleet file names no approvers', async () => {
    expect(await runStep(verifyApprovalStep(depsWith()), { by, about })).toEqual({ how: 'stated' });
  });

  it('counts by the signature of an approver over just that step, machine and run', async () => {
    const { file, step } = ofAda('ada-hand');
    const { file: eve } = ofAda('eve-hand');
    const text = handText({ ...hand, by, expires });
    const good = { by, about, expires, signature: await signed(file, text) };
    expect(await runStep(step, good)).toEqual({ how: 'signed' });
    const late = await signed(file, handText({ ...hand, by, expires: past }));
    const bad = [
      { by, about, expires },
      { ...good, by: 'eve' },
      { ...good, signature: await signed(eve, text) },
      { ...good, expires: past, signature: late },
      { ...good, expires: '2999-11-24T04:00:00Z' },
      { ...good, about: { ...about, runId: otherRun } },
      { ...good, about: { ...about, step: 'fence' } },
      { ...good, about: { ...about, what: 'provide a Mac in tokyo in the stead of mac-2' } },
      { ...good, about: { ...about, address: '192.0.2.10' } },
      { ...good, about: { ...about, hostKey: 'ssh-ed25519 BBBB' } },
      { ...good, about: { ...about, user: 'eve' } },
    ];
    for (const one of bad) await expect(runStep(step, one)).rejects.toMatchObject({ type: 'ApprovalRefused' });
  });
});

describe('the signature of a gate', () => {
  const day = { state: 'passed', attempts: 1, startedAt: '2026-11-16T03:15:00Z', endedAt: '2026-11-16T03:16:00Z' };
  const state: ShownGate = {
    gate: 'gate/demo/mac-1',
    runId: '019aac4e-0000-7000-8000-000000000000',
    host: 'mac-1',
    dayLengthMs: null,
    lanes: ['agent-1'],
    archives: [{ day: 1, lane: 'agent-1', bundle: 'b', manifestSha256: 'c'.repeat(64) }],
    rto: { ms: 60_000, budgetMs: 5_400_000 },
    rows: [0, 1, 2, 3, 4, 5, 6, 7].map((at) => ({ ...day, day: at, evidence: [`day ${at}`] })),
  };
  const by = 'ada';
  const expires = '2999-11-23T04:00:00Z';
  const shown = shownOf(state);
  const text = (of: object = {}): string =>
    gateText({
      workflowId: state.gate,
      runId: state.runId,
      host: state.host,
      digest: canonicalSha256(shown),
      by,
      expires,
      ...of,
    });

  it('is over the days before it, not over what is told of its own', () => {
    const later = state.rows.map((row) => (row.day === 7 ? { ...row, evidence: ['signed by ada'] } : row));
    expect(shownOf({ ...state, rows: later })).toEqual(shown);
    expect(shown.rows.map((row) => row.day)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('counts by the key of an approver over just those days, archives and run', async () => {
    const { file, step } = ofAda('ada-gate');
    const { file: eve } = ofAda('eve-gate');
    const about = { kind: 'gate', shown } as const;
    const good = { by, about, expires, signature: await signed(file, text()) };
    expect(await runStep(verifyApprovalStep(depsWith()), { by, about })).toEqual({ how: 'stated' });
    expect(await runStep(step, good)).toEqual({ how: 'signed' });
    const changed = state.rows.map((row) => (row.day === 4 ? { ...row, attempts: 2 } : row));
    const other = (of: Partial<ShownGate>) => ({ kind: 'gate', shown: shownOf({ ...state, ...of }) }) as const;
    const bad = [
      { by, about, expires },
      { ...good, by: 'eve' },
      { ...good, signature: await signed(eve, text()) },
      { ...good, expires: past, signature: await signed(file, text({ expires: past })) },
      { ...good, about: other({ runId: otherRun }) },
      { ...good, about: other({ host: 'mac-2' }) },
      { ...good, about: other({ rows: changed }) },
      { ...good, about: other({ archives: [] }) },
      { ...good, about: other({ dayLengthMs: 10_000 }) },
    ];
    for (const one of bad) await expect(runStep(step, one)).rejects.toMatchObject({ type: 'ApprovalRefused' });
  });
});
