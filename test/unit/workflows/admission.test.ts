// Who of a fleet run may start: any lanes on any hosts and volumes, under any caps, ended in any order.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission, type Claim, streamShares, type Verdict } from '../../../src/workflows/admission.ts';

const never = new Promise<never>(() => undefined);
const wide = { lanesAtOnce: 100, streamsAtOnce: 512, streamsPerHost: 32 };

function claimOf(lane: string, more: Partial<Claim> = {}): Claim {
  return { lane, host: 'mac-1', streams: 1, room: null, ...more };
}

function onVolume(lane: string, neededBytes: number): Claim {
  return claimOf(lane, { room: { volume: 'disk3', neededBytes } });
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** What has been answered so far, by lane. */
function enterAll(admission: Admission, claims: readonly Claim[]): Map<string, Verdict> {
  const said = new Map<string, Verdict>();
  for (const claim of claims) void admission.enter(claim, never).then((verdict) => said.set(claim.lane, verdict));
  return said;
}

describe('admission', () => {
  it('never exceeds a cap or a volume, lets everybody in who fits, and ends with nobody waiting', async () => {
    const claims = fc.array(
      fc.record({
        host: fc.constantFrom('mac-1', 'mac-2'),
        streams: fc.integer({ min: 1, max: 2 }),
        neededBytes: fc.integer({ min: 0, max: 60 }),
        keeps: fc.boolean(),
      }),
      { maxLength: 14 },
    );
    const caps = fc.record({
      lanesAtOnce: fc.integer({ min: 1, max: 5 }),
      streamsAtOnce: fc.integer({ min: 2, max: 6 }),
      streamsPerHost: fc.integer({ min: 2, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(
        claims,
        caps,
        fc.integer({ min: 0, max: 120 }),
        fc.infiniteStream(fc.nat()),
        async (lanes, most, free, picks) => {
          const admission = new Admission(most);
          for (const host of ['mac-1', 'mac-2']) admission.measured(host, free);
          const all = lanes.map(({ host, streams, neededBytes }, at) =>
            claimOf(`lane-${at}`, { host, streams, room: { volume: host, neededBytes } }),
          );
          const said = enterAll(admission, all);
          const left = new Set<string>();
          const written = new Map<string, number>();
          for (;;) {
            await turn();
            const inside = all.filter(({ lane }) => said.get(lane) === 'go' && !left.has(lane));
            expect(inside.length).toBeLessThanOrEqual(most.lanesAtOnce);
            expect(inside.reduce((sum, { streams }) => sum + streams, 0)).toBeLessThanOrEqual(most.streamsAtOnce);
            for (const host of ['mac-1', 'mac-2']) {
              const here = inside.filter((claim) => claim.host === host);
              expect(here.reduce((sum, { streams }) => sum + streams, 0)).toBeLessThanOrEqual(most.streamsPerHost);
              const bytes = here.reduce((sum, { room }) => sum + (room?.neededBytes ?? 0), 0);
              expect(bytes + (written.get(host) ?? 0)).toBeLessThanOrEqual(free);
            }
            if (inside.length === 0) break;
            const one = inside[(picks.next().value ?? 0) % inside.length] as Claim;
            const keeps = lanes[all.indexOf(one)]?.keeps === true;
            if (keeps) written.set(one.host, (written.get(one.host) ?? 0) + (one.room?.neededBytes ?? 0));
            left.add(one.lane);
            admission.leave(one, keeps ? 'kept' : 'released');
          }
          expect(said.size).toBe(all.length);
          for (const [at, claim] of all.entries()) {
            if ((lanes[at]?.neededBytes ?? 0) > free) expect(said.get(claim.lane)).not.toBe('go');
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('lets lanes of one volume in together as long as the sum fits, and the next when one of them went back', async () => {
    const admission = new Admission(wide);
    admission.measured('disk3', 100);
    const [a, b, c] = [onVolume('a', 40), onVolume('b', 50), onVolume('c', 40)];
    const said = enterAll(admission, [a, b, c]);
    await turn();
    expect([...said]).toEqual([
      ['a', 'go'],
      ['b', 'go'],
    ]);
    admission.leave(a, 'released');
    await turn();
    expect(said.get('c')).toBe('go');
  });

  it('asks for a new measurement when what others kept leaves no room, and believes it', async () => {
    const admission = new Admission(wide);
    admission.measured('disk3', 100);
    const [a, b] = [onVolume('a', 60), onVolume('b', 60)];
    const said = enterAll(admission, [a, b]);
    admission.leave(a, 'kept');
    await turn();
    expect(said.get('b')).toBe('stale');
    admission.measured('disk3', 70);
    expect(await admission.enter(b, never)).toBe('go');
  });

  it('does not take a number that was measured while lanes write', async () => {
    const admission = new Admission(wide);
    admission.measured('disk3', 100);
    enterAll(admission, [onVolume('a', 60)]);
    admission.measured('disk3', 100);
    const said = enterAll(admission, [onVolume('b', 60)]);
    await turn();
    expect(said.size).toBe(0);
  });

  it('refuses at once what fits not even alone, and keeps nobody waiting behind it', async () => {
    const admission = new Admission({ ...wide, lanesAtOnce: 1 });
    admission.measured('disk3', 100);
    const said = enterAll(admission, [claimOf('first'), onVolume('huge', 101), onVolume('small', 10)]);
    await turn();
    expect([...said]).toEqual([
      ['first', 'go'],
      ['huge', 'full'],
    ]);
  });

  it('forgets who has given up waiting, and gives back a turn that came too late', async () => {
    const admission = new Admission({ ...wide, lanesAtOnce: 1 });
    const [first, second, third] = [claimOf('first'), claimOf('second'), claimOf('third')];
    const said = enterAll(admission, [first]);
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = admission.enter(second, promise);
    const after = enterAll(admission, [third]);
    reject(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    expect(said.get('first')).toBe('go');
    admission.leave(first, 'released');
    await turn();
    expect(after.get('third')).toBe('go');
  });
});

describe('the streams of each lane', () => {
  const lanes = (count: number, streams: number) =>
    Array.from({ length: count }, (_, at) => ({ lane: `lane-${at}`, host: `mac-${at % 2}`, streams }));

  it.each([
    ['its own number where all fits', lanes(4, 2), wide, 2],
    ['its share of the host', lanes(4, 8), { ...wide, streamsPerHost: 6 }, 3],
    ['its share of all', lanes(4, 8), { ...wide, streamsAtOnce: 8 }, 2],
    ['one at least', lanes(40, 8), { ...wide, streamsAtOnce: 8 }, 1],
    ['more when fewer lanes run at once', lanes(40, 8), { ...wide, lanesAtOnce: 2, streamsAtOnce: 8 }, 4],
  ])('is %s', (_what, some, caps, expected) => {
    expect(new Set(streamShares(some, caps).values())).toEqual(new Set([expected]));
  });
});
