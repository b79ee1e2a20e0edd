// A receipt for the tests, and a store of them in memory.

import { Readable } from 'node:stream';
import { Failure } from '../../../src/domain/failure.ts';
import { encodeReceipt, type Receipt } from '../../../src/receipt/receipt.ts';
import { type ReceiptSource, receiptKey } from '../../../src/receipt/stored-receipts.ts';
import { signers } from '../../golden/keys.ts';

export const fleetSha256 = 'f1'.repeat(32);
export const of = { fleet: 'fleet-1', lane: 'lane-1', publicKeysPem: [signers.manifest.publicKeyPem] };

type Bundle = Receipt['bundles'][number];
type Step = Receipt['steps'][number];

export function bundleOf(fields: Partial<Bundle> = {}): Bundle {
  return {
    bundle: '20261122T031500Z-0123abcd',
    manifestSha256: 'cd'.repeat(32),
    tier: 'B',
    capturedAt: '2026-11-22T03:15:01.500Z',
    components: ['config', 'plists', 'secrets', 'transcripts', 'workspace', 'logs'],
    whole: true,
    ...fields,
  };
}

const stepOf = (step: string, phase: string, from: string, to: string, fields: Partial<Step> = {}): Step => ({
  step,
  phase,
  startedAt: `2026-11-22T${from}Z`,
  endedAt: `2026-11-22T${to}Z`,
  budgetMs: null,
  activities: 1,
  attempts: 1,
  outcome: 'passed',
  ...fields,
});

const minutes = (count: number): number => count * 60_000;

/** A live restore of a whole bundle that passed. */
export function receiptOf(fields: Partial<Receipt> = {}): Receipt {
  return {
    id: '20261122T040000Z-89abcdef',
    kind: 'restore',
    fleet: 'fleet-1',
    lane: 'lane-1',
    host: { name: 'mac-1', region: 'hk', hostKey: `SHA256:${'A'.repeat(43)}` },
    workflow: {
      id: 'restore-lane-1-1',
      runId: '0199a000-0000-7000-8000-000089abcdef',
      section: { id: 'lane/fleet-1/lane-1', runId: '0199a000-0000-7000-8000-000000000001' },
    },
    restore: { into: 'live', only: null, layered: false },
    bundles: [bundleOf()],
    versions: {
      clawback: '0.1.0',
      profile: 'openclaw-2026',
      openclaw: { bundle: '2026.11.1', lane: '2026.11.1' },
      os: 'macOS 26.1',
    },
    startedAt: '2026-11-22T04:00:02.000Z',
    endedAt: '2026-11-22T04:19:40.000Z',
    steps: [
      stepOf('check', 'checking bundle, host and workers', '04:00:02', '04:00:20', { activities: 5, attempts: 5 }),
      stepOf('tree', 'fetching and staging', '04:00:20', '04:14:00', {
        budgetMs: minutes(40),
        activities: 121,
        attempts: 124,
      }),
      stepOf('stop', 'stopping writers', '04:14:00', '04:14:21', { budgetMs: minutes(5) }),
      stepOf('tree', 'swapping trees', '04:14:21', '04:14:30', { budgetMs: minutes(40), activities: 2, attempts: 2 }),
      stepOf('secrets', 'rehydrating secrets', '04:14:30', '04:15:00', { budgetMs: minutes(20) }),
      stepOf('smoke', 'starting and testing', '04:15:00', '04:19:30', {
        budgetMs: minutes(15),
        activities: 2,
        attempts: 2,
      }),
      stepOf('commit', 'committing', '04:19:30', '04:19:40', { activities: 2, attempts: 2 }),
    ],
    rto: { ms: 1_168_000, budgetMs: minutes(90), waitingMs: 2_000, over: [] },
    rpo: [
      { dataClass: 1, bundle: '20261122T031500Z-0123abcd', capturedAt: '2026-11-22T03:15:01.500Z', ms: 2_700_500 },
      { dataClass: 2, bundle: '20261122T031500Z-0123abcd', capturedAt: '2026-11-22T03:15:01.500Z', ms: 2_700_500 },
    ],
    clocks: { hostOffsetMs: -12 },
    messageAnswered: true,
    outcome: 'passed',
    failure: null,
    laneAfter: 'restored',
    approvals: [],
    warnings: [],
    disclaimers: [],
    ...fields,
  };
}

export const failed: Partial<Receipt> = {
  outcome: 'failed',
  failure: 'MessageUnanswered',
  messageAnswered: false,
  laneAfter: 'as-before',
};

export function encode(receipt: Receipt, privateKeyPem = signers.manifest.privateKeyPem): Buffer {
  return encodeReceipt(receipt, { privateKeyPem, fleetSha256 });
}

/** A store that holds these objects. */
export function sourceOf(objects: Readonly<Record<string, Buffer>>): ReceiptSource {
  return {
    async *list(prefix) {
      for (const key of Object.keys(objects).toSorted()) if (key.startsWith(prefix)) yield { key };
    },
    async get(key) {
      const bytes = objects[key];
      if (!bytes) throw new Failure('ObjectMissing', `no object ${key}`, { key });
      return Readable.from([bytes]);
    },
  };
}

export function storeOf(...receipts: readonly Receipt[]): ReceiptSource {
  return sourceOf(Object.fromEntries(receipts.map((receipt) => [receiptKey('lane-1', receipt.id), encode(receipt)])));
}
