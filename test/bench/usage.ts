// What a run cost, read from /proc: CPU seconds of the whole machine (so nothing hides in a child, a server or the host's
// side; run it alone), and the peak memory of single processes.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of a Linux kernel that was not built otherwise (`getconf CLK_TCK`). */
const ticksPerSecond = 100;
const sampleMs = 100;

/** CPU seconds that this machine has spent since it booted: user, nice, system, interrupts. */
function machineCpuSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

export interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export async function measured<T>(work: () => Promise<T>): Promise<Usage & { readonly result: T }> {
  const cpuBefore = machineCpuSeconds();
  const startedMs = performance.now();
  const result = await work();
  return {
    result,
    seconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: machineCpuSeconds() - cpuBefore,
  };
}

function statusBytes(pid: number, field: string): number {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** From here on the process's peak counts anew (`5` in clear_refs, proc(5)). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The most resident memory that the process has had, in bytes; 0 when it is gone. */
export function peakRssBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** The largest peak of any one process below `pid`, sampled until `until` is settled. */
export async function largestPeakBelow(pid: number, until: Promise<unknown>): Promise<number> {
  let largest = 0;
  const ended = until.then(
    () => true,
    () => true,
  );
  do {
    const below = [pid];
    for (const one of below) below.push(...childrenOf(one));
    largest = Math.max(largest, ...below.map(peakRssBytes));
  } while (!(await Promise.race([ended, sleep(sampleMs, false)])));
  return largest;
}
