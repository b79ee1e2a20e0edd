// Where the lanes of a lost host are is kept until the fleet file says so and the lost host can do no more harm.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { movedId, queues, workflowNames } from '../../src/contract/names.ts';
import { movedMemo, movedMessages, type MovedState, type Placement } from '../../src/contract/placement.ts';
import { Bench, type Handle, waitUntil } from './bench.ts';
import { fleetName } from './fake-lane.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

/** Two lanes of a host of their own, moved to mac-2. */
async function keep(name: string): Promise<{ readonly handle: Handle<MovedState>; readonly lanes: string[] }> {
  const lanes = [`${name}-1`, `${name}-2`];
  const placement: Placement = {
    fleet: fleetName,
    keeper: movedId(fleetName, name),
    incident: `incident/${fleetName}/host-loss/${name}`,
    runId: 'r-1',
    lostHost: name,
    lanes,
    on: { host: 'mac-2' },
    vouchedAt: new Date().toISOString(),
  };
  const args = [{ placement, envelope: 'vouched' }];
  const handle = await bench.client.workflow.start(workflowNames.keepMoved, {
    taskQueue: queues.host,
    workflowId: placement.keeper,
    args,
  });
  return { handle: handle as unknown as Handle<MovedState>, lanes };
}

const stateOf = ({ handle }: { readonly handle: Handle<MovedState> }): Promise<MovedState> =>
  handle.query<MovedState>(movedMessages.moved);

function inFile(lanes: readonly string[]): void {
  for (const lane of lanes) bench.lane(lane).inFleetFile = true;
}

describe.concurrent('lanes that were moved', () => {
  it('are in the memo at once, and the lines for the fleet file are told until it has them', async () => {
    const kept = await keep('told');
    const memoOf = async (): Promise<unknown> => (await kept.handle.describe()).memo?.[movedMemo];
    await waitUntil('the memo', async () => (await memoOf()) !== undefined);
    expect(await memoOf()).toMatchObject({ lanes: kept.lanes, envelope: 'vouched' });
    await waitUntil('the lines', async () => (await stateOf(kept)).fleetLines.length > 0);
    expect(await stateOf(kept)).toMatchObject({ lost: 'silent', inFleetFile: false, fleetLines: ['lanes:'] });
    await kept.handle.cancel();
    await expect(kept.handle.result()).rejects.toThrow();
  });

  it('have their gateways on the lost host stopped when that answers again', async () => {
    const kept = await keep('back');
    inFile(kept.lanes);
    await waitUntil('the file', async () => (await stateOf(kept)).inFleetFile);
    expect((await kept.handle.describe()).status.name).toBe('RUNNING');
    bench.lane('back').lostHost = 'answers';
    expect(await kept.handle.result()).toMatchObject({ lost: 'stopped', inFleetFile: true });
    expect(kept.lanes.map((lane) => bench.lane(lane).left)).toEqual(['stopped', 'stopped']);
  });

  it('are stopped there however often that has to be tried', async () => {
    const kept = await keep('stubborn');
    inFile(kept.lanes);
    bench.lane('stubborn-1').told('stopLeft', { kind: 'fail', code: 'HostKeyChanged', to: 1 });
    bench.lane('stubborn').lostHost = 'answers';
    expect(await kept.handle.result()).toMatchObject({ lost: 'stopped' });
    expect(bench.lane('stubborn-1')).toMatchObject({ left: 'stopped' });
  }, 30_000);

  it('are left alone there when the machine at the address is another', async () => {
    const kept = await keep('foreign');
    inFile(kept.lanes);
    bench.lane('foreign').lostHost = 'foreign';
    expect(await kept.handle.result()).toMatchObject({ lost: 'foreign' });
    expect(kept.lanes.map((lane) => bench.lane(lane).left)).toEqual(['running', 'running']);
  });

  it('are where the file says when they did not come back: nothing of them is stopped there', async () => {
    const kept = await keep('withdrawn');
    await kept.handle.signal(movedMessages.withdraw, { lanes: ['withdrawn-1'] });
    await waitUntil('one lane', async () => (await stateOf(kept)).lanes.length === 1);
    expect((await kept.handle.describe()).memo?.[movedMemo]).toMatchObject({ lanes: ['withdrawn-2'] });
    bench.lane('withdrawn').lostHost = 'answers';
    await waitUntil('the stop', () => bench.lane('withdrawn-2').left === 'stopped');
    await kept.handle.signal(movedMessages.withdraw, { lanes: ['withdrawn-2'] });
    expect(await kept.handle.result()).toMatchObject({ lanes: [] });
    expect(bench.lane('withdrawn-1').left).toBe('running');
  });

  it('wait no longer for a host of which somebody says that it is gone', async () => {
    const kept = await keep('gone');
    inFile(kept.lanes);
    const handle = bench.client.workflow.getHandle(movedId(fleetName, 'gone'));
    await handle.executeUpdate(movedMessages.gone, { args: [{ by: 'ann' }] });
    expect(await kept.handle.result()).toMatchObject({ lost: 'gone', inFleetFile: true });
    await expect(handle.executeUpdate(movedMessages.gone, { args: [{}] })).rejects.toThrow();
  });
});
