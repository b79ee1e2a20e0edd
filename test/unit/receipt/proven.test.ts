import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { proofOf, provenBy, provenOf } from '../../../src/receipt/proven.ts';
import type { Receipt } from '../../../src/receipt/receipt.ts';
import { readReceipt, readReceipts, receiptKey } from '../../../src/receipt/stored-receipts.ts';
import { signers } from '../../golden/keys.ts';
import { bundleOf, encode, failed, of, receiptOf, sourceOf, storeOf } from './receipts.ts';

const { bundle, manifestSha256 } = bundleOf();
const older = bundleOf({ bundle: '20261115T031500Z-00000001', components: ['transcripts'], whole: false });
const sandbox = { into: 'sandbox', only: null, layered: false } as const;

async function provenIn(...receipts: readonly Receipt[]): Promise<string[]> {
  return [...provenOf((await readReceipts(storeOf(...receipts), of)).receipts).keys()];
}

describe('a bundle is proven', () => {
  it('by a receipt of a passed live restore of all that it holds', () => {
    expect(provenBy(receiptOf()).map((one) => one.bundle)).toEqual([bundle]);
  });

  it.each<[string, Partial<Receipt>]>([
    ['a failed restore', failed],
    ['a sandbox restore', { restore: sandbox, messageAnswered: false, laneAfter: 'as-before' }],
    ['a sandbox restore that says it was answered', { restore: sandbox }],
    ['a restore of one component', { restore: { into: 'live', only: 'config', layered: false } }],
    ['an undo', { kind: 'undo' }],
    ['a restore of a part of it', { bundles: [bundleOf({ whole: false })] }],
  ])('not by %s', async (_what, fields) => {
    expect(await provenIn(receiptOf(fields))).toEqual([]);
  });

  it('by a layered restore only when that took all of it: the bundle below is not', () => {
    const layered = { into: 'live', only: null, layered: true } as const;
    const receipt = receiptOf({ restore: layered, bundles: [bundleOf({ components: ['config'] }), older] });
    expect(provenBy(receipt).map((one) => one.bundle)).toEqual([bundle]);
  });

  it('by the newest of its receipts, a later failure notwithstanding', async () => {
    const second = receiptOf({ id: '20261123T040000Z-00000002' });
    const third = receiptOf({ id: '20261124T040000Z-00000003', ...failed });
    const { receipts } = await readReceipts(storeOf(receiptOf(), second, third), of);
    expect(receipts.map(({ receipt }) => receipt.id)).toEqual([third.id, second.id, receiptOf().id]);
    expect(provenOf(receipts).get(bundle)).toMatchObject({ receipt: second.id, manifestSha256 });
  });

  it('with the manifest that was restored, and with no other', async () => {
    const proven = provenOf((await readReceipts(storeOf(receiptOf()), of)).receipts);
    expect(proofOf(proven, bundle, manifestSha256)?.receipt).toBe(receiptOf().id);
    expect(proofOf(proven, bundle, '0'.repeat(64))).toBeUndefined();
    expect(proofOf(proven, older.bundle, manifestSha256)).toBeUndefined();
  });
});

describe('the receipts of a lane', () => {
  const id = receiptOf().id;
  const key = receiptKey('lane-1', id);

  it.each<[string, string, Buffer]>([
    ['tampered with', 'ReceiptSignatureBad', encode(receiptOf(), signers.intruder.privateKeyPem)],
    ['of another lane', 'ReceiptForeign', encode(receiptOf({ lane: 'lane-2' }))],
    ['under the id of another', 'ReceiptDamaged', encode(receiptOf({ id: '20261125T040000Z-00000009' }))],
    ['cut short', 'ReceiptDamaged', encode(receiptOf()).subarray(0, 900)],
  ])('are read without one that is %s, which is reported', async (_what, code, bytes) => {
    const good = receiptOf({ id: '20261123T040000Z-00000002' });
    const objects = { [key]: bytes, [receiptKey('lane-1', good.id)]: encode(good) };
    const { receipts, ignored } = await readReceipts(sourceOf(objects), of);
    expect(receipts.map(({ receipt }) => receipt.id)).toEqual([good.id]);
    expect(ignored).toEqual([{ id, failure: expect.objectContaining({ code }) as Failure }]);
    expect(ignored[0]?.failure.message).toContain(`receipt ${id}`);
  });

  it('stay believed after a rotation as long as the old key is listed', async () => {
    const keys = [signers.intruder.publicKeyPem, signers.manifest.publicKeyPem];
    expect((await readReceipts(storeOf(receiptOf()), { ...of, publicKeysPem: keys })).receipts).toHaveLength(1);
    const only = await readReceipts(storeOf(receiptOf()), { ...of, publicKeysPem: keys.slice(0, 1) });
    expect({ receipts: only.receipts.length, ignored: only.ignored.length }).toEqual({ receipts: 0, ignored: 1 });
  });

  it('are more than are read at once, and none is lost', async () => {
    const many = Array.from({ length: 21 }, (_, at) =>
      receiptOf({ id: `20261122T0400${String(at).padStart(2, '0')}Z-0000000a` }),
    );
    expect((await readReceipts(storeOf(...many), of)).receipts).toHaveLength(21);
  });

  it('leave alone what is no receipt, and say when there is none of that id', async () => {
    const source = sourceOf({ 'lane-1/receipts/notes.txt': Buffer.from('x'), 'lane-11/receipts/x': Buffer.from('x') });
    expect(await readReceipts(source, of)).toEqual({ receipts: [], ignored: [] });
    await expect(readReceipt(source, id, of)).rejects.toMatchObject({ code: 'ReceiptMissing' });
    await expect(readReceipt(source, '../x', of)).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('cannot be judged when the store does not answer: that is thrown', async () => {
    const source = sourceOf({ [key]: encode(receiptOf()) });
    const broken = { ...source, get: () => Promise.reject(new Failure('StoreUnreachable', 'no answer')) };
    await expect(readReceipts(broken, of)).rejects.toMatchObject({ code: 'StoreUnreachable' });
  });
});
