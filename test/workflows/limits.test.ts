// What a history holds of the largest backup, and what it never holds. The numbers are printed: they are the room that
// is left of Temporal's 51,200 events and 50 MB.

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { LaneTarget } from '../../src/domain/lane-target.ts';
import { limits } from '../../src/domain/limits.ts';
import { Bench, failureOf, type Handle } from './bench.ts';
import { planOf, segmentPlan } from './fake-lane.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ server: 'dev', program: inject('temporalCli'), bundle: inject('workflowBundle') });
});
afterAll(() => bench?.close());

type Event = NonNullable<Awaited<ReturnType<Handle['fetchHistory']>>['events']>[number];
type Payloads = { readonly payloads?: readonly { readonly data?: Uint8Array | null }[] | null } | null | undefined;

const sizeOf = (payloads: Payloads): number =>
  (payloads?.payloads ?? []).reduce((sum, { data }) => sum + (data?.length ?? 0), 0);

async function eventsOf(handle: Handle): Promise<Event[]> {
  return (await handle.fetchHistory()).events ?? [];
}

describe('a backup of as many segments as a bundle may have', () => {
  const rows: Event[] = [];
  let bytes: number;
  const inputs = new Map<string, number>();
  const results = new Map<string, number>();

  beforeAll(async () => {
    const lane = bench.lane('largest');
    const segments = Array.from({ length: limits.segmentsPerBundle - 1 }, (_, at) =>
      // as large as they get: sizes of a 4 GiB segment, a range far into a file
      segmentPlan(`s-${String(at + 1).padStart(4, '0')}`, {
        component: 'transcripts',
        kind: 'range',
        sizeBytes: 4_294_967_296,
        members: limits.membersPerSegment,
        range: { offset: 99_999_999_999, length: 4_294_967_296 },
      }),
    );
    lane.plans = [planOf(segments)];
    lane.spec = { ...lane.spec, limits: { ...lane.spec.limits, streams: 16 } };
    expect(await (await bench.backup(lane)).result()).toMatchObject({ segments: limits.segmentsPerBundle });
    const section = bench.handle(lane.id);
    rows.push(...(await eventsOf(section)));
    bytes = Number((await section.describe()).historySize);
    measure();
  }, 60_000);

  /** The largest input and result of each activity. */
  function measure(): void {
    const types = new Map<string, string>();
    for (const {
      eventId,
      activityTaskScheduledEventAttributes: scheduled,
      activityTaskCompletedEventAttributes: completed,
    } of rows) {
      if (scheduled) {
        const type = scheduled.activityType?.name ?? '';
        types.set(String(eventId), type);
        inputs.set(type, Math.max(inputs.get(type) ?? 0, sizeOf(scheduled.input)));
      }
      if (completed) {
        const type = types.get(String(completed.scheduledEventId)) ?? '';
        results.set(type, Math.max(results.get(type) ?? 0, sizeOf(completed.result)));
      }
    }
  }

  it('stays far below what a history may hold', () => {
    process.stdout.write(
      `${limits.segmentsPerBundle} segments: ${rows.length} events of 51,200, ${bytes} bytes of 52,428,800; ` +
        `a segment takes ${inputs.get('backupSegment')} bytes in, ${results.get('backupSegment')} out; ` +
        `the plan is ${results.get('captureLane')}, the manifest's request ${inputs.get('commitManifest')} bytes\n`,
    );
    expect(rows.length).toBeLessThan(51_200 / 10);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan((50 * 1024 * 1024) / 10);
  });

  it('keeps every payload below the 2 MB at which Temporal refuses it', () => {
    for (const [step, size] of [...inputs, ...results])
      expect({ step, fits: size < 1024 * 1024 }).toEqual({ step, fits: true });
  });

  it('answers each segment in no more than its limit', () => {
    expect(results.get('backupSegment')).toBeGreaterThan(200);
    // the fake's sealed sizes have 3 digits each; of a 4 GiB segment they have 10, of a full index 8
    expect((results.get('backupSegment') ?? 0) + 7 + 5).toBeLessThanOrEqual(limits.segmentResultBytes);
  });

  it('passes each step its slice of the lane, and no more', () => {
    const targets = bench
      .lane('largest')
      .calls.map(({ input }) => (input as { target?: LaneTarget } | undefined)?.target)
      .filter((target) => target !== undefined);
    expect(targets.length).toBeGreaterThan(limits.segmentsPerBundle);
    for (const target of targets) expect(JSON.stringify(target).length).toBeLessThanOrEqual(limits.laneTargetBytes);
    expect(results.get('describeLane')).toBeLessThanOrEqual(limits.laneSpecBytes);
  });
});

describe('a history', () => {
  const secret = 'canary-5f1c-secret';
  const fileName = 'canary-77aa-diary.txt';

  it('holds no file name and no secret that a broken library puts into its error', async () => {
    const lane = bench.lane('canary');
    lane
      .told('stageSegment', {
        kind: 'break',
        message: `EACCES: /Users/agent-lane-1/${fileName}: token ${secret}`,
        to: 2,
      })
      .told('rehydrateSecrets', {
        kind: 'fail',
        code: 'KeychainItemUnusable',
        message: 'item openclaw-api is too long',
      });
    const restore = await bench.restore(lane);
    const failure = await failureOf(restore);
    const texts = await Promise.all(
      [restore, bench.handle(lane.id)].map(async (handle) => decoded(await handle.fetchHistory())),
    );
    const all = [failure.message, ...texts].join('\n');
    for (const canary of [secret, fileName, 'canary-']) expect(all).not.toContain(canary);
    // the search sees messages and payloads: without these it would prove nothing
    expect(all).toContain('item openclaw-api is too long');
    expect(all).toContain('/Users/agent-lane-1/Library/Keychains');
    expect(lane.count('stageSegment')).toBeGreaterThan(2);
  });

  it('holds no answer of a step that broke but its class and place', async () => {
    const lane = bench.lane('broken').told('chooseBundles', { kind: 'break', message: `${fileName} ${secret}` });
    const restore = await bench.restore(lane, { dryRun: true });
    await lane.heals('chooseBundles', 2);
    await restore.result();
    const text = decoded(await bench.handle(lane.id).fetchHistory());
    expect(text).not.toContain('canary-');
    expect(text).toMatch(/TypeError at (an unknown place|src\/)/);
  });
});

/** A history as text, with every payload in clear. */
function decoded(history: Parameters<typeof historyToJSON>[0]): string {
  return historyToJSON(history).replaceAll(/"data": "([^"]*)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString(),
  );
}
