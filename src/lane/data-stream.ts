// The two directions of bulk data on a remote command, each behind a stall watch: after a minute without a byte the
// stream fails StreamStalled, the command's channel is closed, and that failure is what its end reports. What comes from
// the host is made into larger pieces on the way.

import { pipeline, type Readable, type Writable } from 'node:stream';
import { gather } from './gather.ts';
import type { RemoteProcess } from './host-connection.ts';
import { stallWatch } from './stall-watch.ts';

/** The exit status, or the first failure of stream and command: a broken stream explains a lost channel, not the other way round. */
function outcome(process: RemoteProcess, broken: () => Error | undefined): Promise<number> {
  const exited = process.exited.catch((error: Error) => {
    throw broken() ?? error;
  });
  exited.catch(() => undefined);
  return exited;
}

export function watchedOutput(process: RemoteProcess): { stdout: Readable; exited: Promise<number> } {
  const stdout = gather();
  let broken: Error | undefined;
  pipeline(process.stdout, stallWatch(), stdout, (error) => {
    if (error === null || error === undefined) return;
    broken = error;
    process.kill();
  });
  stdout.on('error', () => undefined);
  return { stdout, exited: outcome(process, () => broken) };
}

export function watchedInput(process: RemoteProcess): { stdin: Writable; exited: Promise<number> } {
  const stdin = stallWatch();
  let broken: Error | undefined;
  process.stdout.resume();
  stdin.on('error', () => undefined);
  // a command that has ended by now is judged by its status
  if (process.stdin.errored) stdin.destroy(process.stdin.errored);
  else
    pipeline(stdin, process.stdin, (error) => {
      if (error === null || error === undefined) return;
      broken = error;
      process.kill();
    });
  return { stdin, exited: outcome(process, () => broken) };
}

/**
 * Waits for both ends of a command's input: that all was given (or why not), and how the command ended. What it says of its
 * end (a lost fence, a full disk) explains a broken input, not the other way round.
 */
export async function bothEnds(given: Promise<void>, finished: Promise<void>): Promise<void> {
  const [input, end] = await Promise.allSettled([given, finished]);
  if (end.status === 'rejected') throw end.reason;
  if (input.status === 'rejected') throw input.reason;
}
