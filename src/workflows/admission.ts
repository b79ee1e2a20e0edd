// Who of a fleet run may start now: lanes enter in their order as far as the caps and the room on their volumes allow,
// and one that must wait holds up no other. A restore keeps what it wrote (the old trees stay beside the new ones), so
// room that was reserved for it comes back only when it fails, or was a sandbox.

import type { FleetCaps } from '../contract/step-types.ts';

export interface Claim {
  readonly lane: string;
  readonly host: string;
  readonly streams: number;
  /** Of restores: what will be written, and where. */
  readonly room: { readonly volume: string; readonly neededBytes: number } | null;
}

/** `full`: the volume has no room even for this lane alone. `stale`: so it seems after other lanes' work: measure again. */
export type Verdict = 'go' | 'full' | 'stale';

interface Volume {
  freeBytes: number;
  reservedBytes: number;
  /** Lanes have written since it was measured. */
  used: boolean;
}

interface Waiting {
  readonly claim: Claim;
  readonly answer: (verdict: Verdict) => void;
}

export class Admission {
  readonly #caps: FleetCaps;
  readonly #inside = new Set<Claim>();
  readonly #volumes = new Map<string, Volume>();
  #waiting: readonly Waiting[] = [];

  constructor(caps: FleetCaps) {
    this.#caps = caps;
  }

  /** Takes note of a volume's room. A volume that lanes write to just now keeps the number that it had. */
  measured(volume: string, freeBytes: number): void {
    const known = this.#volumes.get(volume);
    if (known && known.reservedBytes > 0) return;
    const least = known && !known.used ? Math.min(known.freeBytes, freeBytes) : freeBytes;
    this.#volumes.set(volume, { freeBytes: least, reservedBytes: 0, used: false });
  }

  /**
   * Resolves when the claim's turn has come; after `go` the caller must {@link leave}.
   * @param givenUp rejects when nobody waits for the turn any more; its reason is thrown
   */
  async enter(claim: Claim, givenUp: Promise<never>): Promise<Verdict> {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    this.#waiting = [...this.#waiting, { claim, answer: resolve }];
    this.#admit();
    try {
      return await Promise.race([promise, givenUp]);
    } catch (error) {
      this.#waiting = this.#waiting.filter((waiting) => waiting.claim !== claim);
      if (this.#inside.has(claim)) this.leave(claim, 'released');
      throw error;
    }
  }

  /** @param room what became of the reserved room: `kept` by a live restore that stands, else `released` */
  leave(claim: Claim, room: 'kept' | 'released'): void {
    this.#inside.delete(claim);
    const volume = claim.room && this.#volumes.get(claim.room.volume);
    if (claim.room && volume) {
      volume.reservedBytes -= claim.room.neededBytes;
      if (room === 'kept') volume.freeBytes -= claim.room.neededBytes;
      volume.used = true;
    }
    this.#admit();
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      const verdict = this.#judge(waiting.claim);
      if (verdict === 'wait') continue;
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
      if (verdict === 'go') this.#let(waiting.claim);
      waiting.answer(verdict);
    }
  }

  #let(claim: Claim): void {
    this.#inside.add(claim);
    const volume = claim.room && this.#volumes.get(claim.room.volume);
    if (claim.room && volume) volume.reservedBytes += claim.room.neededBytes;
  }

  #judge(claim: Claim): Verdict | 'wait' {
    const room = this.#judgeRoom(claim);
    return room === 'go' && !this.#isUnderCaps(claim) ? 'wait' : room;
  }

  #judgeRoom({ room }: Claim): Verdict | 'wait' {
    const volume = room && this.#volumes.get(room.volume);
    if (!room || !volume) return 'go';
    if (room.neededBytes <= volume.freeBytes - volume.reservedBytes) return 'go';
    if (room.neededBytes > volume.freeBytes && !volume.used) return 'full';
    return volume.reservedBytes > 0 ? 'wait' : 'stale';
  }

  #isUnderCaps({ host, streams }: Claim): boolean {
    const inside = [...this.#inside];
    const { lanesAtOnce, streamsAtOnce, streamsPerHost } = this.#caps;
    return (
      inside.length < lanesAtOnce &&
      sum(inside) + streams <= streamsAtOnce &&
      sum(inside.filter((other) => other.host === host)) + streams <= streamsPerHost
    );
  }
}

function sum(claims: readonly Claim[]): number {
  return claims.reduce((all, { streams }) => all + streams, 0);
}

/**
 * How many streams each lane gets: its own number, or its share of what its host and the run may have, so that lanes run
 * beside each other rather than one after the other; at least one.
 */
export function streamShares(
  lanes: readonly { readonly lane: string; readonly host: string; readonly streams: number }[],
  { lanesAtOnce, streamsAtOnce, streamsPerHost }: FleetCaps,
): ReadonlyMap<string, number> {
  const share = (cap: number, among: number): number => Math.max(1, Math.floor(cap / Math.min(among, lanesAtOnce)));
  return new Map(
    lanes.map(({ lane, host, streams }) => {
      const onHost = lanes.filter((other) => other.host === host).length;
      return [lane, Math.min(streams, share(streamsPerHost, onHost), share(streamsAtOnce, lanes.length))];
    }),
  );
}
