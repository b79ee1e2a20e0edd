import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalText, type PlanCore, staleBecause } from '../../../src/domain/incident.ts';

const lane = { lane: 'lane-1', host: 'mac-1', bundle: '20261122T031500Z-1a2b3c4d', store: 'primary' };
const plan: PlanCore = {
  scenario: 'host-loss',
  subject: 'mac-1',
  fleetDigest: 'a'.repeat(64),
  steps: [{ step: 'restore', lane: 'lane-1' }],
  lanes: [lane],
};

describe('a plan', () => {
  it.each([
    ['another fleet file', { fleetDigest: 'b'.repeat(64) }, /fleet file/],
    ['a newer bundle', { lanes: [{ ...lane, bundle: '20261123T031500Z-1a2b3c4d' }] }, /lane-1.*20261123T031500Z/],
    ['a lost bundle', { lanes: [{ ...lane, bundle: null }] }, /lane-1/],
    ['another store', { lanes: [{ ...lane, store: 'replica' }] }, /lane-1/],
    ['another host to go to', { lanes: [{ ...lane, toHost: 'mac-2' }] }, /lane-1/],
    ['a lane more', { lanes: [lane, { ...lane, lane: 'lane-2' }] }, /lane-2/],
    ['a lane less', { lanes: [] }, /list/],
    ['another step', { steps: [...plan.steps, { step: 'dns' }] }, /steps/],
  ])('is stale with %s', (_, change, why) => {
    expect(staleBecause(plan, { ...plan, ...change })).toMatch(why);
  });

  it('is not stale by what time alone changes: sizes, ages, warnings', () => {
    expect(
      staleBecause(plan, Object.assign(structuredClone(plan), { warnings: ['older by an hour'], estimatedRtoMs: 7 })),
    ).toBe(undefined);
  });
});

it('two approvals that differ in anything have different texts', () => {
  const statement = fc.record({
    workflowId: fc.stringMatching(/^[a-z/]{1,20}$/),
    runId: fc.uuid(),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/),
    by: fc.stringMatching(/^[a-z]{1,9}$/),
    expires: fc.constantFrom('2026-11-23T04:00:00Z', '2026-11-23T05:00:00Z'),
    waiveFence: fc.boolean(),
  });
  fc.assert(
    fc.property(statement, statement, (one, other) => {
      expect(approvalText(one) === approvalText(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});
