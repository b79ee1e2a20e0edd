// The looks at the disk, by timer, beside the days of the gate: one a slot of the window; a slot without one stays empty,
// whether the host did not answer or no worker was there.

import { condition, isCancellation } from '@temporalio/workflow';
import type { GateDisk } from '../contract/gate.ts';
import { type GuardrailPlan, samplesExpected } from '../domain/gate.ts';
import { host } from './steps.ts';

export class Guardrails {
  readonly plan: GuardrailPlan;
  #disk: GateDisk | null;
  #hostName = '';
  #isStopping = false;

  constructor(plan: GuardrailPlan, disk: GateDisk | null) {
    this.plan = plan;
    this.#disk = disk;
  }

  get disk(): GateDisk | null {
    return this.#disk;
  }

  /** A window begins, anew where there was one. */
  begin(startedAt: string): void {
    this.#disk = { startedAt, totalBytes: 0, used: [] };
  }

  clear(): void {
    this.#disk = null;
  }

  /** Looks until it is stopped. @param onLook called after each slot */
  async run(name: string, onLook: () => void): Promise<void> {
    this.#hostName = name;
    for (;;) {
      await condition(() => this.#isStopping || this.#isOpen);
      const disk = this.#disk;
      if (this.#isStopping || disk === null) return;
      const slot = Math.max(this.#slotNow(disk), disk.used.length);
      const leftMs = Date.parse(disk.startedAt) + slot * this.plan.everyMs - Date.now();
      const isOver =
        leftMs > 0 && (await condition(() => this.#isStopping || this.#disk?.startedAt !== disk.startedAt, leftMs));
      if (!isOver) await this.#look(disk.startedAt);
      onLook();
    }
  }

  /** Ends the waiting, and waits for a look that is under way. */
  async stop(running: Promise<void>): Promise<void> {
    this.#isStopping = true;
    await running;
  }

  get #isOpen(): boolean {
    return this.#disk !== null && this.#disk.used.length < samplesExpected(this.plan);
  }

  #slotNow({ startedAt }: GateDisk): number {
    return Math.floor((Date.now() - Date.parse(startedAt)) / this.plan.everyMs);
  }

  async #look(startedAt: string): Promise<void> {
    const at = this.#disk ? this.#slotNow(this.#disk) : 0;
    const seen = await this.#ask();
    const disk = this.#disk;
    // another window has begun meanwhile
    if (disk?.startedAt !== startedAt) return;
    const expected = samplesExpected(this.plan);
    const used = Array.from({ length: Math.min(at, expected) }, (_, slot) => disk.used[slot] ?? null);
    if (at < expected) used[at] = seen?.used ?? null;
    this.#disk = { ...disk, totalBytes: Math.max(disk.totalBytes, seen?.totalBytes ?? 0), used };
  }

  async #ask(): Promise<{ readonly used: number; readonly totalBytes: number } | null> {
    try {
      const { diskUsedRatio, diskTotalBytes } = await host.lookAtHost({ host: this.#hostName });
      return { used: Math.round(diskUsedRatio * 1000), totalBytes: diskTotalBytes };
    } catch (error) {
      if (isCancellation(error)) throw error;
      return null;
    }
  }
}
