// The whole 7-day gate on a server that skips time: seven days in seconds, under one workflow id, with what can go wrong on
// each of them; and what it can be told, on the real server with short days.

import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { type GateState, gateMessages } from '../../src/contract/gate.ts';
import { gateId, workflowNames } from '../../src/contract/names.ts';
import { fromCause } from '../../src/client/failures.ts';
import { localDateOf } from '../../src/domain/calendar.ts';
import { defaultRestoreBudgets } from '../../src/domain/budget.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { Bench, failureOf, type Handle, waitUntil } from './bench.ts';
import { bundleId, type FakeLane, fleetName, wholeBundle } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 4 });

/** One gate of a test: a host with lanes of its own, data younger than anything the gate can ask for. */
class Gated {
  readonly host: string;
  readonly lanes: readonly [FakeLane, ...FakeLane[]];
  readonly #bench: Bench;

  constructor(bench: Bench, host: string, count = 1) {
    this.#bench = bench;
    this.host = host;
    const names = Array.from({ length: count }, (_, at) => `${host}-lane-${at + 1}`);
    this.lanes = names.map((name, at) => this.#prepare(bench.lane(name), at)) as [FakeLane, ...FakeLane[]];
  }

  #prepare(lane: FakeLane, at: number): FakeLane {
    const { target } = lane.spec;
    lane.spec = { ...lane.spec, target: { ...target, host: { ...target.host, name: this.host } } };
    lane.manifestSha256 = String(at + 1).repeat(64);
    const capturedAt = new Date(Date.now() + 40 * 24 * 3_600_000).toISOString();
    lane.chosen = { ...wholeBundle, captured: [{ dataClass: 1, bundle: bundleId, capturedAt }] };
    return lane;
  }

  get id(): string {
    return gateId(fleetName, this.host);
  }

  begin(input: object = { dayLengthMs: 2_000 }): Promise<Handle<GateState>> {
    return this.#bench.start<GateState>(workflowNames.qualifyHost, { host: this.host, ...input }, this.id);
  }

  /** Of whichever run of this id runs now. */
  get handle(): Handle<GateState> {
    return this.#bench.handle(this.id);
  }

  async until(what: string, is: (state: GateState) => boolean): Promise<GateState> {
    let seen: GateState | undefined;
    await waitUntil(
      what,
      async () => {
        seen = await this.handle.query<GateState, []>(gateMessages.gate).catch(() => undefined);
        if (seen !== undefined && is(seen)) return true;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return false;
      },
      150_000,
    );
    return seen as GateState;
  }

  tell(message: string, input: object): Promise<GateState> {
    return this.handle.executeUpdate<GateState, [object]>(message, { args: [input] });
  }

  sign(): Promise<GateState> {
    return this.tell(gateMessages.sign, { by: 'Ada' });
  }

  /** Nothing of it is left to run beside other tests. */
  async end(): Promise<void> {
    await this.handle.cancel();
    await this.handle.result().catch(() => undefined);
  }

  async refusalOf(message: string, input: object): Promise<Failure> {
    return this.tell(message, input).then(
      (state) => {
        throw new Error(`it was to be refused, and answered ${state.phase}`);
      },
      (error: unknown) => fromCause(error instanceof WorkflowUpdateFailedError ? error.cause : error),
    );
  }
}

const isFailed = (day: number) => (state: GateState) => state.rows[day]?.state === 'failed';
const awaitsSignature = ({ rows }: GateState): boolean =>
  rows[7]?.state === 'running' &&
  rows.every(({ day, state }) => day === 7 || state === 'passed' || state === 'not-applicable');

const states = ({ rows }: GateState): string[] => rows.map(({ state }) => state);
const allPassed = Array.from({ length: 8 }, () => 'passed');

describe('seven days of the calendar', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open({ server: 'skipping', program: inject('testServer'), bundle: inject('workflowBundle') });
  });
  afterEach(() => bench?.close());

  it('pass in seconds: each begins on a day of its own, the disk is looked at for 72 hours, and the seventh is signed', async () => {
    const gate = new Gated(bench, 'mac-9', 2);
    const [first, second] = gate.lanes;
    await gate.begin({});
    await bench.pass(6 * 24 * 3_600_000 + 3_600_000);
    const ready = await gate.until('day 7 waits', awaitsSignature);
    expect(states(ready)).toEqual([...allPassed.slice(1), 'running']);
    const days = ready.rows.map(({ startedAt }) => localDateOf(Date.parse(startedAt ?? ''), 'Asia/Tokyo').day);
    expect(new Set([1, 3, 4, 5, 6, 7].map((day) => days[day])).size).toBe(6);
    expect(Date.parse(days[7] ?? '') - Date.parse(days[1] ?? '')).toBe(6 * 24 * 3_600_000);
    expect(ready.looks).toMatchObject({ expected: 288 });
    expect(ready.looks.taken).toBeGreaterThan(286);
    // this server forgets the answer of an update with which its workflow ends
    await gate.sign().catch((error: unknown) => expect(error).toBeInstanceOf(WorkflowNotFoundError));
    const signed = await gate.handle.result();
    expect(signed).toMatchObject({
      phase: 'signed',
      day: 7,
      signed: { by: 'Ada', how: 'stated' },
      receipt: expect.any(String),
    });
    expect(first.gateReceipts).toMatchObject([
      { id: signed.receipt, state: { clockOffsetMs: 12, dayLengthMs: null, phase: 'signed' } },
    ]);
    expect([first.restored, second?.restored]).toEqual([true, true]);
    expect([first.violations, second?.violations]).toEqual([[], []]);
  }, 240_000);
});

describe.concurrent('a gate with short days', { timeout: 180_000 }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
  });
  afterAll(() => bench?.close());

  it('of one lane records that day 6 is not applicable; it is marked, and never signed early', async () => {
    const gate = new Gated(bench, 'mac-alone');
    await gate.begin();
    await gate.until('it answers', ({ looks }) => looks.expected > 0);
    expect(await gate.refusalOf(gateMessages.sign, { by: 'Ada' })).toMatchObject({ code: 'GateRefused' });
    expect(await gate.refusalOf(gateMessages.retryDay, { day: 4 })).toMatchObject({ code: 'GateRefused' });
    expect(await gate.refusalOf(gateMessages.sign, { by: '' })).toMatchObject({ code: 'InvalidInput' });
    await gate.until('day 7 waits', awaitsSignature);
    const { survey } = gate.lanes[0];
    gate.lanes[0].survey = { ...survey, openclawVersion: '2026.11.9' };
    const refused = await gate.refusalOf(gateMessages.sign, { by: 'Ada' });
    expect(refused).toMatchObject({
      code: 'GateRefused',
      message: expect.stringContaining('was 2026.11.1, and is 2026.11.9'),
    });
    await gate.until('day 7 waits again', awaitsSignature);
    const word = { by: 'Ada', expires: '2999-01-01T00:00:00Z' };
    const signature = (words: string): string =>
      `-----BEGIN SSH SIGNATURE-----\n${words}\n-----END SSH SIGNATURE-----\n`;
    const wrong = await gate.refusalOf(gateMessages.sign, { ...word, signature: signature('WRONG') });
    expect(wrong).toMatchObject({ code: 'ApprovalRefused' });
    expect(await gate.handle.query<GateState, []>(gateMessages.gate)).toMatchObject({ phase: 'running', signed: null });
    const signed = await gate.tell(gateMessages.sign, { ...word, signature: signature('GOOD') });
    expect(signed).toMatchObject({ signed: { by: 'Ada', how: 'signed' } });
    expect(signed.rearmed).toHaveLength(1);
    expect(signed.rows[6]).toMatchObject({
      state: 'not-applicable',
      evidence: ['not applicable: the host has one lane'],
    });
    expect(gate.lanes[0].gateReceipts).toMatchObject([{ state: { dayLengthMs: 2_000, phase: 'signed' } }]);
  });

  it.each<[number, string, (lane: FakeLane) => unknown, (lane: FakeLane) => unknown]>([
    [
      0,
      'a gateway that answers nothing',
      (lane) => (lane.smoke = { ...lane.smoke, answered: false }),
      (lane) => (lane.smoke = { ...lane.smoke, answered: true }),
    ],
    [
      0,
      'a key that does not resolve',
      (lane) => (lane.keyProblems = ['the opening key: SecretUnavailable']),
      (lane) => (lane.keyProblems = []),
    ],
    [
      0,
      'a host whose memory is full',
      (lane) => (lane.look = { ...lane.look, memoryUsedRatio: 0.95 }),
      (lane) => (lane.look = { ...lane.look, memoryUsedRatio: 0.5 }),
    ],
    [1, 'a node whose log has no line', (lane) => (lane.logIsLost = true), (lane) => (lane.logIsLost = false)],
    [
      3,
      'a configuration that does not parse',
      (lane) => lane.told('checkSandbox', { kind: 'fail', code: 'BundleDamaged' }),
      (lane) => lane.heal(),
    ],
    [
      4,
      'a full backup that fails',
      (lane) => lane.told('captureLane', { kind: 'fail', code: 'ClassOneEmpty', from: 2 }),
      (lane) => lane.heal(),
    ],
    [
      5,
      'a gateway that does not come back',
      (lane) => lane.told('rehydrateSecrets', { kind: 'fail', code: 'KeychainPasswordWrong' }),
      (lane) => lane.heal(),
    ],
    [
      5,
      'a drill over its rto',
      (lane) => (lane.spec = { ...lane.spec, budgets: { ...lane.spec.budgets, rtoMs: 1 } }),
      (lane) => (lane.spec = { ...lane.spec, budgets: defaultRestoreBudgets }),
    ],
  ])(
    'whose day %i fails for %s waits with advice, is not signed over it, and passes when tried again',
    async (day, what, spoil, mend) => {
      const gate = new Gated(bench, `mac-${day}-${what.replaceAll(/[^a-z]+/g, '-').slice(0, 20)}`.replace(/-$/, ''));
      const [lane] = gate.lanes;
      spoil(lane);
      await gate.begin();
      const failed = await gate.until(`day ${day} failed`, isFailed(day));
      expect(failed.rows[day]).toMatchObject({ state: 'failed', code: expect.any(String), attempts: 1 });
      expect(failed.rows[day]?.advice.join()).not.toBe('');
      expect(failed.next).toContain(`./clawback gate retry ${gate.host} --day `);
      expect((await gate.refusalOf(gateMessages.sign, { by: 'Ada' })).message).toMatch(
        new RegExp(`days? .*${day} failed`),
      );
      mend(lane);
      await gate.tell(gateMessages.retryDay, { day });
      const again = await gate.until(`day ${day} passed`, ({ rows }) => rows[day]?.state === 'passed');
      expect(again.rows[day]).toMatchObject({ state: 'passed', attempts: 2, code: null, advice: [] });
      expect(lane).toMatchObject({ gateway: 'running', violations: [] });
      await gate.end();
    },
  );

  it('whose disk fills up goes on to day 7, where its guardrails hold up the signature until 72 hours pass well', async () => {
    const gate = new Gated(bench, 'mac-full');
    const [lane] = gate.lanes;
    const well = lane.look;
    let looks = 0;
    // full from the first look after the readiness check on
    const look = (): typeof well => ({ ...well, diskUsedRatio: looks++ === 0 ? 0.5 : 0.85 });
    Object.defineProperty(lane, 'look', { get: look, configurable: true });
    await gate.begin();
    const isHeldUp = (state: GateState): boolean => isFailed(2)(state) && state.rows[7]?.state === 'running';
    const failed = await gate.until('the guardrails failed, on day 7', isHeldUp);
    expect(failed.rows[2]?.advice.join()).toMatch(/free \d+(\.\d)? [GM]B/);
    expect((await gate.refusalOf(gateMessages.sign, { by: 'Ada' })).message).toContain('day 2 failed');
    Object.defineProperty(lane, 'look', { value: well });
    await gate.tell(gateMessages.retryDay, { day: 2 });
    expect((await gate.refusalOf(gateMessages.sign, { by: 'Ada' })).message).toContain('day 2 has not passed yet');
    await gate.until('day 7 waits', awaitsSignature);
    await gate.end();
  });

  it('whose lanes share an archive fails on day 6; abandoned, it leaves a receipt that it was not signed', async () => {
    const gate = new Gated(bench, 'mac-shared', 2);
    for (const lane of gate.lanes) lane.manifestSha256 = 'd'.repeat(64);
    await gate.begin();
    const failed = await gate.until('day 6 failed', isFailed(6));
    expect(failed.rows[6]?.message).toContain('have the same manifestSha256');
    await gate.tell(gateMessages.abandon, { by: 'Ada', reason: 'another Mac' });
    expect(await gate.handle.result()).toMatchObject({ phase: 'abandoned', signed: null, receipt: expect.any(String) });
    expect(gate.lanes[0].gateReceipts.map(({ state }) => state.abandoned?.reason)).toEqual(['another Mac']);
  });

  it.each<[string, string, (lane: FakeLane) => unknown, RegExp]>([
    [
      'another OpenClaw',
      'mac-updated',
      (lane) => (lane.survey = { ...lane.survey, openclawVersion: '2026.11.2' }),
      /was 2026\.11\.1, and is 2026\.11\.2/,
    ],
    [
      'another machine',
      'mac-other',
      (lane) => {
        const { target } = lane.spec;
        const hostKey = `ssh-ed25519 ${'B'.repeat(68)}`;
        lane.spec = { ...lane.spec, target: { ...target, host: { ...target.host, hostKey } } };
      },
      /another machine/,
    ],
  ])('is sent back to day 1 by %s, and says so', async (_what, host, change, why) => {
    const gate = new Gated(bench, host);
    await gate.begin();
    await gate.until('day 1 passed', ({ rows }) => rows[1]?.state === 'passed');
    change(gate.lanes[0]);
    const again = await gate.until(
      'it began anew',
      ({ rearmed, rows }) => rearmed.length === 1 && rows[0]?.state === 'passed',
    );
    expect(again.rearmed[0]?.why).toMatch(why);
    await gate.end();
  });

  it('whose next day cannot be told by the calendar goes on after the longest day that there is, and says so', async () => {
    // steps that name no lane
    bench.lane('').told('nextGateDay', { kind: 'fail' });
    const gate = new Gated(bench, 'mac-without-calendar');
    await gate.begin({});
    const { rows, warnings } = await gate.until('day 2 is due', ({ day }) => day === 2);
    expect(warnings).toEqual([
      expect.stringMatching(/could not be told \(HostOutputUnexpected\): the next day of the gate begins/),
    ]);
    expect(Date.parse(rows[2]?.dueAt ?? '') - Date.parse(rows[1]?.startedAt ?? '')).toBe(25 * 3_600_000);
    await gate.end();
  });

  it('that is cancelled in its drill puts the lane right and leaves a receipt', async () => {
    const gate = new Gated(bench, 'mac-stopped');
    const [lane] = gate.lanes;
    lane.told('swapTrees', { kind: 'block' });
    await gate.begin();
    await lane.reached('swapTrees');
    await gate.handle.cancel();
    await expect(gate.handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(lane).toMatchObject({ tree: 'old', gateway: 'running', journal: null, violations: [] });
    expect(lane.gateReceipts.map(({ state }) => state.phase)).toEqual(['cancelled']);
  });

  it('that is abandoned in its drill puts the lane right', async () => {
    const gate = new Gated(bench, 'mac-left');
    const [lane] = gate.lanes;
    lane.told('swapTrees', { kind: 'block' });
    await gate.begin();
    await lane.reached('swapTrees');
    await gate.tell(gateMessages.abandon, { reason: 'seen enough' });
    expect(await gate.handle.result()).toMatchObject({ phase: 'abandoned' });
    expect(lane).toMatchObject({ tree: 'old', gateway: 'running', journal: null, violations: [] });
  });

  it('is of one id, and takes no days that somebody hands to it', async () => {
    const gate = new Gated(bench, 'mac-forged');
    const other = await bench.start(workflowNames.qualifyHost, { host: gate.host }, 'my-gate');
    expect(await failureOf(other)).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('gate/FLEET/'),
    });
    const forged = await gate.begin({ carried: { state: {} } });
    expect(await failureOf(forged)).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('hands over'),
    });
  });
});
