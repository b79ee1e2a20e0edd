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

async function contentsOf(source: Readable): Promise<string[]> {
  const found: string[] = [];
  for await (const bytes of readTarMembers(source, 1_000))
    found.push(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString());
  return found;
}

describe('the files of an archive', () => {
  it('come one after another; one that is too large is told, and what is no file is passed over', async () => {
    const bytes = await archive();
    expect(await contentsOf(Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]))).toEqual([
      'first',
      'too-large',
      'second',
    ]);
  });

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
