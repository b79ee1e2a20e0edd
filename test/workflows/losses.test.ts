// The loss of a host and of a region: nothing is started elsewhere before the lost host is fenced or that was waived, what
// fails leaves the lanes where the fleet file says, and what is done by hand goes on in the same incident.

import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { gateMessages, type GateState } from '../../src/contract/gate.ts';
import type { HookAnswer, HookKind, HookRequest } from '../../src/contract/hooks.ts';
import type { IncidentState } from '../../src/contract/incident-state.ts';
import { incidentMessages } from '../../src/contract/incidents.ts';
import { gateId, incidentId, movedId, workflowNames } from '../../src/contract/names.ts';
import { movedMemo, movedMessages, type MovedState } from '../../src/contract/placement.ts';
import { Bench, failureOf, type Handle, statusOf, waitUntil } from './bench.ts';
import { type FakeLane, fleetName } from './fake-lane.ts';

vi.setConfig({ maxConcurrency: 6 });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

const hostKey = `ssh-ed25519 ${'A'.repeat(68)}`;

function answerOf({ hook }: HookRequest): HookAnswer<HookKind> {
  if (hook === 'provision') return { address: '192.0.2.9', hostKey };
  return hook === 'fence' ? { fenced: 'power-off' } : {};
}

interface Lost {
  readonly name: string;
  /** Stands for the host: hooks and faults of steps that touch no lane. */
  readonly host: FakeLane;
  readonly lanes: readonly [FakeLane, FakeLane];
  readonly run: Handle<IncidentState>;
}

interface Scene {
  readonly hooks?: readonly HookKind[];
  /** No standby fits. */
  readonly alone?: boolean;
  readonly input?: object;
  readonly told?: (host: FakeLane, lanes: readonly FakeLane[]) => void;
}

/** A host with two lanes is lost. */
async function lose(
  name: string,
  { hooks = ['fence', 'dns'], alone = false, input = {}, told }: Scene = {},
): Promise<Lost> {
  const lanes = [bench.lane(`${name}-a`).onHost(name), bench.lane(`${name}-b`).onHost(name)] as const;
  const host = bench.lane(name);
  host.hooks = [...hooks];
  host.onHook = answerOf;
  bench.fleet.planned.set(name, { ask: 'policy' });
  if (alone) bench.fleet.refuges.set(name, { to: null, notes: ['standby mac-9 is too small'] });
  told?.(host, lanes);
  const run = await bench.start<IncidentState>(
    workflowNames.recoverHostLoss,
    { host: name, ...input },
    incidentId(fleetName, 'host-loss', name),
  );
  return { name, host, lanes, run };
}

const look = ({ run }: Lost): Promise<IncidentState> => run.query<IncidentState>(incidentMessages.incident);

function tell({ run }: Lost, update: 'approve' | 'decline' | 'handDone', input: object): Promise<unknown> {
  return (run as WorkflowHandle).executeUpdate(incidentMessages[update], { args: [input] });
}

async function approve(lost: Lost, input: object = {}): Promise<void> {
  await waitUntil('it waits for an approval', async () => (await look(lost)).phase === 'awaiting-approval');
  const { plan } = await look(lost);
  await tell(lost, 'approve', { digest: plan?.digest, by: 'ada', ...input });
}

async function byHand(lost: Lost, step: string, input: object = {}): Promise<void> {
  await waitUntil(`it waits for ${step}`, async () => (await look(lost)).hand?.step === step);
  await tell(lost, 'handDone', { step, by: 'ada', ...input });
}

const signatureOf = (words: string): string => `-----BEGIN SSH SIGNATURE-----\n${words}\n-----END SSH SIGNATURE-----\n`;

/** The hooks that ran, in their order. */
function hooksOf({ host }: Lost): HookKind[] {
  return host.calls.filter(({ step }) => step === 'runHook').map(({ input }) => (input as HookRequest).hook);
}

const keeperOf = ({ name }: Lost): Handle => bench.handle(movedId(fleetName, name));

async function endKeeper(lost: Lost): Promise<MovedState> {
  for (const lane of lost.lanes) lane.inFleetFile = true;
  await keeperOf(lost).query(movedMessages.moved);
  const keeper = keeperOf(lost) as unknown as WorkflowHandle;
  await keeper.executeUpdate(movedMessages.gone, { args: [{ by: 'test' }] });
  const state = await keeper.query<MovedState>(movedMessages.moved);
  await keeper.terminate();
  return state;
}

async function noKeeper(lost: Lost): Promise<void> {
  await expect(keeperOf(lost).describe()).rejects.toThrow(/not found/i);
}

function expectUntouched({ lanes }: Lost): void {
  for (const lane of lanes) expect(lane).toMatchObject({ tree: 'old', restored: false, violations: [] });
}

describe.concurrent('the loss of a host', () => {
  it('waits for an approval, then fences, prepares, places and restores, in this order', async () => {
    const lost = await lose('whole');
    await waitUntil('it asks', async () => (await look(lost)).phase === 'awaiting-approval');
    expect((await look(lost)).plan?.steps.map(({ step }) => step)).toEqual([
      'standby',
      'fence',
      'prepare',
      'restore',
      'restore',
      'dns',
      'guard',
      'gate',
    ]);
    expectUntouched(lost);
    await approve(lost);
    const state = await lost.run.result();
    expect(state).toMatchObject({ phase: 'recovered', rto: { ms: expect.any(Number), over: false } });
    expect(state.outcome?.lanes.map(({ lane, outcome }) => `${lane} ${outcome}`)).toEqual([
      'whole-a recovered',
      'whole-b recovered',
    ]);
    expect(state.outcome?.remarks.join('\n')).toMatch(/whole is fenced: power-off/);
    expect(state.outcome?.followUp).toEqual([expect.stringMatching(/fleet\.yaml/), 'lanes:']);
    expect(hooksOf(lost)).toEqual(['fence', 'dns']);
    const order = lost.host.order.filter((step) => ['prepareHost', 'runHook', 'vouchHost'].includes(step));
    expect(order).toEqual(['prepareHost', 'runHook', 'prepareHost', 'vouchHost', 'runHook']);
    for (const lane of lost.lanes) expect(lane).toMatchObject({ tree: 'new', gateway: 'running', violations: [] });
    expect((await keeperOf(lost).describe()).memo?.[movedMemo]).toMatchObject({ lanes: ['whole-a', 'whole-b'] });
    expect(await endKeeper(lost)).toMatchObject({ on: { host: 'mac-9' }, lost: 'gone' });
  });

  it('says UNFENCED where the approval waived the fence, and runs no hook for it', async () => {
    const lost = await lose('unfenced');
    await approve(lost, { waiveFence: true });
    const state = await lost.run.result();
    expect(state.warnings).toEqual([expect.stringMatching(/^UNFENCED: unfenced was not fenced.*ada/)]);
    expect(hooksOf(lost)).toEqual(['dns']);
    await endKeeper(lost);
  });

  it('asks somebody to fence it when the hook fails, and starts nothing before that', async () => {
    const lost = await lose('fence-fails', {
      told: (host) => host.told('runHook', { kind: 'fail', code: 'HookFailed', to: 1 }),
    });
    await approve(lost);
    await waitUntil('it asks', async () => (await look(lost)).hand?.step === 'fence');
    expectUntouched(lost);
    await noKeeper(lost);
    await expect(tell(lost, 'handDone', { step: 'dns' })).rejects.toThrow();
    await byHand(lost, 'fence');
    const state = await lost.run.result();
    expect(state).toMatchObject({ phase: 'recovered' });
    expect(state.outcome?.remarks.join('\n')).toMatch(/fenced by hand, after the hook had failed/);
    expect(state.rto.waitingMs).toBeGreaterThan(0);
    await endKeeper(lost);
  });

  it('takes the word of an approver alone that it was done by hand, and its receipt says whose word it was', async () => {
    bench.fleet.approversOf.set('hand-signed', ['ada']);
    const lost = await lose('hand-signed', { hooks: ['dns'] });
    const expires = '2999-01-01T00:00:00Z';
    const good = { by: 'ada', expires, signature: signatureOf('GOOD') };
    await approve(lost, good);
    await waitUntil('it asks', async () => (await look(lost)).hand?.step === 'fence');
    const bad = [
      { by: 'ada' },
      { ...good, by: 'eve' },
      { ...good, expires: '1999-01-01T00:00:00Z' },
      { ...good, signature: signatureOf('WRONG') },
    ];
    for (const one of bad)
      await expect(tell(lost, 'handDone', { step: 'fence', ...one })).rejects.toMatchObject({
        cause: { type: 'ApprovalRefused' },
      });
    expect(await look(lost)).toMatchObject({ hand: { step: 'fence' }, hands: [] });
    expectUntouched(lost);
    const twice = await Promise.allSettled([1, 2].map(() => tell(lost, 'handDone', { step: 'fence', ...good })));
    expect(twice.some(({ status }) => status === 'fulfilled')).toBe(true);
    const state = await lost.run.result();
    expect(state).toMatchObject({ phase: 'recovered', hands: [{ step: 'fence', by: 'ada', how: 'signed' }] });
    await endKeeper(lost);
  });

  it('goes on with the Mac that a hook brings, which gets a name of its own', async () => {
    const lost = await lose('brought', { hooks: ['provision', 'fence', 'dns'], alone: true });
    await approve(lost);
    const state = await lost.run.result();
    expect(state.plan?.lanes.map(({ toHost }) => toHost)).toEqual(['brought-new', 'brought-new']);
    expect(state.plan?.warnings).toEqual(['passed over: standby mac-9 is too small']);
    expect(hooksOf(lost)).toEqual(['provision', 'fence', 'dns']);
    expect(await endKeeper(lost)).toMatchObject({
      on: { host: 'brought-new', record: { address: '192.0.2.9', port: 22, user: 'operator', hostKey } },
    });
  });

  it('goes on by hand without any hook: a wrong host key is asked for again', async () => {
    const lost = await lose('hands', { hooks: [], alone: true });
    await approve(lost);
    await byHand(lost, 'provision', { address: '192.0.2.9', hostKey: 'nonsense' });
    await waitUntil('it says why', async () => (await look(lost)).warnings.join().includes('hostKey'));
    await byHand(lost, 'provision', { address: '192.0.2.9', port: 2222, hostKey });
    await byHand(lost, 'fence');
    const state = await lost.run.result();
    expect(state).toMatchObject({ phase: 'recovered', rto: { provisioningMs: expect.any(Number) } });
    expect(state.outcome?.remarks.join('\n')).toMatch(/BY HAND: point the names of hands-a, hands-b at 192\.0\.2\.9/);
    expect(await endKeeper(lost)).toMatchObject({ on: { record: { port: 2222 } } });
  });

  it.each<[string, string, Scene, string]>([
    [
      'the hook brings nonsense',
      'nonsense',
      {
        hooks: ['provision', 'fence'],
        alone: true,
        told: (host) => host.told('runHook', { kind: 'fail', code: 'HookAnswerInvalid' }),
      },
      'HookAnswerInvalid',
    ],
    [
      'the standby is too small',
      'small',
      { told: (host) => host.told('prepareHost', { kind: 'fail', code: 'HostUnfit' }) },
      'HostUnfit',
    ],
    [
      'the standby shows another key',
      'foreign-key',
      { told: (host) => host.told('prepareHost', { kind: 'fail', code: 'HostKeyChanged' }) },
      'HostKeyChanged',
    ],
  ])('leaves everything as it is when %s: nothing was fenced for it', async (_what, name, scene, code) => {
    const lost = await lose(name, scene);
    await approve(lost);
    expect((await failureOf(lost.run)).code).toBe('RecoveryFailed');
    const { outcome } = await look(lost);
    expect(outcome?.lanes).toEqual([
      expect.objectContaining({ outcome: 'untouched', code }),
      expect.objectContaining({ outcome: 'untouched', code }),
    ]);
    expect(hooksOf(lost)).not.toContain('fence');
    expectUntouched(lost);
    await noKeeper(lost);
  });

  it.each<[string, string, Scene]>([
    [
      'the accounts cannot be made',
      'accounts',
      { told: (host) => host.told('prepareHost', { kind: 'fail', code: 'SudoRefused', from: 2 }) },
    ],
    [
      'no vault worker vouches for the host',
      'unvouched',
      { told: (host) => host.told('vouchHost', { kind: 'fail', code: 'SecretUnavailable' }) },
    ],
  ])('starts nothing when %s', async (_what, name, scene) => {
    const lost = await lose(name, scene);
    await approve(lost);
    expect((await failureOf(lost.run)).code).toBe('RecoveryFailed');
    expectUntouched(lost);
    await noKeeper(lost);
  });

  it('keeps the lane that came back there, and leaves the one that did not where the file says', async () => {
    const lost = await lose('half', {
      told: (_host, [, other]) => other?.told('startGateway', { kind: 'fail', code: 'GatewayWouldNotStart' }),
    });
    await approve(lost);
    expect((await failureOf(lost.run)).code).toBe('RecoveryFailed');
    expect((await look(lost)).outcome?.lanes.map(({ outcome }) => outcome)).toEqual(['recovered', 'failed']);
    expect((await keeperOf(lost).describe()).memo?.[movedMemo]).toMatchObject({ lanes: ['half-a'] });
    expect(lost.lanes[1]).toMatchObject({ tree: 'old', violations: [] });
    await endKeeper(lost);
  });

  it('undoes nothing when the names cannot be switched: that is left to do by hand, and said', async () => {
    const lost = await lose('dns-fails', {
      told: (host) => host.told('runHook', { kind: 'fail', code: 'HookFailed', from: 2 }),
    });
    await approve(lost);
    const state = await lost.run.result();
    expect(state.outcome?.remarks.join('\n')).toMatch(/BY HAND: point the names/);
    expect(state.warnings).toEqual([expect.stringMatching(/names were not switched: HookFailed/)]);
    await endKeeper(lost);
  });

  it.each<[string, 'describeHost' | 'readMoved', RegExp]>([
    ['where the new host is cannot be told', 'describeHost', /names were not switched: FleetChanged/],
    ['what fleet.yaml lacks cannot be told', 'readMoved', /lines for fleet.yaml could not be told: FleetChanged/],
  ])('says that lanes which answer are recovered when %s', async (_what, step, warning) => {
    const lost = await lose(`late-${step.toLowerCase()}`, {
      told: (host) => host.told(step, { kind: 'fail', code: 'FleetChanged' }),
    });
    await approve(lost);
    const state = await lost.run.result();
    expect(state.outcome?.lanes.map(({ outcome }) => outcome)).toEqual(['recovered', 'recovered']);
    expect(state.warnings).toEqual([expect.stringMatching(warning)]);
    expect(state.outcome?.followUp?.join()).toMatch(/fleet.yaml/);
    await endKeeper(lost);
  });

  it('is put right when it is cancelled in the middle: lanes that were not restored are where the file says', async () => {
    const lost = await lose('cancelled', {
      told: (_host, lanes) => lanes.forEach((lane) => void lane.told('swapTrees', { kind: 'block' })),
    });
    await approve(lost);
    await Promise.all(lost.lanes.map((lane) => lane.reached('swapTrees')));
    await lost.run.cancel();
    await expect(lost.run.result()).rejects.toThrow();
    expect(await statusOf(lost.run)).toBe('CANCELLED');
    expectUntouched(lost);
    await waitUntil('the keeper ends', async () => (await keeperOf(lost).describe()).status.name === 'COMPLETED');
  });

  it('changes nothing when it is declined', async () => {
    const lost = await lose('declined');
    await waitUntil('it asks', async () => (await look(lost)).phase === 'awaiting-approval');
    await tell(lost, 'decline', { by: 'ada', reason: 'the host is being moved' });
    expect(await lost.run.result()).toMatchObject({ phase: 'declined' });
    expect(hooksOf(lost)).toEqual([]);
    expectUntouched(lost);
    await noKeeper(lost);
  });

  it('is refused when the standby that was asked for cannot take the lanes', async () => {
    const lost = await lose('wanted', { alone: true, input: { standby: 'mac-9' } });
    const { code, message } = await failureOf(lost.run);
    expect(code).toBe('NoStandby');
    expect(message).toMatch(/mac-9 cannot take the lanes over: standby mac-9 is too small/);
  });
});

describe.concurrent('the gate after the loss of a host', () => {
  const gateOf = (host: string): WorkflowHandle => bench.handle(gateId(fleetName, host));

  /** Its lanes go to a standby with a lane that a gate can look at. */
  async function loseTo(name: string, input: object = {}): Promise<{ readonly lost: Lost; readonly standby: string }> {
    const standby = `${name}-standby`;
    bench.fleet.refuges.set(name, { to: standby });
    bench.lane(`${standby}-a`).onHost(standby);
    return { lost: await lose(name, { input }), standby };
  }

  it('begins on the host that took over, and outlives the incident', async () => {
    const { lost, standby } = await loseTo('gated');
    await approve(lost);
    const state = await lost.run.result();
    expect(state).toMatchObject({ phase: 'recovered', warnings: [] });
    expect(state.plan?.steps.at(-1)).toMatchObject({ step: 'gate', what: expect.stringContaining(standby) });
    expect(state.outcome?.remarks).toContain(
      `the 7-day gate of ${standby} has begun: \`./clawback gate status ${standby}\``,
    );
    const gate = gateOf(standby);
    expect((await gate.describe()).status.name).toBe('RUNNING');
    await waitUntil('it looks at its lanes', async () => {
      const { lanes } = await gate.query<GateState, []>(gateMessages.gate);
      return lanes.includes(`${standby}-a`);
    });
    await gate.terminate();
    await endKeeper(lost);
  });

  it('goes on where one runs already, and costs the recovery nothing', async () => {
    const { lost, standby } = await loseTo('gated-twice');
    const running = await bench.start(workflowNames.qualifyHost, { host: standby }, gateId(fleetName, standby));
    await approve(lost);
    const state = await lost.run.result();
    expect(state).toMatchObject({ phase: 'recovered' });
    expect(state.outcome?.remarks.join('\n')).toContain(`a gate of ${standby} runs already`);
    expect(await statusOf(running)).toBe('RUNNING');
    await gateOf(standby).terminate();
    await endKeeper(lost);
  });

  it('does not begin where no lane came back, nor in a rehearsal', async () => {
    const failing = await loseTo('gate-none');
    for (const lane of failing.lost.lanes) lane.told('startGateway', { kind: 'fail', code: 'GatewayWouldNotStart' });
    await approve(failing.lost);
    expect((await failureOf(failing.lost.run)).code).toBe('RecoveryFailed');
    await expect(gateOf(failing.standby).describe()).rejects.toThrow(/not found/i);
    const rehearsed = await loseTo('gate-rehearsed', { rehearse: true });
    await approve(rehearsed.lost);
    const { plan } = await rehearsed.lost.run.result();
    expect(plan?.steps.map(({ step }) => step)).not.toContain('gate');
    await expect(gateOf(rehearsed.standby).describe()).rejects.toThrow(/not found/i);
    await endKeeper(rehearsed.lost);
  });
});

describe('the loss of a region', () => {
  it('reads the replica, names lanes that are beyond it, and restores each host onto another', async () => {
    const name = 'osaka';
    const lanes = ['osaka-1-a', 'osaka-2-a'].map((lane) => bench.lane(lane).onHost(lane.slice(0, 7)));
    const host = bench.lane(name);
    host.hooks = ['fence', 'dns'];
    host.onHook = answerOf;
    bench.fleet.planned.set(name, { ask: 'policy' });
    bench.fleet.regions.set(name, ['osaka-1', 'osaka-2']);
    bench.fleet.refuges.set('osaka-1', { to: 'mac-8', lanes: [{ lane: 'osaka-1-a', fromReplica: true }] });
    const beyond = [{ lane: 'osaka-2-b', why: 'all copies of lane osaka-2-b rest in the lost region osaka' }];
    bench.fleet.refuges.set('osaka-2', { to: 'mac-9', lanes: [{ lane: 'osaka-2-a', fromReplica: true }], beyond });
    const id = incidentId(fleetName, 'region-loss', name);
    const run = await bench.start<IncidentState>(workflowNames.recoverRegionLoss, { region: name }, id);
    const lost: Lost = { name, host, lanes: lanes as unknown as Lost['lanes'], run };
    await approve(lost);
    const state = await run.result();
    expect(state.plan?.lanes.map(({ lane, toHost }) => `${lane} ${toHost}`)).toEqual([
      'osaka-1-a mac-8',
      'osaka-2-a mac-9',
    ]);
    expect(state.plan?.warnings).toEqual([`NOT RECOVERED: ${beyond[0]?.why}`]);
    expect(state.plan?.steps.map(({ step }) => step)).not.toContain('gate');
    const [planned] = host.calls.filter(({ step }) => step === 'planRecovery');
    expect(planned?.input).toMatchObject({
      lanes: [
        { fromReplica: true, layered: true },
        { fromReplica: true, layered: true },
      ],
    });
    expect(state.outcome?.lanes.map(({ outcome }) => outcome)).toEqual(['recovered', 'recovered']);
    for (const lane of lanes) expect(lane).toMatchObject({ tree: 'new', gateway: 'running', violations: [] });
    for (const one of ['osaka-1', 'osaka-2'])
      await (bench.handle(movedId(fleetName, one)) as unknown as WorkflowHandle).terminate();
  });
});
