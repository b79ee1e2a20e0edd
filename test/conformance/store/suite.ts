// What every store must do, whatever it is made of. A store's own test calls storeSuite with a way to make an empty
// one; what only it can do (a full disk, a lost mount) it tests beside.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '../../../src/domain/failure.ts';
import type { Store, StoredObject } from '../../../src/store/store.ts';

export interface StoreBed {
  readonly store: Store;
  /** A module whose `openStore(...args)` opens the same store, for a process that gets killed. */
  readonly opener: { readonly module: URL; readonly args: readonly string[] };
  /** How much an unfinished put has written when it leaves something; default: 1 MiB. */
  readonly leavesAfterBytes?: number;
  readonly remove: () => Promise<void>;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export async function listed(store: Store, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of store.list(prefix)) objects.push(object);
  return objects;
}

async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  return (await listed(store, prefix)).map((object) => object.key);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no failure',
    (error: unknown) => (isFailure(error) ? error.code : `not a Failure: ${String(error)}`),
  );
}

async function* chunks(count: number, chunk: Buffer): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index += 1) yield chunk;
}

async function* failingAfter(count: number, error: Error): AsyncGenerator<Buffer> {
  yield* chunks(count, Buffer.alloc(64 * 1024, 7));
  throw error;
}

export function storeSuite(name: string, makeStore: () => Promise<StoreBed>): void {
  describe(`${name}, as every store`, () => {
    let bed: StoreBed;
    let store: Store;

    beforeEach(async () => {
      bed = await makeStore();
      store = bed.store;
    });

    afterEach(async () => {
      await bed.remove();
    });

    describe('put and get', () => {
      it('gives back the bytes that were put, with their size and SHA-256', async () => {
        const body = randomBytes(300_000);
        const result = await store.put('lane-1/segments/abc-1', Readable.from([body.subarray(0, 1), body.subarray(1)]));
        expect(result).toMatchObject({ sizeBytes: body.length, sha256: sha256(body) });
        expect((await buffer(await store.get('lane-1/segments/abc-1'))).equals(body)).toBe(true);
      });

      it('takes a buffer as body, and an empty one', async () => {
        expect(await store.put('a/buffer', Buffer.from('text'))).toMatchObject({ sizeBytes: 4 });
        expect(await store.put('a/empty', Buffer.alloc(0))).toMatchObject({
          sizeBytes: 0,
          sha256: sha256(Buffer.alloc(0)),
        });
        expect((await buffer(await store.get('a/empty'))).length).toBe(0);
      });

      it('gives back any body under any of its keys', async () => {
        const part = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/);
        await fc.assert(
          fc.asyncProperty(
            fc.array(part, { minLength: 1, maxLength: 4 }),
            fc.uint8Array({ maxLength: 5000 }),
            async (names, bytes) => {
              const key = [randomUUID(), ...names].join('/');
              const result = await store.put(key, Buffer.from(bytes));
              expect(result.sha256).toBe(sha256(Buffer.from(bytes)));
              expect((await buffer(await store.get(key))).equals(Buffer.from(bytes))).toBe(true);
              expect(await store.delete(key)).toBe(true);
            },
          ),
          { numRuns: 25 },
        );
      });

      it('never overwrites an object', async () => {
        await store.put('a/b', Buffer.from('first'));
        expect(await codeOf(store.put('a/b', Buffer.from('second')))).toBe('ObjectExists');
        expect((await buffer(await store.get('a/b'))).toString()).toBe('first');
      });

      it('lets exactly one of many concurrent puts to a key win, and keeps that one whole', async () => {
        const bodies = Array.from({ length: 20 }, () => randomBytes(50_000));
        const outcomes = await Promise.allSettled(bodies.map((body) => store.put('race/one', Readable.from([body]))));
        const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.sha256] : []));
        const losers = await Promise.all(
          outcomes.flatMap((outcome) =>
            outcome.status === 'rejected' ? [codeOf(Promise.reject(outcome.reason))] : [],
          ),
        );
        expect(winners).toHaveLength(1);
        expect(new Set(losers)).toEqual(new Set(['ObjectExists']));
        expect(sha256(await buffer(await store.get('race/one')))).toBe(winners[0]);
      });

      it('keeps all of many concurrent puts to different keys', async () => {
        await Promise.all(
          Array.from({ length: 30 }, (_, index) =>
            store.put(`many/d-${index % 5}/o-${index}`, Buffer.from(String(index))),
          ),
        );
        expect(await keysOf(store, 'many/')).toHaveLength(30);
      });

      it('says that an object is missing, never gives an empty one', async () => {
        await store.put('there/x', Buffer.from('x'));
        for (const key of ['absent', 'there', 'there/y', 'there/x/y', 'there-not/x'])
          expect(await codeOf(store.get(key))).toBe('ObjectMissing');
      });

      it('gives several readers the same object at once', async () => {
        const body = randomBytes(1_000_000);
        await store.put('a/shared', body);
        const reads = await Promise.all([1, 2, 3].map(async () => sha256(await buffer(await store.get('a/shared')))));
        expect(reads).toEqual([sha256(body), sha256(body), sha256(body)]);
      });
    });

    describe('whole or absent', () => {
      it("creates nothing when the body fails, and rethrows the body's error as it is", async () => {
        const cause = new Error('the connection broke');
        await expect(store.put('cut/one', Readable.from(failingAfter(20, cause)))).rejects.toBe(cause);
        expect(await keysOf(store)).toEqual([]);
        expect(await codeOf(store.get('cut/one'))).toBe('ObjectMissing');
      });

      it('creates nothing when the body is cut without an error', async () => {
        const body = new Readable({ read() {} });
        const put = store.put('cut/two', body);
        body.push(Buffer.alloc(100_000));
        await sleep(50);
        body.destroy();
        await expect(put).rejects.toThrow(/premature/i);
        expect(await keysOf(store)).toEqual([]);
      });

      it('lets a key be put after a body for it failed', async () => {
        await store.put('cut/three', Readable.from(failingAfter(3, new Error('cut')))).catch(() => undefined);
        await store.put('cut/three', Buffer.from('whole'));
        expect((await buffer(await store.get('cut/three'))).toString()).toBe('whole');
      });

      it('creates nothing when aborted, rethrows the reason, and ends the body', async () => {
        const abort = new AbortController();
        const body = new Readable({ read() {} });
        const put = store.put('aborted/one', body, { signal: abort.signal });
        body.push(Buffer.alloc(100_000));
        await sleep(50);
        const reason = new Error('cancelled by the operator');
        abort.abort(reason);
        await expect(put).rejects.toBe(reason);
        expect(body.destroyed).toBe(true);
        expect(await keysOf(store)).toEqual([]);
      });

      it('starts nothing under a signal that is aborted already', async () => {
        await expect(store.put('aborted/two', Buffer.from('x'), { signal: AbortSignal.abort() })).rejects.toThrow(
          /abort/i,
        );
        expect(await keysOf(store)).toEqual([]);
      });

      it('shows nothing of an object before it is whole', async () => {
        const body = new Readable({ read() {} });
        const put = store.put('slow/one', body);
        body.push(Buffer.alloc(300_000));
        await sleep(50);
        expect(await keysOf(store)).toEqual([]);
        expect(await codeOf(store.get('slow/one'))).toBe('ObjectMissing');
        body.push(null);
        await put;
        expect(await keysOf(store)).toEqual(['slow/one']);
      });

      it('shows nothing of what a killed process was writing, and sweeps it', async () => {
        const writer = await startWriter(bed, 'killed/one');
        writer.kill('SIGKILL');
        await once(writer, 'exit');
        expect(await keysOf(store)).toEqual([]);
        expect(await codeOf(store.get('killed/one'))).toBe('ObjectMissing');
        expect(await store.sweepUploads('killed', 3_600_000)).toBe(0);
        expect(await store.sweepUploads('killed', 0)).toBe(1);
        expect(await store.sweepUploads('killed', 0)).toBe(0);
        await store.put('killed/one', Buffer.from('again'));
        expect(await keysOf(store)).toEqual(['killed/one']);
      });

      it('sweeps no upload that is under way and young', async () => {
        const body = new Readable({ read() {} });
        const put = store.put('young/one', body);
        body.push(Buffer.alloc(300_000));
        await sleep(50);
        expect(await store.sweepUploads('young', 60_000)).toBe(0);
        body.push(null);
        await put;
        expect(await store.sweepUploads('young', 0)).toBe(0);
      });

      it('sweeps the uploads of one folder, and no other that begins like it', async () => {
        const bodies = ['lane-1/one', 'lane-10/one', 'lane-1.b/one'].map((key) => {
          const body = new Readable({ read() {} });
          // more than a part of any store that uploads in parts
          for (let part = 0; part < 20; part += 1) body.push(Buffer.alloc(1024 * 1024));
          return { body, put: store.put(key, body) };
        });
        for (const { put } of bodies) put.catch(() => undefined);
        let swept = 0;
        for (let tries = 0; swept === 0 && tries < 100; tries += 1) {
          await sleep(50);
          for (const folder of ['lane', 'lane-1.', 'lane-2']) expect(await store.sweepUploads(folder, 0)).toBe(0);
          swept = await store.sweepUploads('lane-10', 0);
        }
        expect(swept).toBe(1);
        for (const { body } of bodies) body.push(null);
        const ends = await Promise.allSettled(bodies.map(({ put }) => put));
        expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(await keysOf(store)).toEqual(['lane-1.b/one', 'lane-1/one']);
      });

      it('refuses to sweep what is no folder of keys', async () => {
        for (const folder of ['', 'a/b', 'a/', '..', '.uploads'])
          expect(await codeOf(store.sweepUploads(folder, 0))).toBe('InvalidInput');
      });
    });

    describe('large objects', () => {
      it('passes 128 MiB through without holding them: the body is asked only as the store takes', async () => {
        const before = process.memoryUsage().rss;
        const put = createHash('sha256');
        let peak = before;
        const watched = async function* (): AsyncGenerator<Buffer> {
          for (let index = 0; index < 128; index += 1) {
            const chunk = Buffer.alloc(1024 * 1024, index);
            put.update(chunk);
            peak = Math.max(peak, process.memoryUsage().rss);
            yield chunk;
          }
        };
        const result = await store.put('large/one', Readable.from(watched(), { highWaterMark: 1 }));
        expect(peak - before).toBeLessThan(80 * 1024 * 1024);
        const got = createHash('sha256');
        for await (const bytes of await store.get('large/one')) got.update(bytes as Buffer);
        const digest = put.digest('hex');
        expect(result).toMatchObject({ sizeBytes: 128 * 1024 * 1024, sha256: digest });
        expect(got.digest('hex')).toBe(digest);
      });

      it('lets a reader stop in the middle, and aborts a read', async () => {
        await store.put('large/two', Readable.from(chunks(8, Buffer.alloc(1024 * 1024, 3))));
        const left = await store.get('large/two');
        await once(left, 'readable');
        left.destroy();
        await once(left, 'close');
        const abort = new AbortController();
        const aborted = await store.get('large/two', { signal: abort.signal });
        abort.abort();
        await expect(buffer(aborted)).rejects.toThrow(/abort/i);
        // nor does it end the process when nobody reads yet
        const unread = new AbortController();
        const late = await store.get('large/two', { signal: unread.signal });
        unread.abort();
        await sleep(50);
        await expect(buffer(late)).rejects.toThrow(/abort/i);
      });
    });

    describe('list', () => {
      it('lists objects sorted by key, with size and time', async () => {
        const keys = ['b', 'a/b', 'a-b', 'a.b', 'a/a/z', 'a/a.z', 'a0', 'A/x', 'a/b0', '_/x', 'Z'];
        const startedAt = Date.now();
        for (const key of keys) await store.put(key, Buffer.from(key));
        const objects = await listed(store, '');
        expect(objects.map((object) => object.key)).toEqual([...keys].sort());
        for (const object of objects) {
          expect(object.sizeBytes).toBe(object.key.length);
          expect(Math.abs(object.modifiedAtMs - startedAt)).toBeLessThan(60_000);
        }
      });

      it('takes any head of a key as prefix, not only folders', async () => {
        for (const key of ['lane-1/m/1', 'lane-1/m/2', 'lane-1/s/1', 'lane-10/m/1', 'lane-2/m/1'])
          await store.put(key, Buffer.from('x'));
        expect(await keysOf(store, 'lane-1')).toEqual(['lane-1/m/1', 'lane-1/m/2', 'lane-1/s/1', 'lane-10/m/1']);
        expect(await keysOf(store, 'lane-1/')).toEqual(['lane-1/m/1', 'lane-1/m/2', 'lane-1/s/1']);
        expect(await keysOf(store, 'lane-1/m/1')).toEqual(['lane-1/m/1']);
        expect(await keysOf(store, 'lane-1/m/1/')).toEqual([]);
        expect(await keysOf(store, 'nothing/at/all')).toEqual([]);
        expect(await keysOf(store, 'l')).toHaveLength(5);
      });

      it('lists what a filter over all keys would', async () => {
        const part = fc.stringMatching(/^[ab_-][ab.-]{0,2}$/);
        const key = fc.array(part, { minLength: 2, maxLength: 3 }).map((names) => names.join('/'));
        await fc.assert(
          fc.asyncProperty(fc.uniqueArray(key, { minLength: 1, maxLength: 12 }), fc.nat(12), async (keys, cut) => {
            const made = keys.filter(
              (candidate) => !keys.some((other) => other !== candidate && other.startsWith(`${candidate}/`)),
            );
            for (const one of made) await store.put(one, Buffer.from('x'));
            const prefix = (made[0] ?? '').slice(0, cut);
            expect(await keysOf(store, prefix)).toEqual(made.filter((one) => one.startsWith(prefix)).sort());
            for (const one of made) await store.delete(one);
            expect(await keysOf(store)).toEqual([]);
          }),
          { numRuns: 20 },
        );
      });

      it('goes on when objects are deleted and made meanwhile, and misses none that stays', async () => {
        for (const key of ['a/1', 'b/2', 'c/3', 'd/4']) await store.put(key, Buffer.from('x'));
        const seen: string[] = [];
        for await (const object of store.list('')) {
          seen.push(object.key);
          if (object.key === 'a/1') await Promise.all([store.delete('b/2'), store.put('b/1', Buffer.from('x'))]);
        }
        expect(seen.filter((key) => !key.startsWith('b/'))).toEqual(['a/1', 'c/3', 'd/4']);
        expect(seen).toEqual([...seen].sort());
      });

      it('stops when aborted', async () => {
        for (const key of ['a/1', 'a/2', 'a/3']) await store.put(key, Buffer.from('x'));
        const abort = new AbortController();
        const seen: string[] = [];
        const walk = async (): Promise<void> => {
          for await (const object of store.list('a/', { signal: abort.signal })) {
            seen.push(object.key);
            abort.abort();
          }
        };
        await expect(walk()).rejects.toThrow(/abort/i);
        expect(seen).toEqual(['a/1']);
      });
    });

    describe('delete', () => {
      it('says whether there was such an object, and may be called again', async () => {
        await store.put('d/one', Buffer.from('x'));
        expect(await store.delete('d/one')).toBe(true);
        expect(await store.delete('d/one')).toBe(false);
        expect(await codeOf(store.get('d/one'))).toBe('ObjectMissing');
      });

      it("touches neither neighbours nor what stands below a key's own name", async () => {
        for (const key of ['d/a/1', 'd/a/2', 'd/b']) await store.put(key, Buffer.from(key));
        expect(await store.delete('d/a')).toBe(false);
        expect(await store.delete('d/a/1')).toBe(true);
        expect(await keysOf(store)).toEqual(['d/a/2', 'd/b']);
      });

      it('loses no object that arrives while its last neighbour is deleted', async () => {
        for (let round = 0; round < 40; round += 1) {
          await store.put(`busy/folder/old-${round}`, Buffer.from('x'));
          await Promise.all([
            store.delete(`busy/folder/old-${round}`),
            store.put(`busy/folder/new-${round}`, Buffer.from('y')),
          ]);
          expect(await keysOf(store, 'busy/')).toEqual([`busy/folder/new-${round}`]);
          await store.delete(`busy/folder/new-${round}`);
        }
      });
    });

    describe('keys', () => {
      const odd = [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        '../a',
        'a/../b',
        'a/./b',
        '.uploads/x',
        'a/.hidden',
        'a b',
        'a\0b',
        'a\nb',
        'ä',
        'a\\b',
        '%2e',
        'x'.repeat(201),
        'x/'.repeat(300) + 'y',
      ];

      it.each(odd)('refuses %j in put, get and delete', async (key) => {
        expect(await codeOf(store.put(key, Buffer.from('x')))).toBe('InvalidInput');
        expect(await codeOf(store.get(key))).toBe('InvalidInput');
        expect(await codeOf(store.delete(key))).toBe('InvalidInput');
        expect(await keysOf(store)).toEqual([]);
      });

      it.each(['/', '/a', '../', 'a/../', '.', 'a/.b', 'a//'])('refuses %j as a prefix', async (prefix) => {
        expect(await codeOf(listed(store, prefix))).toBe('InvalidInput');
      });

      it('takes a key of 512 characters', async () => {
        const key = `${'x'.repeat(200)}/${'y'.repeat(200)}/${'z'.repeat(110)}`;
        await store.put(key, Buffer.from('x'));
        expect(await keysOf(store, 'x')).toEqual([key]);
      });

      it("never harms an object whose key is the head of another's", async () => {
        await store.put('h/a', Buffer.from('first'));
        expect(['no failure', 'InvalidInput']).toContain(await codeOf(store.put('h/a/b', Buffer.from('second'))));
        expect((await buffer(await store.get('h/a'))).toString()).toBe('first');
      });
    });
  });
}

/** A process that writes to a key without end; it returns when bytes have gone into the store. */
async function startWriter(bed: StoreBed, key: string): Promise<ChildProcess> {
  const script = new URL('endless-writer.ts', import.meta.url).pathname;
  const afterBytes = String(bed.leavesAfterBytes ?? 1024 * 1024);
  const argv = [script, bed.opener.module.href, key, afterBytes, ...bed.opener.args];
  const writer = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of writer.stdout ?? []) if (String(line).includes('writing')) return writer;
  throw new Error('the writer ended by itself');
}
