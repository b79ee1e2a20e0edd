// Incidents, by the playbook of a full disk: when it acts alone, when it asks, whose word counts, and how it ends.

import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { incidentId, workflowNames } from '../../src/contract/names.ts';
import { Bench, failureOf, type Handle, statusOf, waitUntil } from './bench.ts';
import { type FakeLane, fleetName } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 8 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

interface Opened {
  readonly host: string;
  readonly lanes: readonly FakeLane[];
  readonly run: Handle<IncidentState>;
}

/** A host with two lanes; `ask` makes its plan wait for an approval. */
async function open(host: string, { ask, input = {} }: { ask?: string; input?: object } = {}): Promise<Opened> {
  const lanes = [`${host}-a`, `${host}-b`].map((name) => bench.lane(name).onHost(host));
  if (ask !== undefined) bench.fleet.planned.set(host, { ask });
  return { host, lanes, run: await start(host, input) };
}

function start(host: string, input: object = {}): Promise<Handle<IncidentState>> {
  return bench.start(workflowNames.recoverDiskFull, { host, ...input }, incidentId(fleetName, 'disk-full', host));
}

const look = (run: Handle): Promise<IncidentState> => run.query<IncidentState>(incidentMessages.incident);

async function waiting(run: Handle): Promise<IncidentState> {
  await waitUntil('it waits for an approval', async () => (await look(run)).phase === 'awaiting-approval');
  return look(run);
}

async function tell(run: Handle, update: 'approve' | 'decline', input: object): Promise<unknown> {
  return (run as WorkflowHandle).executeUpdate(incidentMessages[update], { args: [input] });
}

const receiptOf = (host: string): IncidentState | undefined => bench.lane(host).incidents[0]?.state;

const digestOf = ({ plan }: IncidentState): string => plan?.digest ?? '';

describe.concurrent('an incident', () => {
  it('acts alone where the policy lets it, and ends with every lane answering', async () => {
    const { run, lanes } = await open('alone');
    expect(await run.result()).toMatchObject({
      phase: 'recovered',
      approval: { how: 'policy' },
      outcome: { escalation: null, lanes: [{ outcome: 'recovered' }, { outcome: 'recovered' }] },
      rto: { ms: expect.any(Number), over: false },
    });
    for (const lane of lanes) {
      expect(lane).toMatchObject({ pruned: 1, gateway: 'running', violations: [] });
      expect(lane.count('settleLane')).toBe(0); // it takes room that a full disk has not
    }
  });

  it('counts its RTO from the first signal', async () => {
    const since = new Date(Date.now() - 600_000).toISOString();
    const { run } = await open('signal', { input: { signal: { code: 'disk', since, text: '/ is 97 % full' } } });
    const { rto } = await run.result();
    expect(rto.ms).toBeGreaterThan(600_000);
    expect(rto.ms).toBeLessThan(700_000);
  });

  it('whose receipt cannot be written is recovered all the same, and says so', async () => {
    bench.lane('unsigned').told('writeIncidentReceipt', { kind: 'fail' });
    const { run } = await open('unsigned');
    const state = await run.result();
    expect(state).toMatchObject({ phase: 'recovered', receipt: null });
    expect(state.warnings.join()).toMatch(/NO RECEIPT/);
  });

  it('plans and changes nothing in a dry run', async () => {
    const { run, lanes } = await open('dry', { input: { dryRun: true } });
    expect(await run.result()).toMatchObject({ phase: 'planned', plan: { digest: expect.any(String) } });
    for (const lane of lanes) expect(lane.pruned).toBe(0);
  });

  it('asks where its plan says so, and goes on with the approval of just that plan', async () => {
    const { run, lanes } = await open('asks', { ask: 'lane asks-a has no good backup' });
    const state = await waiting(run);
    expect(state).toMatchObject({
      next: `./clawback approve ${run.workflowId}`,
      plan: { ask: expect.stringMatching(/no good backup/) },
    });
    const wrong = tell(run, 'approve', { digest: '0'.repeat(64), by: 'ada' });
    await expect(wrong).rejects.toMatchObject({ cause: { type: 'PlanStale' } });
    for (const lane of lanes) expect(lane.pruned).toBe(0);
    await tell(run, 'approve', { digest: digestOf(state), by: 'ada' });
    expect(await run.result()).toMatchObject({ phase: 'recovered', approval: { by: 'ada', how: 'stated' } });
  });

  it('refuses by name the approval of a plan that has changed meanwhile, and takes that of the new one', async () => {
    const { run, host } = await open('stale', { ask: 'it asks' });
    const old = await waiting(run);
    bench.fleet.planned.set(host, { ask: 'it asks', bundle: '20261123T031500Z-ffffffff' });
    const refused = tell(run, 'approve', { digest: digestOf(old), by: 'ada' });
    await expect(refused).rejects.toMatchObject({ cause: { type: 'PlanStale' } });
    const now = await look(run);
    expect(digestOf(now)).not.toBe(digestOf(old));
    expect(now).toMatchObject({ phase: 'awaiting-approval', warnings: [expect.stringMatching(/planned anew/)] });
    await tell(run, 'approve', { digest: digestOf(now), by: 'ada' });
    expect(await run.result()).toMatchObject({ phase: 'recovered' });
  });

  it('tells a wrong signature, and goes on waiting', async () => {
    const { run } = await open('signed', { ask: 'it asks' });
    const digest = digestOf(await waiting(run));
    const signature = '-----BEGIN SSH SIGNATURE-----\nWRONG\n-----END SSH SIGNATURE-----\n';
    const refused = tell(run, 'approve', { digest, by: 'ada', signature, expires: '2999-01-01T00:00:00Z' });
    await expect(refused).rejects.toMatchObject({ cause: { type: 'ApprovalRefused' } });
    expect(await look(run)).toMatchObject({ phase: 'awaiting-approval', approval: null });
    await tell(run, 'decline', { by: 'ada', reason: 'not now' });
    expect(await run.result()).toMatchObject({ phase: 'declined', declined: { by: 'ada', reason: 'not now' } });
    expect(receiptOf('signed')).toMatchObject({ phase: 'declined', approval: null });
  });

  it('closes when its signal clears before anybody approved it', async () => {
    const { run, lanes } = await open('clears', { ask: 'it asks' });
    await waiting(run);
    await run.signal(incidentMessages.cleared, { at: '2026-11-23T02:00:00Z' });
    expect(await run.result()).toMatchObject({ phase: 'closed', clearedAt: '2026-11-23T02:00:00Z' });
    expect(receiptOf('clears')).toMatchObject({ phase: 'closed' });
    for (const lane of lanes) expect(lane.pruned).toBe(0);
  });

  it('reminds while it waits, and counts the time', async () => {
    bench.fleet.remindEveryOf.set('reminds', 1_000);
    const { run } = await open('reminds', { ask: 'it asks' });
    await waitUntil('it reminded twice', async () => (await look(run)).reminders >= 2);
    await tell(run, 'approve', { digest: digestOf(await look(run)), by: 'ada' });
    const { rto } = await run.result();
    expect(rto.waitingMs).toBeGreaterThanOrEqual(2_000);
  });

  it('is cancelled while it waits, and says so', async () => {
    const { run } = await open('cancelled', { ask: 'it asks' });
    await waiting(run);
    await run.cancel();
    expect(await failureOf(run)).toMatchObject({ code: 'Cancelled' });
    expect(await statusOf(run)).toBe('CANCELLED');
    expect(await look(run)).toMatchObject({ phase: 'cancelled' });
    expect(receiptOf('cancelled')).toMatchObject({ phase: 'cancelled', code: 'Cancelled' });
  });

  it('cancelled at work, ends the work on its lanes first', async () => {
    const { lanes } = await open('stopped', { ask: 'it asks' });
    const [lane] = lanes as [FakeLane, FakeLane];
    lane.told('pruneLane', { kind: 'block' });
    const run = bench.handle(incidentId(fleetName, 'disk-full', 'stopped')) as Handle<IncidentState>;
    await tell(run, 'approve', { digest: digestOf(await waiting(run)), by: 'ada' });
    await lane.reached('pruneLane');
    await run.cancel();
    expect(await failureOf(run)).toMatchObject({ code: 'Cancelled' });
    expect(await statusOf(bench.handle(lane.id))).toBe('CANCELLED');
  });

  it('fails with what to do next when the disk stays as full as the signal has it, and not below that', async () => {
    const enough = await open('full-enough');
    for (const lane of enough.lanes) lane.smoke = { ...lane.smoke, diskUsedRatio: 0.899 };
    expect(await enough.run.result()).toMatchObject({ phase: 'recovered', outcome: { escalation: null } });
    const { run, lanes } = await open('still-full', { ask: 'it asks' });
    for (const lane of lanes) lane.smoke = { ...lane.smoke, diskUsedRatio: 0.9 };
    await tell(run, 'approve', { digest: digestOf(await waiting(run)), by: 'ada' });
    const failure = await failureOf(run);
    const message = expect.stringMatching(/90 % full \(mark: 90 %\): expand NVMe/);
    expect(failure).toMatchObject({ code: 'RecoveryFailed', message });
    expect(await look(run)).toMatchObject({
      phase: 'failed',
      outcome: { escalation: expect.stringMatching(/expand NVMe/) },
    });
  });

  it.each(['describeLane', 'readUnsettled', 'pruneLane', 'smokeTest'] as const)(
    'when %s fails on one lane, frees the others and names that one',
    async (step) => {
      const host = `fails-${step.toLowerCase()}`;
      const { run, lanes } = await open(host, { ask: 'it asks' });
      const [bad, good] = lanes as [FakeLane, FakeLane];
      bad.told(step, { kind: 'fail' });
      await tell(run, 'approve', { digest: digestOf(await waiting(run)), by: 'ada' });
      expect(await failureOf(run)).toMatchObject({
        code: 'RecoveryFailed',
        message: expect.stringContaining(bad.name),
      });
      expect(good).toMatchObject({ pruned: 1, violations: [] });
    },
  );

  it.each(['briefIncident', 'planRecovery'] as const)(
    'fails with what %s failed with, having touched nothing',
    async (step) => {
      const host = `no-${step.toLowerCase()}`;
      bench.lane(host).told(step, { kind: 'fail' });
      const { run, lanes } = await open(host);
      expect(await failureOf(run)).toMatchObject({ code: 'HostOutputUnexpected' });
      for (const lane of lanes) expect(lane.calls).toEqual([]);
    },
  );

  it('over its RTO alerts and finishes; a rehearsal fails', async () => {
    const since = new Date(Date.now() - 2 * 5_400_000).toISOString();
    const signal = { code: 'disk', since, text: 'the disk is full' };
    const real = await open('late', { input: { signal } });
    expect(await real.run.result()).toMatchObject({ phase: 'recovered', rto: { over: true } });
    const drill = await open('late-drill', { input: { signal, rehearse: true } });
    expect(await failureOf(drill.run)).toMatchObject({ code: 'BudgetExceeded' });
    expect(receiptOf('late-drill')).toMatchObject({ phase: 'failed', rto: { over: true } });
  });

  it('tells people by the alert hook: that it waits, and how it ended; each with a key of its own', async () => {
    bench.lane('tells').hooks = ['alert'];
    const { run } = await open('tells', { ask: 'it asks' });
    await tell(run, 'approve', { digest: digestOf(await waiting(run)), by: 'ada' });
    expect(await run.result()).toMatchObject({ phase: 'recovered' });
    const told = bench.lane('tells').hookCalls;
    expect(told.map(({ input }) => (input as { code: string }).code)).toEqual(['ApprovalWanted', 'IncidentEnded']);
    expect(new Set(told.map(({ key }) => key)).size).toBe(2);
  });

  it('puts a lane right first where something is unsettled, and only there', async () => {
    const { run, lanes } = await open('unsettled', { ask: 'it asks' });
    const [half, whole] = lanes as [FakeLane, FakeLane];
    half.journal = { restore: '20261122T031500Z-1a2b3c4d', phase: 'open', before: 'running' };
    await tell(run, 'approve', { digest: digestOf(await waiting(run)), by: 'ada' });
    expect(await run.result()).toMatchObject({ phase: 'recovered' });
    expect([half.count('settleLane'), whole.count('settleLane')]).toEqual([1, 0]);
    expect(half.order.indexOf('settleLane')).toBeLessThan(half.order.indexOf('pruneLane'));
  });

  it('asks once more for a lane that needed room to be put right, when the others gave some', async () => {
    const { run, lanes } = await open('needs-room', { ask: 'it asks' });
    const [half] = lanes as [FakeLane, FakeLane];
    half.journal = { restore: '20261122T031500Z-1a2b3c4d', phase: 'open', before: 'running' };
    half.told('settleLane', { kind: 'fail', code: 'JournalDamaged', to: 1 });
    await tell(run, 'approve', { digest: digestOf(await waiting(run)), by: 'ada' });
    expect(await run.result()).toMatchObject({ phase: 'recovered' });
    expect(half.pruned).toBe(1);
  });

  it('that the fleet file keeps from the watch is opened by an operator all the same', async () => {
    bench.fleet.disabled.add('off');
    const watched = await open('off', { input: { openedBy: 'watch' } });
    expect(await failureOf(watched.run)).toMatchObject({ code: 'PlaybookDisabled' });
    expect(await (await start('off')).result()).toMatchObject({ phase: 'recovered' });
  });

  it('is not opened twice: who comes second finds the first', async () => {
    const { host, run } = await open('twice', { ask: 'it asks' });
    await waiting(run);
    await expect(start(host)).rejects.toMatchObject({ name: 'WorkflowExecutionAlreadyStartedError' });
    await tell(run, 'decline', { by: 'ada', reason: 'a test' });
    await run.result();
  });
});
