// Memory of a host: in all, and what a program that starts now could have. macOS says it in pages (`vm_stat`), Linux in
// `/proc/meminfo`. On macOS what is used is counted as Activity Monitor does, whose number operators see: memory of
// programs, wired and compressed. (Free, inactive, speculative and purgeable pages added up would count programs' pages
// that were not touched for a while as free, and purgeable ones twice, for they lie in the other queues.)

import { Failure } from '../domain/failure.ts';
import type { LaneShell } from './lane-shell.ts';

export interface Memory {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

const memoryText = `if [ -r /proc/meminfo ]; then cat /proc/meminfo
else echo "memsize: $(/usr/sbin/sysctl -n hw.memsize)"; /usr/bin/vm_stat
fi`;

/** @throws HostOutputUnexpected, and what the connection throws */
export async function memoryOf(shell: LaneShell): Promise<Memory> {
  const { stdout } = await shell.script(memoryText, [], { tool: 'vm_stat' });
  const memory = parseMemory(stdout.toString());
  if (memory !== undefined) return memory;
  const { name } = shell.target.host;
  throw new Failure('HostOutputUnexpected', `host ${name} tells its memory in an unknown form`, {
    host: name,
    tool: 'vm_stat',
  });
}

/** Linux: kB by name; macOS: `memsize`, the page size in vm_stat's first line, then pages by name. Undefined where one is missing. */
export function parseMemory(text: string): Memory | undefined {
  const valueOf = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const linux = { totalBytes: valueOf('MemTotal') * 1024, freeBytes: valueOf('MemAvailable') * 1024 };
  if (linux.totalBytes > 0 && linux.freeBytes >= 0) return linux;
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? Number.NaN);
  const ofPrograms = valueOf('Anonymous pages') - valueOf('Pages purgeable');
  const usedBytes = (ofPrograms + valueOf('Pages wired down') + valueOf('Pages occupied by compressor')) * pageBytes;
  const totalBytes = valueOf('memsize');
  return totalBytes > 0 && usedBytes >= 0 ? { totalBytes, freeBytes: Math.max(0, totalBytes - usedBytes) } : undefined;
}
