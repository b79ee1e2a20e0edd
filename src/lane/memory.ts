// Memory of a host: in all, and what a program that starts now could have. macOS says it in pages (`vm_stat`), Linux in
// `/proc/meminfo`. What macOS holds inactive, speculative or purgeable it gives away when asked.

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

/** Linux: kB by name; macOS: `memsize`, the page size in vm_stat's first line, then pages by name. */
export function parseMemory(text: string): Memory | undefined {
  const valueOf = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const linux = { totalBytes: valueOf('MemTotal') * 1024, freeBytes: valueOf('MemAvailable') * 1024 };
  if (linux.totalBytes > 0 && linux.freeBytes >= 0) return linux;
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1] ?? Number.NaN);
  const pages = ['free', 'inactive', 'speculative', 'purgeable'].map((kind) => valueOf(`Pages ${kind}`));
  const freeBytes = pages.reduce((sum, count) => sum + count, 0) * pageBytes;
  const totalBytes = valueOf('memsize');
  return totalBytes > 0 && freeBytes >= 0 ? { totalBytes, freeBytes: Math.min(freeBytes, totalBytes) } : undefined;
}
