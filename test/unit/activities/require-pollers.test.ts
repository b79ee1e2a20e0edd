import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { requirePollers } from '../../../src/activities/host/lanes.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** Each look takes ten seconds off the clock; a queue is polled from some look on. */
function temporal(polledFrom: Readonly<Record<string, number>>) {
  const looks: string[] = [];
  return {
    looks,
    hasPoller: async (queue: string) => {
      looks.push(queue);
      vi.advanceTimersByTime(10_000);
      return looks.length >= (polledFrom[queue] ?? 0);
    },
  };
}

vi.mock('../../../src/lane/pause.ts', () => ({
  pause: async (_ms: number, signal: AbortSignal) => signal.throwIfAborted(),
}));

const request = (waitMs: number, signal = new AbortController().signal) => ({
  queues: ['data', 'vault'],
  waitMs,
  signal,
});

describe('the look for workers', () => {
  it('asks for every queue once when all are polled', async () => {
    const asked = temporal({});
    await requirePollers(asked, request(0));
    expect(asked.looks).toEqual(['data', 'vault']);
  });

  it('refuses at once where nothing was to be waited for, and names the queue', async () => {
    await expect(requirePollers(temporal({ vault: 3 }), request(0))).rejects.toMatchObject({
      code: 'NoPollers',
      message: 'no worker polls the queue vault',
      context: { queue: 'vault' },
    });
  });

  it('waits for a worker that starts at that moment', async () => {
    const asked = temporal({ data: 4 });
    await requirePollers(asked, request(60_000));
    expect(asked.looks).toEqual(['data', 'data', 'data', 'data', 'vault']);
  });

  it('gives up when the time is over, which all queues share', async () => {
    const asked = temporal({ data: 4, vault: 1_000 });
    await expect(requirePollers(asked, request(60_000))).rejects.toMatchObject({
      code: 'NoPollers',
      message: 'no worker polls the queue vault, 60 s were waited for one',
    });
    expect(asked.looks).toHaveLength(6);
  });

  it('ends when it is cancelled', async () => {
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    await expect(requirePollers(temporal({ data: 9 }), request(60_000, cancelled))).rejects.toThrow('cancelled');
  });
});
