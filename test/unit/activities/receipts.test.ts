// Receipts over a real folder: written once whatever happens to the answer, and believed by the choice of a bundle.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ActivityAttempts, Deps } from '../../../src/activities/deps.ts';
import { buildReceipt, writeReceiptStep } from '../../../src/activities/receipts/write-receipt.ts';
import { chooseBundles } from '../../../src/activities/restore/choose-bundles.ts';
import { encodeManifest } from '../../../src/bundle/manifest.ts';
import { manifestKey } from '../../../src/bundle/object-keys.ts';
import type { ReceiptRequest } from '../../../src/contract/receipt-types.ts';
import type { BundleChoice, ChosenBundles } from '../../../src/contract/step-types.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { openReceipt } from '../../../src/receipt/receipt.ts';
import { receiptKey } from '../../../src/receipt/stored-receipts.ts';
import { DirectoryStore } from '../../../src/store/directory.ts';
import { markDirectory } from '../../../src/store/directory-marker.ts';
import type { Store } from '../../../src/store/store.ts';
import { signers } from '../../golden/keys.ts';
import { specOf } from '../../workflows/fake-lane.ts';
import { manifestOf, segmentOf } from '../bundle/manifests.ts';
import { bundleOf, encode, fleetSha256, receiptOf } from '../receipt/receipts.ts';
import { runStep } from './golden-stores.ts';

const { target } = specOf('lane-1');
const own = receiptOf();

const requestOf = (fields: Partial<ReceiptRequest> = {}): ReceiptRequest => ({
  target,
  store: 'primary',
  region: 'tokyo',
  fleetDigest: fleetSha256,
  id: own.id,
  kind: 'restore',
  workflow: own.workflow,
  restore: own.restore,
  bundles: own.bundles,
  openclaw: own.versions.openclaw,
  os: 'macOS 26.1',
  hostOffsetMs: 12.6,
  startedAt: own.startedAt,
  endedAt: own.endedAt,
  steps: [
    { ...bareStep('check'), afterEvent: 3, untilEvent: 9 },
    { ...bareStep('stop'), afterEvent: 9, untilEvent: 15 },
  ],
  rto: own.rto,
  rpo: own.rpo.map(({ ms, ...one }) => ({ ...one, rpoMs: ms })),
  messageAnswered: true,
  outcome: 'passed',
  failure: null,
  laneAfter: 'restored',
  warnings: [],
  ...fields,
});

function bareStep(step: string) {
  const { startedAt, endedAt } = own;
  return { step, phase: `doing ${step}`, budgetMs: null, startedAt, endedAt, outcome: 'passed' as const };
}

const ran: readonly ActivityAttempts[] = [
  { eventId: 4, attempts: 1 },
  { eventId: 9, attempts: 3 },
  { eventId: 10, attempts: 2 },
  { eventId: 16, attempts: 9 },
];

let root: string;
let store: Store;
let deps: Deps;
let signer: string;
let trusted: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clawback-receipts-'));
  await markDirectory('primary', root);
  store = new DirectoryStore('primary', root);
  signer = signers.manifest.privateKeyPem;
  trusted = [signers.manifest.publicKeyPem];
  deps = {
    version: '1.2.3',
    store: () => store,
    temporal: { activityAttempts: async () => ran },
    keys: {
      receiptSigner: async () => ({ privateKeyPem: signer }),
      receiptPublicKeysPem: async () => trusted,
      manifestPublicKeysPem: async () => [signers.manifest.publicKeyPem],
    },
  } as unknown as Deps;
  return () => rm(root, { recursive: true, force: true });
});

const write = (request = requestOf()) => runStep(writeReceiptStep(deps), request);
const stored = (): Promise<Buffer> => readFile(join(root, receiptKey('lane-1', own.id)));

describe('a receipt that is written', () => {
  it('says what the workflow recorded, and what only its writer knows', async () => {
    expect(await write()).toEqual({ receipt: own.id });
    const { receipt } = openReceipt(await stored(), { publicKeysPem: trusted });
    expect(receipt).toMatchObject({ id: own.id, lane: 'lane-1', versions: { clawback: '1.2.3' }, approvals: [] });
    expect(receipt.host.hostKey).toMatch(/^SHA256:.{43}$/);
    expect(receipt.clocks.hostOffsetMs).toBe(13);
    expect(receipt.steps.map(({ activities, attempts }) => [activities, attempts])).toEqual([
      [2, 4],
      [1, 2],
    ]);
  });

  it('is the same again after a lost answer, also when its key was rotated in between', async () => {
    await write();
    const first = await stored();
    await write();
    signer = signers.intruder.privateKeyPem;
    trusted = [signers.manifest.publicKeyPem, signers.intruder.publicKeyPem];
    expect(await write()).toEqual({ receipt: own.id });
    expect((await stored()).equals(first)).toBe(true);
  });

  it('never overwrites another one of its id: that is told', async () => {
    await write();
    await expect(
      write(requestOf({ messageAnswered: false, outcome: 'failed', failure: 'Cancelled' })),
    ).rejects.toMatchObject({
      type: 'ReceiptDamaged',
      nonRetryable: true,
    });
    trusted = [signers.intruder.publicKeyPem];
    await expect(write()).rejects.toMatchObject({ type: 'ReceiptSignatureBad' });
    expect(openReceipt(await stored(), { publicKeysPem: [signers.manifest.publicKeyPem] }).receipt.outcome).toBe(
      'passed',
    );
  });

  it('fails for good without a key, and may be tried again when the store does not answer', async () => {
    store.put = () => Promise.reject(new Failure('StoreUnreachable', 'no answer'));
    await expect(write()).rejects.toMatchObject({ type: 'StoreUnreachable', nonRetryable: false });
    deps.keys.receiptSigner = () => Promise.reject(new Failure('SecretUnavailable', 'no keys.receipt'));
    await expect(write()).rejects.toMatchObject({ type: 'SecretUnavailable', nonRetryable: true });
    expect(await readdir(root)).not.toContain('lane-1');
  });

  it('cuts what is too long, and says when the host was simulated', () => {
    const warnings = [...Array.from({ length: 60 }, (_, at) => `${at} ${'x'.repeat(600)}`), ''];
    const simulated = { ...target, host: { ...target.host, root: '/srv/bed' } };
    const receipt = buildReceipt(requestOf({ target: simulated, warnings }), ran, '1.2.3');
    expect(receipt.warnings).toHaveLength(50);
    expect(receipt.disclaimers).toEqual([`host ${target.host.name} is a simulated one: its root is not /`]);
    expect(() => encode(receipt)).not.toThrow();
  });
});

describe('a restore without options', () => {
  const [oldest, middle, newest] = ['20', '21', '22'].map((day) => `202611${day}T031500Z-1a2b3c4d`) as [
    string,
    string,
    string,
  ];
  const choice: BundleChoice = { fleet: 'fleet-1', lane: 'lane-1', store: 'primary', layered: false };
  const choose = (fields: Partial<BundleChoice> = {}): Promise<ChosenBundles> =>
    chooseBundles(deps, { ...choice, ...fields }, new AbortController().signal);
  const digests = new Map<string, string>();

  beforeEach(async () => {
    for (const bundle of [oldest, middle, newest]) {
      const capturedAt = `2026-11-${bundle.slice(6, 8)}T03:15:01Z`;
      const bytes = encodeManifest(manifestOf([segmentOf()], { bundle, capturedAt }), signers.manifest);
      digests.set(bundle, (await store.put(manifestKey('lane-1', bundle), bytes)).sha256);
    }
  });

  const prove = async (bundle: string, manifestSha256 = digests.get(bundle) ?? '', key?: string): Promise<void> => {
    const receipt = receiptOf({
      id: bundle.replace('031500', '040000'),
      bundles: [bundleOf({ bundle, manifestSha256, components: ['config'] })],
    });
    await store.put(receiptKey('lane-1', receipt.id), encode(receipt, key));
  };

  it('takes the newest, and says that it is not proven, where none is', async () => {
    expect(await choose()).toMatchObject({ bundle: newest, proven: false, warnings: [] });
  });

  it('takes the newest proven one, and says what a newer one has', async () => {
    await prove(oldest);
    await prove(middle);
    const { bundle, proven, warnings, used } = await choose();
    expect({ bundle, proven }).toEqual({ bundle: middle, proven: true });
    expect(warnings).toEqual([
      expect.stringMatching(`^bundle ${newest} was captured 1 d later, .*restore \\S+ --bundle ${newest}\` takes it$`),
    ]);
    expect(used).toEqual([
      expect.objectContaining({ bundle: middle, manifestSha256: digests.get(middle), whole: true }),
    ]);
  });

  it('takes the newest without a word where that is proven', async () => {
    await prove(newest);
    expect(await choose()).toMatchObject({ bundle: newest, proven: true, warnings: [] });
  });

  it.each<[string, Partial<BundleChoice>]>([
    ['a named bundle', { bundle: newest }],
    ['a time', { at: '2026-11-23T00:00:00Z' }],
    ['one component', { only: 'config' }],
    ['layers', { layered: true }],
  ])('is another thing than one with %s, which takes what was asked for', async (_what, fields) => {
    await prove(oldest);
    expect(await choose(fields)).toMatchObject({ bundle: newest, proven: false });
  });

  it('believes no receipt of another manifest or by another key, and reports it', async () => {
    await prove(oldest, '9'.repeat(64));
    await prove(middle, digests.get(middle), signers.intruder.privateKeyPem);
    const { bundle, warnings } = await choose();
    expect(bundle).toBe(newest);
    expect(warnings).toEqual([expect.stringMatching(/^not believed: receipt 20261121T040000Z-1a2b3c4d: /)]);
  });

  it('takes no damaged bundle because it is proven', async () => {
    await prove(middle);
    await rm(join(root, manifestKey('lane-1', middle)));
    expect(await choose()).toMatchObject({ bundle: newest, proven: false });
  });
});
