// Processes of a bed: found by their parents and by a mark in their environment, told apart by start time, ended for sure.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface ProcessRecord {
  readonly pid: number;
  /** Differs for every process that ever had this pid (until the next boot). */
  readonly startedAt: string;
}

interface ProcessRow extends ProcessRecord {
  readonly parent: number;
}

const hasProc = process.platform === 'linux';

/** Start time of a process; undefined when there is none (a zombie counts as none). */
export function startTimeOf(pid: number): string | undefined {
  return hasProc ? readStat(pid)?.startedAt : psRows().find((row) => row.pid === pid)?.startedAt;
}

export function recordOf(pid: number): ProcessRecord | undefined {
  const startedAt = startTimeOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** The program's name, without its folder; empty when there is no such process. */
export function nameOf(pid: number): string {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return basename(execFileSync('/bin/ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).trim());
  } catch {
    return '';
  }
}

export function isAlive(record: ProcessRecord): boolean {
  return startTimeOf(record.pid) === record.startedAt;
}

function readStat(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // after "pid (name) ": state, parent, …, the 20th is the start time
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, parent: Number(fields[1]), startedAt: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function rows(): ProcessRow[] {
  if (!hasProc) return psRows();
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readStat(Number(pid))).filter((row) => row !== undefined);
}

function psRows(): ProcessRow[] {
  const lines = execFileSync('/bin/ps', ['-axo', 'pid=,ppid=,stat=,lstart='], { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => !fields[2]?.startsWith('Z'))
    .map((fields) => ({ pid: Number(fields[0]), parent: Number(fields[1]), startedAt: fields.slice(3).join(' ') }));
}

/** The process and all that descend from it. */
export function treeOf(pids: readonly number[]): number[] {
  const all = rows();
  const found = new Set(pids);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const row of all) if (found.has(row.parent)) found.add(row.pid);
  }
  return [...found];
}

/** Processes whose environment holds `NAME=value`. */
export function markedWith(mark: string): number[] {
  if (!hasProc) return markedByPs(mark);
  return rows()
    .map((row) => row.pid)
    .filter((pid) => pid !== process.pid && environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

function markedByPs(mark: string): number[] {
  const lines = execFileSync('/bin/ps', ['-axEwwo', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 << 20 }).split(
    '\n',
  );
  return lines.filter((line) => line.includes(` ${mark}`)).map((line) => Number(line.trim().split(' ')[0]));
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends, at once, what `find` names, and looks again until it names nobody: the ended may have started others. */
export async function endAll(find: () => number[], withinMs = 5000): Promise<void> {
  const untilMs = Date.now() + withinMs;
  for (let left = find(); left.length > 0; left = find()) {
    if (Date.now() > untilMs) throw new Error(`processes ${left.join(', ')} outlive SIGKILL`);
    for (const pid of left) signal(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
