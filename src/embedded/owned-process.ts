// A child process that dies with its owner, however that ends, kill -9 included. A small shell stands between: it
// reads a pipe whose other end the owner holds, and when that closes it ends the program, with SIGTERM and five
// seconds later with SIGKILL. The program runs in a process group of its own, so Ctrl-C reaches the owner first.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const tailBytes = 8 * 1024;

/** `$@` is the program; its pid is the one line on stdout. 50 × 0.1 s = the five seconds. */
const supervisor = `
exec 3<&0
"$@" 3<&- </dev/null >&2 &
child=$!
echo "$child"
exec >&-
(
  cat <&3 >/dev/null
  kill -TERM "$child" 2>/dev/null
  n=0
  while [ "$n" -lt 50 ] && kill -0 "$child" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
  kill -KILL "$child" 2>/dev/null
) &
exec 3<&-
wait "$child"
`;

export interface OwnedProcess {
  /** Of the program itself, not of the shell. */
  readonly pid: number;
  /** Exit status, 128 + n after a signal; never rejects. */
  readonly exited: Promise<number>;
  /** The last 8 KiB of what it wrote to stdout and stderr. */
  tail(): string;
  /** SIGTERM, after five seconds SIGKILL; resolves when it is gone. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL, at once. May be called again. */
  kill(): void;
}

function killGroup(shell: ChildProcess): void {
  if (shell.pid === undefined) return;
  try {
    process.kill(-shell.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** @throws Error when there is no /bin/sh; a program that cannot be started exits with 127 or 126 instead. */
export async function spawnOwned(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<OwnedProcess> {
  const shell = spawn('/bin/sh', ['-c', supervisor, 'sh', ...argv], { env, detached: true });
  let tail = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-tailBytes);
  });
  shell.stdin.on('error', () => undefined); // EPIPE: it is gone already
  const exited = new Promise<number>((resolve) => {
    shell.once('error', () => resolve(127));
    shell.once('exit', (status) => {
      killGroup(shell); // the shell's watcher, before it could signal a pid that is no longer its child's
      resolve(status ?? 137);
    });
  });
  const { value } = await createInterface({ input: shell.stdout })[Symbol.asyncIterator]().next();
  return {
    pid: Number(value),
    exited,
    tail: () => tail,
    stop: async () => {
      shell.stdin.end();
      await exited;
    },
    kill: () => {
      // once it is gone, its pid may be anybody's
      if (shell.exitCode === null && shell.signalCode === null) killGroup(shell);
    },
  };
}
