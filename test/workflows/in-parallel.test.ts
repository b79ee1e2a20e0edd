// The bounded fan-out of workflows, on the SDK's own cancellation scopes outside of a workflow: any list of items, each
// of which takes some turns and then answers or fails, and heeds a cancellation or not. And the time between two tries.

import { AsyncLocalStorage } from 'node:async_hooks';
import { CancelledFailure } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTryMs } from '../../src/workflows/waiting.ts';

// what the SDK puts into a workflow's global scope before its modules are loaded: scopes are kept in it
Object.assign(globalThis, { AsyncLocalStorage, __TEMPORAL_ACTIVATOR__: { hasFlag: () => true } });
const { CancellationScope, isCancellation } = await import('@temporalio/workflow');
const { RootCancellationScope } = await import('@temporalio/workflow/lib/cancellation-scope.js');
const { inParallel } = await import('../../src/workflows/in-parallel.ts');
Object.assign((globalThis as any).__TEMPORAL_ACTIVATOR__, { rootScope: new RootCancellationScope() });

interface Item {
  readonly turns: number;
  readonly fails: boolean;
  /** Ends at once when cancelled; else it goes on to its own end, as a step does that cannot be interrupted. */
  readonly heeds: boolean;
}

interface Trace {
  readonly started: number[];
  readonly ended: number[];
  /** Items that had not started when the first one failed, and did so later. */
  readonly startedAfterFailure: number[];
  mostAtOnce: number;
  firstFailure: Error | undefined;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function tracer(items: readonly Item[]): { trace: Trace; work: (at: number) => Promise<number> } {
  const trace: Trace = { started: [], ended: [], startedAfterFailure: [], mostAtOnce: 0, firstFailure: undefined };
  const fail = (error: Error): never => {
    trace.firstFailure ??= error;
    throw error;
  };
  const work = async (at: number): Promise<number> => {
    const item = items[at] as Item;
    const scope = CancellationScope.current();
    if (trace.firstFailure) trace.startedAfterFailure.push(at);
    trace.started.push(at);
    trace.mostAtOnce = Math.max(trace.mostAtOnce, trace.started.length - trace.ended.length);
    try {
      for (let turns = 0; turns < item.turns; turns++) {
        await turn();
        if (item.heeds && scope.consideredCancelled) fail(new CancelledFailure(`item ${at} was cancelled`));
      }
      return item.fails ? fail(new Error(`item ${at} failed`)) : at * 10;
    } finally {
      trace.ended.push(at);
    }
  };
  return { trace, work };
}

const item = fc.record({ turns: fc.integer({ min: 1, max: 6 }), fails: fc.boolean(), heeds: fc.boolean() });
const sound = fc.record({ turns: fc.integer({ min: 1, max: 6 }), fails: fc.constant(false), heeds: fc.boolean() });
const width = fc.integer({ min: 1, max: 6 });
const indexes = (items: readonly Item[]): number[] => items.map((_, at) => at);

/** In a scope of its own, as an operation is. */
async function outcomeOf<T>(
  work: () => Promise<T>,
  cancelAfterTurns?: number,
): Promise<{ value?: T; error?: unknown }> {
  const scope = new CancellationScope();
  const outcome = scope.run(work).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (cancelAfterTurns !== undefined) {
    for (let turns = 0; turns < cancelAfterTurns; turns++) await turn();
    scope.cancel();
  }
  return outcome;
}

describe('work in parallel', () => {
  it('answers in the order of the items, each once, and never more at once than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sound, { maxLength: 20 }), width, async (items, most) => {
        const { trace, work } = tracer(items);
        const { value } = await outcomeOf(() => inParallel(indexes(items), most, work));
        expect(value).toEqual(indexes(items).map((at) => at * 10));
        expect(trace.started).toEqual(indexes(items));
        expect(trace.mostAtOnce).toBe(Math.min(most, items.length));
      }),
      { numRuns: 200 },
    );
  });

  it('ends with the first failure, starts nothing after it, and waits for what was under way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 20 }), width, async (items, most) => {
        fc.pre(items.some(({ fails }) => fails));
        const { trace, work } = tracer(items);
        const { value, error } = await outcomeOf(() => inParallel(indexes(items), most, work));
        expect(value).toBeUndefined();
        expect(error).toBe(trace.firstFailure);
        expect(isCancellation(error)).toBe(false);
        expect(trace.startedAfterFailure).toEqual([]);
        expect(new Set(trace.ended)).toEqual(new Set(trace.started));
      }),
      { numRuns: 200 },
    );
  });

  it('cancels what heeds it when the first item fails, and does not cancel what surrounds it', async () => {
    const items: Item[] = [
      { turns: 1, fails: true, heeds: true },
      { turns: 1_000_000, fails: false, heeds: true },
    ];
    const { trace, work } = tracer(items);
    const outcome = await outcomeOf(async () => {
      const error: unknown = await inParallel(indexes(items), 2, work).catch((thrown: unknown) => thrown);
      return { error, cancelled: CancellationScope.current().consideredCancelled };
    });
    expect(outcome).toEqual({ value: { error: trace.firstFailure, cancelled: false } });
    expect(trace.ended).toEqual([0, 1]);
  });

  it('is cancelled with what surrounds it, and waits for what does not heed that', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sound, { minLength: 1, maxLength: 20 }),
        width,
        fc.nat(10),
        async (items, most, after) => {
          const { trace, work } = tracer(items);
          const { value, error } = await outcomeOf(() => inParallel(indexes(items), most, work), after);
          // either all was done before anybody heard of it, or it ends as cancelled
          if (value === undefined) expect(isCancellation(error)).toBe(true);
          else expect(value).toHaveLength(items.length);
          expect(new Set(trace.ended)).toEqual(new Set(trace.started));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the time between two tries at a held lane', () => {
  function tries(waitMs: number, soon: boolean): { readonly count: number; readonly waitedMs: number } {
    let waitedMs = 0;
    let count = 1;
    for (; waitedMs < waitMs; count++) waitedMs += nextTryMs(waitedMs, waitMs, soon);
    return { count, waitedMs };
  }

  it('is a second at least and a minute at most, and never much past the end', () => {
    fc.assert(
      fc.property(fc.nat(86_400_000), fc.nat(86_400_000), fc.boolean(), (waitedMs, waitMs, soon) => {
        const ms = nextTryMs(waitedMs, waitMs, soon);
        expect(ms).toBeGreaterThanOrEqual(1_000);
        expect(ms).toBeLessThanOrEqual(60_000);
        expect(ms).toBeLessThanOrEqual(Math.max(1_000, waitMs - waitedMs));
      }),
    );
  });

  it('lets the longest wait that an input may ask for fit into half a history', () => {
    const dayMs = 24 * 3_600_000;
    for (const soon of [false, true]) {
      const { count, waitedMs } = tries(dayMs, soon);
      // 16 events a try: test/workflows/section.test.ts
      expect(count * 16).toBeLessThan(51_200 / 2);
      expect(waitedMs).toBeLessThan(dayMs + 2_000);
    }
  });

  it('is a few seconds in the first minutes, when most holders end', () => {
    expect(tries(60_000, false).count).toBeGreaterThanOrEqual(13);
    expect(tries(30 * 60_000, false).count).toBeLessThan(120);
  });
});
