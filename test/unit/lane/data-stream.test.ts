import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { bothEnds, watchedInput } from '../../../src/lane/data-stream.ts';
import type { RemoteProcess } from '../../../src/lane/remote-process.ts';

const unread = new Failure('HostCommandFailed', 'a command on mac-1 ended with status 97 before it had read its input');

/** A command that has ended with that status before anybody gave it anything. */
async function endedEarly(): Promise<RemoteProcess> {
  const stdin = new Writable();
  stdin.on('error', () => undefined).destroy(unread);
  await new Promise((resolve) => stdin.once('close', resolve));
  const stdout = new PassThrough().end();
  return { stdin, stdout, stderrTail: () => '', exited: Promise.resolve(97), kill: () => undefined };
}

describe('the input of a command', () => {
  it('that has ended already is broken, and the command is judged by its status', async () => {
    const { stdin, exited } = watchedInput(await endedEarly());
    expect(stdin.destroyed).toBe(true);
    await expect(exited).resolves.toBe(97);
    const lost = new Failure('FenceLost', 'a newer attempt works on this lane');
    const finished = exited.then(() => {
      throw lost;
    });
    await expect(bothEnds(pipeline(Readable.from([Buffer.alloc(9)]), stdin), finished)).rejects.toBe(lost);
  });

  it('is what failed when the command says nothing of its own', async () => {
    const broken = new Error('the store is away');
    await expect(bothEnds(Promise.reject(broken), Promise.resolve())).rejects.toBe(broken);
    await expect(bothEnds(Promise.resolve(), Promise.resolve())).resolves.toBeUndefined();
  });
});
