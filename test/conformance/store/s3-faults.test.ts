// An S3 store whose server answers wrongly, late or not at all: every operation ends right or as a named failure, the
// bytes are never wrong, and nothing is ever half visible.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '../../../src/domain/failure.ts';
import { S3Store } from '../../../src/store/s3.ts';
import { type FaultRule, type HttpFault, HttpFaults } from '../../bed/http-faults.ts';
import { S3Bed } from '../../bed/s3.ts';
import { TcpProxy } from '../../bed/tcp-proxy.ts';
import { listed } from './suite.ts';

const MiB = 1024 * 1024;
let bed: S3Bed;
let faults: HttpFaults;
let prefix: string;
let store: S3Store;
let direct: S3Store;

beforeAll(async () => {
  bed = await S3Bed.start();
  await bed.makeBucket('versioned', { versions: true });
  faults = await HttpFaults.start(bed.server.endpoint);
});
afterAll(async () => {
  await faults?.close();
  await bed?.remove();
});

beforeEach(() => {
  prefix = `t/${randomUUID()}`;
  store = through(faults.endpoint);
  direct = new S3Store('direct', bed.describe('versioned', { prefix }));
});
afterEach(() => faults.set(undefined));

/** Short times: two tries of two seconds; a busy machine needs some of it for 5 MiB. */
function through(endpoint: string): S3Store {
  const place = { prefix, endpoint, stallMs: 2000, attempts: 2, partBytes: 5 * MiB };
  return new S3Store('bed', bed.describe('versioned', place));
}

async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (isFailure(error) ? error.code : `not a Failure: ${String(error)}`),
  );
}

const put: FaultRule['when'] = (method, target) => method === 'PUT' && !target.includes('uploadId=');
const part: FaultRule['when'] = (method, target) => method === 'PUT' && target.includes('uploadId=');
const begin: FaultRule['when'] = (method, target) => method === 'POST' && target.includes('uploads');
const complete: FaultRule['when'] = (method, target) => method === 'POST' && target.includes('uploadId=');
const get: FaultRule['when'] = (method, target) => method === 'GET' && target.includes('x-id=GetObject');
const list: FaultRule['when'] = (method, target) => method === 'GET' && target.includes('versions');
const remove: FaultRule['when'] = (method, target) => method === 'DELETE' && target.includes('versionId');

const small = randomBytes(100_000);
const large = randomBytes(6 * MiB);
const bodyOf = (bytes: Buffer): Readable => Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)]);

/** What is there is whole, and is what was put. */
async function expectWholeOrAbsent(key: string, bytes: Buffer): Promise<boolean> {
  const there = (await listed(direct, '')).filter((object) => object.key === key);
  if (there.length === 0) return false;
  expect((await buffer(await direct.get(key))).equals(bytes)).toBe(true);
  expect(there[0]?.sizeBytes).toBe(bytes.length);
  return true;
}

const passing: [string, HttpFault][] = [
  ['500', { answer: 500, code: 'InternalError' }],
  ['503', { answer: 503, code: 'SlowDown' }],
  ['429', { answer: 429, code: 'TooManyRequests' }],
  ['409', { answer: 409, code: 'ConditionalRequestConflict' }],
  ['a cut request', 'cut-request'],
  ['no answer', 'stall'],
];

const inSteps = passing.filter(([name]) => ['500', 'a cut request', '409'].includes(name));

describe('a fault that passes', () => {
  it.each(passing)('%s: a put in one request is tried again', async (_, fault) => {
    faults.set({ when: put, fault, times: 1 });
    expect(await outcome(store.put('a/one', bodyOf(small)))).toBe('done');
    expect(faults.hits).toBe(1);
    expect(await expectWholeOrAbsent('a/one', small)).toBe(true);
  });

  it.each(inSteps)('%s: a part is tried again', async (_, fault) => {
    faults.set({ when: part, fault, times: 1 });
    const { sha256 } = await store.put('a/parts', bodyOf(large));
    expect(faults.hits).toBe(1);
    expect(sha256).toBe(createHash('sha256').update(large).digest('hex'));
    expect(await expectWholeOrAbsent('a/parts', large)).toBe(true);
  });

  it.each(inSteps)('%s: the begin and the end of an upload are tried again', async (_, fault) => {
    faults.set({ when: (...asked) => begin(...asked) || complete(...asked), fault, times: 1 });
    expect(await outcome(store.put('a/upload', bodyOf(large)))).toBe('done');
    expect(await expectWholeOrAbsent('a/upload', large)).toBe(true);
  });

  it.each(passing.filter(([name]) => name !== 'a cut request'))(
    '%s: get, list and delete are tried again',
    async (_, fault) => {
      await direct.put('a/read', small);
      faults.set({ when: get, fault, times: 1 });
      expect((await buffer(await store.get('a/read'))).equals(small)).toBe(true);
      faults.set({ when: list, fault, times: 1 });
      expect(await listed(store, 'a/')).toHaveLength(1);
      faults.set({ when: remove, fault, times: 1 });
      expect(await store.delete('a/read')).toBe(true);
      expect(faults.hits).toBe(1);
    },
  );
});

describe('a fault that stays', () => {
  it.each<[string, HttpFault, string]>([
    ['500', { answer: 500, code: 'InternalError' }, 'StoreUnreachable'],
    ['503', { answer: 503, code: 'SlowDown' }, 'StoreUnreachable'],
    ['429', { answer: 429, code: 'TooManyRequests' }, 'StoreUnreachable'],
    ['409', { answer: 409, code: 'ConditionalRequestConflict' }, 'StoreUnreachable'],
    ['412', { answer: 412, code: 'PreconditionFailed' }, 'ObjectExists'],
    ['307', { answer: 307, code: 'TemporaryRedirect' }, 'StoreUnreachable'],
    ['301', { answer: 301, code: 'PermanentRedirect' }, 'StoreRefused'],
    ['403', { answer: 403, code: 'AccessDenied' }, 'StoreRefused'],
    ['507', { answer: 507, code: 'InsufficientStorage' }, 'StoreFull'],
    ['an answer of nonsense', { answer: 200, code: 'nonsense' }, 'done or StoreUnreachable'],
    ['a cut request', 'cut-request', 'StoreUnreachable'],
    ['no answer', 'stall', 'StoreUnreachable'],
  ])('%s: a put of either kind ends as %3$s and leaves nothing', async (_, fault, code) => {
    const kinds = [
      [put, small],
      [part, large],
      [complete, large],
    ] as const;
    for (const [when, bytes] of fault === 'stall' ? kinds.slice(0, 1) : kinds) {
      faults.set({ when, fault });
      const key = `a/${randomUUID()}`;
      expect(code).toContain(await outcome(store.put(key, bodyOf(bytes))));
      faults.set(undefined);
      expect(await expectWholeOrAbsent(key, bytes)).toBe(false);
    }
    // what was given up is taken away at once; nothing waits for a sweep
    expect(await direct.sweepUploads('a', 0)).toBe(0);
  });

  it('names the store, the key and what was answered, and no more', async () => {
    faults.set({ when: put, fault: { answer: 403, code: 'AccessDenied' } });
    await expect(store.put('a/b', small)).rejects.toMatchObject({
      message: 'store bed: cannot write a/b (AccessDenied, status 403)',
      context: { store: 'bed', key: 'a/b' },
    });
  });
});

describe('an answer that is lost', () => {
  it('leaves a put in one request there or told: the next try finds the key taken', async () => {
    faults.set({ when: put, fault: 'lose-answer', times: 1 });
    expect(await outcome(store.put('a/lost', bodyOf(small)))).toBe('ObjectExists');
    expect(await expectWholeOrAbsent('a/lost', small)).toBe(true);
  });

  it('of the last request of an upload is no half object', async () => {
    faults.set({ when: complete, fault: 'lose-answer', times: 1 });
    expect(['done', 'ObjectExists', 'StoreUnreachable']).toContain(await outcome(store.put('a/lost', bodyOf(large))));
    expect(await expectWholeOrAbsent('a/lost', large)).toBe(true);
    expect(await direct.sweepUploads('a', 0)).toBe(0);
  });
});

describe('what is read', () => {
  it.each<[string, HttpFault]>([
    ['cut', 'cut-answer'],
    ['stalled', 'stall-answer'],
    ['shortened, and told as whole', 'shorten-answer'],
    ['altered by one bit', 'flip-answer'],
  ])('and is %s fails as StoreUnreachable', async (_, fault) => {
    await direct.put('a/read', small);
    faults.set({ when: get, fault });
    expect(await outcome(store.get('a/read').then(buffer))).toBe('StoreUnreachable');
    faults.set(undefined);
    expect((await buffer(await store.get('a/read'))).equals(small)).toBe(true);
  });
});

describe('a reader that takes its time', () => {
  it('gets every byte, though longer passes than a stall may last', async () => {
    await direct.put('a/slow', large);
    const stream = await store.get('a/slow');
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (chunks.length === 3) await new Promise((resolve) => setTimeout(resolve, 5000));
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks).equals(large)).toBe(true);
  });
});

describe('a connection', () => {
  it.each([
    ['cut in the middle of an upload', { cutAfterBytes: 4 * MiB }],
    ['that swallows everything', { blackhole: true }],
    ['that is refused', { refuse: true }],
  ])('%s ends an upload as StoreUnreachable, in bounded time, with nothing left to see', async (_, tcp) => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: bed.server.ports.s3 });
    try {
      const cut = through(`http://127.0.0.1:${proxy.port}`);
      proxy.set(tcp);
      const startedAtMs = performance.now();
      const ended = await outcome(cut.put('a/cut', bodyOf(large)));
      expect(performance.now() - startedAtMs).toBeLessThan(20_000);
      // one cut is got over by the second try of the part that it met
      expect(['StoreUnreachable', ...('cutAfterBytes' in tcp ? ['done'] : [])]).toContain(ended);
      expect(await expectWholeOrAbsent('a/cut', large)).toBe(ended === 'done');
    } finally {
      await proxy.close();
    }
  });
});

describe('memory', () => {
  it('stays bounded while the server is slower than the body', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: bed.server.ports.s3 });
    try {
      proxy.set({ bytesPerSecond: 20 * MiB });
      let aheadBytes = 0;
      const body = async function* (): AsyncGenerator<Buffer> {
        for (let index = 0; index < 40; index += 1) {
          aheadBytes = Math.max(aheadBytes, index * MiB - proxy.passedBytes);
          yield Buffer.alloc(MiB, index);
        }
      };
      await through(`http://127.0.0.1:${proxy.port}`).put('a/slow', Readable.from(body(), { highWaterMark: 1 }));
      // three parts of 5 MiB, and what lies in sockets and streams
      expect(aheadBytes).toBeLessThan(22 * MiB);
    } finally {
      await proxy.close();
    }
  });
});

describe('a server that is killed', () => {
  it('in the middle of an upload and of a small put leaves nothing half, and takes both afterwards', async () => {
    const short = through(bed.server.endpoint);
    const body = async function* (): AsyncGenerator<Buffer> {
      yield large.subarray(0, 5.5 * MiB);
      await bed.kill();
      yield large.subarray(5.5 * MiB);
    };
    expect(await outcome(short.put('a/killed', Readable.from(body())))).toBe('StoreUnreachable');
    expect(await outcome(short.put('a/small', small))).toBe('StoreUnreachable');
    await bed.restart();
    expect(await listed(direct, '')).toEqual([]);
    await short.put('a/killed', bodyOf(large));
    await short.put('a/small', small);
    expect(await expectWholeOrAbsent('a/killed', large)).toBe(true);
    expect(await direct.sweepUploads('a', 0)).toBeLessThanOrEqual(1);
    expect(await direct.sweepUploads('a', 0)).toBe(0);
  });
});
