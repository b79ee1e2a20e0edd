// The contents of an archive's files, one after another: small ones in memory, larger ones as streams.

import { pipeline, Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { Failure } from '../domain/failure.ts';

export interface LargeMember {
  readonly sizeBytes: number;
  /** To be read, or left alone, before the next member is asked for. */
  readonly body: Readable;
}

/**
 * @param source a tar; its own failures come out unchanged
 * @param maxBytes of one file in memory
 * @throws Failure BundleDamaged when it cannot be read
 */
export async function* readTarMembers(
  source: Readable,
  maxBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer> | LargeMember> {
  const archive = extract();
  let failure: Error | undefined;
  pipeline(source, archive, (error) => {
    failure = error ?? undefined;
  });
  try {
    for await (const member of archive) {
      if (member.header.type !== 'file') {
        member.resume();
        continue;
      }
      if (member.header.size > maxBytes) {
        yield { sizeBytes: member.header.size, body: Readable.from(member) };
        member.resume();
        continue;
      }
      const bytes = new Uint8Array(member.header.size); // memory of its own, so that it can be given to a thread
      let at = 0;
      for await (const chunk of member as AsyncIterable<Buffer>) at += chunk.copy(bytes, at);
      yield bytes;
    }
  } catch (error) {
    const cause = failure ?? error;
    if (cause instanceof Failure) throw cause;
    throw new Failure('BundleDamaged', 'an archive cannot be read', {}, { cause });
  } finally {
    source.destroy();
  }
}
