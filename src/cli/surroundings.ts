// What the command line has around it: streams, environment, clock. Tests bring their own.

import type { Readable, Writable } from 'node:stream';
import { Interrupts } from './interrupts.ts';

export type OutStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
export type InStream = Readable & { readonly isTTY?: boolean };

export interface Surroundings {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly stdin: InStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly interrupts: Interrupts;
}

export function realSurroundings(): Surroundings {
  const { stdout, stderr, stdin, env } = process;
  return { stdout, stderr, stdin, env, cwd: process.cwd(), interrupts: Interrupts.ofProcess() };
}
