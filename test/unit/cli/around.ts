// Surroundings for tests: streams that remember, a terminal that is none, a Ctrl-C that can be pressed.

import { PassThrough } from 'node:stream';
import { Interrupts } from '../../../src/cli/interrupts.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { Surroundings } from '../../../src/cli/surroundings.ts';

export interface TestAround extends Surroundings {
  readonly stdin: PassThrough & { isTTY?: boolean };
  out(): string;
  err(): string;
  /** Statuses that a second Ctrl-C asked for. */
  readonly exits: number[];
}

export interface AroundOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
}

export function testAround({ cwd = '/nowhere', env = {}, terminal = false }: AroundOptions = {}): TestAround {
  const exits: number[] = [];
  const [out, err] = [remembering(terminal), remembering(terminal)];
  const stdin = Object.assign(new PassThrough(), terminal ? { isTTY: true } : {});
  const interrupts = new Interrupts((status) => exits.push(status));
  return { stdout: out.stream, stderr: err.stream, stdin, env, cwd, interrupts, out: out.text, err: err.text, exits };
}

function remembering(terminal: boolean) {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), terminal ? { isTTY: true, columns: 100 } : {});
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export async function run(argv: readonly string[], options: AroundOptions = {}): Promise<Ran> {
  const around = testAround(options);
  const status = await runCli(argv, around);
  return { status, out: around.out(), err: around.err() };
}
