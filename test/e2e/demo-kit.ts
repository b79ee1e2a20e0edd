// The demo as a process, and pictures of what it must not touch.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type ProcessRecord, isAlive, recordOf, treeOf } from '../bed/processes.ts';

const main = resolve(import.meta.dirname, '../demo/main.ts');

export interface DemoProcess {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<number | null>;
  /** Until this stands on stderr; throws when the demo ends before. */
  says(text: string): Promise<void>;
  /** Every process that it has started so far, itself included. */
  family(): ProcessRecord[];
}

export function startDemo(dir: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): DemoProcess {
  // a folder name with blanks would break the tools' paths, which the bed puts elsewhere
  const child = spawn(process.execPath, [main, '--dir', dir, '--megabytes', '9', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<number | null>((done) => child.once('close', done));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    says: async (text) => {
      while (!stderr.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the demo ended:\n${stderr}`);
        await pause(50);
      }
    },
    family: () => treeOf([child.pid ?? 0]).flatMap((pid) => recordOf(pid) ?? []),
  };
}

/** A machine on which no versitygw is found: not named, not on PATH, and an empty cache of tools. */
export function withoutVersitygw(cache: string): NodeJS.ProcessEnv {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !existsSync(join(folder, 'versitygw')));
  return { CLAWBACK_VERSITYGW: '', XDG_CACHE_HOME: cache, PATH: path.join(delimiter) };
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Of these, who is still alive after as long as a supervisor gives its program, and some. */
export async function survivors(family: readonly ProcessRecord[]): Promise<ProcessRecord[]> {
  const untilMs = Date.now() + 20_000;
  while (family.some(isAlive) && Date.now() < untilMs) await pause(100);
  return family.filter(isAlive);
}

const watched = ['/etc/passwd', '/etc/group', '/etc/shadow', '/etc/sudoers', '/etc/hosts'];
const watchedFolders = [
  '/etc/sudoers.d',
  '/Users',
  '/Library',
  join(homedir(), '.openclaw'),
  join(homedir(), '.clawback'),
];

/** Users, sudo rules, hosts file, and the names in folders that are a Mac's: what each was, by path. */
export function machinePicture(): Record<string, string> {
  return Object.fromEntries([
    ...watched.map((path) => [path, fileOf(path)]),
    ...watchedFolders.map((path) => [path, namesOf(path)]),
  ]) as Record<string, string>;
}

function fileOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    // what is not for this user's eyes is not for the demo's hands
    return String((error as NodeJS.ErrnoException).code);
  }
}

function namesOf(path: string): string {
  try {
    const names = readdirSync(path).sort();
    return names.map((name) => `${name} ${lstatSync(join(path, name)).mtimeMs}`).join('\n');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
