import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/bundle/digest.ts';
import { openPipeline, type SealedExpectation, sealPipeline } from '../../../src/bundle/pipelines.ts';
import type { SealContext } from '../../../src/bundle/seal.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { openingKeys, recipients } from '../../golden/keys.ts';
import { collect, flipped, pieces } from './streams.ts';

const context: SealContext = { fleet: 'fleet-1', lane: 'lane-1', object: 'segment', fingerprint: 'cd'.repeat(32) };
const both = [recipients.vault, recipients.recovery];

async function sealed(plain: Buffer): Promise<{ bytes: Buffer; expectation: SealedExpectation }> {
  const run = sealPipeline(pieces(plain), both, context);
  const bytes = await collect(run.sealed);
  const totals = await run.totals;
  expect(totals).toEqual({ plainBytes: plain.length, sealedBytes: bytes.length, sealedSha256: sha256Hex(bytes) });
  return { bytes, expectation: { sizeBytes: totals.sealedBytes, sha256: totals.sealedSha256 } };
}

function opened(bytes: Buffer, expectation: SealedExpectation, maxPlainBytes = 1e9): Promise<Buffer> {
  return collect(openPipeline(pieces(bytes), expectation, openingKeys.recovery, context, maxPlainBytes));
}

const unhandled: unknown[] = [];
const remember = (error: unknown): void => void unhandled.push(error);
beforeAll(() => void process.on('unhandledRejection', remember).on('uncaughtExceptionMonitor', remember));
afterAll(() => void process.off('unhandledRejection', remember).off('uncaughtExceptionMonitor', remember));

describe('the two pipelines', () => {
  it('give back what went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 4000 }), async (array) => {
        const { bytes, expectation } = await sealed(Buffer.from(array));
        expect(await opened(bytes, expectation)).toEqual(Buffer.from(array));
      }),
      { numRuns: 10 },
    );
  });

  it('carry several frames', async () => {
    const plain = randomBytes(3_500_000);
    const { bytes, expectation } = await sealed(plain);
    expect((await opened(bytes, expectation)).equals(plain)).toBe(true);
  });

  it('refuse an object of another size, naming both', async () => {
    const { bytes, expectation } = await sealed(Buffer.from('plain'));
    await expect(opened(bytes.subarray(0, -1), expectation)).rejects.toMatchObject({ code: 'BundleDamaged' });
    await expect(opened(Buffer.concat([bytes, Buffer.alloc(1)]), expectation)).rejects.toMatchObject({
      code: 'BundleDamaged',
      message: `a sealed object has more than the expected ${bytes.length} bytes`,
    });
    const longer = { ...expectation, sizeBytes: bytes.length + 1 };
    await expect(opened(bytes, longer)).rejects.toMatchObject({
      code: 'BundleDamaged',
      message: `a sealed object has ${bytes.length} of the expected ${bytes.length + 1} bytes`,
    });
  });

  it('withhold the end of an object that is whole but not the expected one', async () => {
    const first = await sealed(Buffer.from('plain'));
    const second = await sealed(Buffer.from('plain'));
    expect(second.bytes.length).toBe(first.bytes.length);
    await expect(opened(second.bytes, first.expectation)).rejects.toMatchObject({
      code: 'BundleDamaged',
      message: expect.stringContaining(first.expectation.sha256),
    });
  });

  it('refuse a changed object and a bomb', async () => {
    const { bytes, expectation } = await sealed(Buffer.alloc(100_000));
    await expect(opened(flipped(bytes, bytes.length - 40), expectation)).rejects.toMatchObject({
      code: 'BundleDamaged',
    });
    await expect(opened(bytes, expectation, 99_999)).rejects.toMatchObject({ code: 'BundleDamaged' });
  });

  it('pass on the own error of a source, from both ends', async () => {
    const lost = new Failure('HostConnectionLost', 'the channel closed');
    const broken = (): Readable =>
      Readable.from(
        (async function* () {
          yield randomBytes(300_000);
          throw lost;
        })(),
        { objectMode: false },
      );
    const run = sealPipeline(broken(), both, context);
    await expect(collect(run.sealed)).rejects.toBe(lost);
    await expect(run.totals).rejects.toBe(lost);
    await expect(
      collect(openPipeline(broken(), { sizeBytes: 1e6, sha256: '' }, openingKeys.vault, context, 1e6)),
    ).rejects.toMatchObject({ code: expect.stringMatching(/HostConnectionLost|BundleDamaged/) });
  });

  it('destroy their source when the reader gives up, and reject their totals', async () => {
    const endless = (): Readable =>
      new Readable({
        read() {
          this.push(randomBytes(65_536));
        },
      });
    const source = endless();
    const run = sealPipeline(source, both, context);
    for await (const chunk of run.sealed) if (chunk.length > 0) break;
    await expect(run.totals).rejects.toThrow();
    expect(source.destroyed).toBe(true);

    const sealedSource = endless();
    const plain = openPipeline(sealedSource, { sizeBytes: 1e9, sha256: '' }, openingKeys.vault, context, 1e9);
    plain.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sealedSource.destroyed).toBe(true);
  });

  it('can be aborted at any moment without an unhandled error', async () => {
    for (const waitMs of [0, 1, 5, 20]) {
      const source = new Readable({
        read() {
          this.push(randomBytes(65_536));
        },
      });
      const run = sealPipeline(source, both, context);
      run.sealed.on('error', () => undefined).resume();
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      source.destroy(new Error('aborted'));
      await expect(run.totals).rejects.toThrow('aborted');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unhandled).toEqual([]);
  });

  it('that break before anybody reads them tell it to who reads later, and harm nobody else', async () => {
    const { bytes, expectation } = await sealed(randomBytes(2_000_000));
    for (const waitMs of [0, 5, 50]) {
      const source = pieces(randomBytes(5_000_000));
      const { sealed: unread } = sealPipeline(source, both, context);
      const stored = pieces(bytes);
      const unopened = openPipeline(stored, expectation, openingKeys.recovery, context, 1e9);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      for (const one of [source, stored]) one.destroy(new Error('aborted'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      await expect(collect(unread)).rejects.toThrow('aborted');
      await expect(collect(unopened)).rejects.toThrow('aborted');
    }
    expect(unhandled).toEqual([]);
  });

  it('keep backpressure: an unread pipeline takes only what its buffers hold', async () => {
    let given = 0;
    const source = new Readable({
      read() {
        given += 65_536;
        this.push(randomBytes(65_536));
      },
    });
    const run = sealPipeline(source, both, context);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(given).toBeLessThan(6 * 1024 * 1024);
    run.sealed.destroy();
    await expect(run.totals).rejects.toThrow();
  });
});
