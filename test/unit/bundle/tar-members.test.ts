import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { readTarMembers } from '../../../src/bundle/tar-members.ts';
import { Failure } from '../../../src/domain/failure.ts';

function archive(): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'folder', type: 'directory' });
  tar.entry({ name: 'one' }, 'first');
  tar.entry({ name: 'large' }, 'x'.repeat(2_000));
  tar.entry({ name: 'two' }, 'second');
  tar.finalize();
  return buffer(tar);
}

async function contentsOf(source: Readable, isRead = false): Promise<string[]> {
  const found: string[] = [];
  for await (const member of readTarMembers(source, 1_000))
    if (!('body' in member)) found.push(Buffer.from(member).toString());
    else
      found.push(
        `${member.sizeBytes} as a stream${isRead ? `, ${(await buffer(member.body)).toString('latin1', 0, 3)}` : ''}`,
      );
  return found;
}

describe('the files of an archive', () => {
  it.each([
    ['read', true, '2000 as a stream, xxx'],
    ['left alone', false, '2000 as a stream'],
  ])(
    'come one after another, large ones as streams, which may be %s; what is no file is passed over',
    async (_, isRead, large) => {
      const bytes = await archive();
      const source = Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]);
      expect(await contentsOf(source, isRead)).toEqual(['first', large, 'second']);
    },
  );

  it('end as BundleDamaged when the archive is cut', async () => {
    const bytes = await archive();
    const cut = contentsOf(Readable.from([bytes.subarray(0, 1_030)]));
    await expect(cut).rejects.toMatchObject({ code: 'BundleDamaged' });
  });

  it('end with the failure of their source', async () => {
    const source = new Readable({
      read() {
        this.destroy(new Failure('StoreUnreachable', 'the store is gone'));
      },
    });
    await expect(contentsOf(source)).rejects.toMatchObject({ code: 'StoreUnreachable' });
  });
});
