// The contents of an archive's files, one after another, in memory. For archives of our own that are small by their
// plan; what is larger is passed over and told.

import { pipeline, type Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { Failure } from '../domain/failure.ts';

/**
 * @param source a tar; its own failures come out unchanged
 * @param maxBytes of one file
 * @throws Failure BundleDamaged when it cannot be read
 */
export async function* readTarMembers(
  source: Readable,
  maxBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer> | 'too-large'> {
  const archive = extract();
  let failure: Error | undefined;
  pipeline(source, archive, (error) => {
    failure = error ?? undefined;
  });
  try {
    for await (const member of archive) {
      if (member.header.type !== 'file' || member.header.size > maxBytes) {
        member.resume();
        if (member.header.type === 'file') yield 'too-large';
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
