import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryStore } from '../../../src/store/directory.ts';
import { markDirectory } from '../../../src/store/directory-marker.ts';
import { listed, storeSuite } from './suite.ts';

storeSuite('a directory store', async () => {
  const root = await makeRoot();
  return {
    store: new DirectoryStore('bed', root),
    opener: { module: new URL('open-directory.ts', import.meta.url), args: [root] },
    remove: () => rm(root, { recursive: true, force: true }),
  };
});

async function makeRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'clawback-store-'));
  await markDirectory('bed', root);
  return root;
}

/** Can this process mount a file system of its own? Root on Linux can, but not in every container. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** Permissions do not bind root: as root, the work is done as another user. */
async function asAnybody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('a directory store by itself', () => {
  let root: string;
  let store: DirectoryStore;

  beforeEach(async () => {
    root = await makeRoot();
    store = new DirectoryStore('primary', root);
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('leaves nothing among the uploads after a put, a failed put and an aborted one', async () => {
    await store.put('a', Buffer.from('x'));
    await store.put('a', Buffer.from('x')).catch(() => undefined);
    await store.put('b', Buffer.from('x'), { signal: AbortSignal.abort() }).catch(() => undefined);
    expect(await readdir(join(root, '.uploads'))).toEqual([]);
  });

  it('lets its owner alone read objects and folders', async () => {
    await store.put('a/b', Buffer.from('x'));
    expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(root, 'a/b'))).mode & 0o777).toBe(0o600);
  });

  it('removes folders that a delete has emptied, and not the root', async () => {
    await store.put('a/b/c', Buffer.from('x'));
    await store.delete('a/b/c');
    expect(await readdir(root)).toEqual(['.clawback-store', '.uploads']);
  });

  it('is unreachable when its folder is gone, and does not make it', async () => {
    await rm(root, { recursive: true });
    const lost = { code: 'StoreUnreachable' };
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toMatchObject(lost);
    await expect(store.get('a/b')).rejects.toMatchObject(lost);
    await expect(store.delete('a/b')).rejects.toMatchObject(lost);
    await expect(store.sweepUploads('a', 0)).rejects.toMatchObject(lost);
    await expect(listed(store, '')).rejects.toMatchObject(lost);
    await expect(stat(root)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is refused by name where its volume is not mounted: an empty folder without a marker', async () => {
    await store.put('a/b', Buffer.from('x'));
    await rm(root, { recursive: true });
    await mkdir(root);
    const refused = {
      code: 'StoreUnmarked',
      message: 'store primary: its folder is there, but has no .clawback-store',
    };
    const body = new Readable({ read() {} });
    await expect(store.put('a/c', body)).rejects.toMatchObject(refused);
    expect(body.destroyed).toBe(true);
    await expect(store.get('a/b')).rejects.toMatchObject(refused);
    await expect(store.delete('a/b')).rejects.toMatchObject(refused);
    await expect(store.sweepUploads('a', 0)).rejects.toMatchObject(refused);
    await expect(listed(store, 'a/')).rejects.toMatchObject(refused);
    expect(await readdir(root)).toEqual([]);
  });

  it('is read without a marker where it has objects, as a copy of a store is, but not written', async () => {
    await store.put('a/b', Buffer.from('x'));
    await rm(join(root, '.clawback-store'));
    expect((await listed(store, '')).map((object) => object.key)).toEqual(['a/b']);
    await expect(store.get('a/c')).rejects.toMatchObject({ code: 'ObjectMissing' });
    await expect(store.put('a/c', Buffer.from('x'))).rejects.toMatchObject({ code: 'StoreUnmarked' });
  });

  it('is made once, with its folder but not with a parent that may be a volume', async () => {
    const made = join(root, 'parent/store');
    await expect(markDirectory('new', made)).rejects.toMatchObject({ code: 'StoreUnreachable' });
    await mkdir(join(root, 'parent'));
    expect(await markDirectory('new', made)).toBe(true);
    expect(await markDirectory('new', made)).toBe(false);
    await writeFile(join(root, 'file'), '');
    await expect(markDirectory('new', join(root, 'file'))).rejects.toMatchObject({ code: 'StoreUnreachable' });
    const other = new DirectoryStore('new', made);
    await other.put('a', Buffer.from('x'));
    expect((await listed(other, '')).map((object) => object.key)).toEqual(['a']);
  });

  it('ends a body that it cannot take, so that nobody waits to write into it', async () => {
    await rm(root, { recursive: true });
    const body = new Readable({ read() {} });
    await expect(store.put('a/b', body)).rejects.toMatchObject({ code: 'StoreUnreachable' });
    expect(body.destroyed).toBe(true);
  });

  it('leaves out of a list what was deleted after its folder was read', async () => {
    for (const key of ['a/1', 'a/2', 'a/3']) await store.put(key, Buffer.from('x'));
    const seen: string[] = [];
    for await (const object of store.list('a/')) {
      seen.push(object.key);
      await store.delete('a/2');
    }
    expect(seen).toEqual(['a/1', 'a/3']);
  });

  it('is unreachable when its folder vanishes while it writes', async () => {
    const vanishing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      await rm(root, { recursive: true });
    };
    await expect(store.put('a/b', Readable.from(vanishing()))).rejects.toMatchObject({ code: 'StoreUnreachable' });
    await expect(stat(root)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is unreachable when its path is a file', async () => {
    await writeFile(join(root, 'file'), '');
    const other = new DirectoryStore('primary', join(root, 'file'));
    await expect(other.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'StoreUnreachable' });
    await expect(listed(other, '')).rejects.toMatchObject({ code: 'StoreUnreachable' });
  });

  it('neither follows nor lists symbolic links, folders and names that are no objects', async () => {
    await store.put('a/b', Buffer.from('x'));
    await symlink('/etc/hostname', join(root, 'a/link'));
    await writeFile(join(root, '.DS_Store'), 'x');
    await writeFile(join(root, 'a/odd name'), 'x');
    await mkdir(join(root, 'lost+found'));
    expect((await listed(store, '')).map((object) => object.key)).toEqual(['a/b']);
    await expect(store.get('a/link')).rejects.toMatchObject({ code: 'StoreRefused' });
    expect(await store.delete('a/link')).toBe(false);
  });

  it('names store and key in a failure, and gives them as context', async () => {
    await store.put('a/b', Buffer.from('x'));
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toMatchObject({
      message: 'store primary has a/b already',
      context: { store: 'primary', key: 'a/b' },
    });
  });

  it('keeps no versions, and gives the object to whoever names one', async () => {
    expect(await store.put('a', Buffer.from('x'))).not.toHaveProperty('versionId');
    expect((await buffer(await store.get('a', { versionId: '1' }))).toString()).toBe('x');
  });

  it('is refused where it may not write', async () => {
    await chmod(root, 0o500);
    await asAnybody(async () => {
      await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'StoreRefused' });
    });
    await chmod(root, 0o700);
  });

  describe.runIf(canMount())('on a small volume', () => {
    const mount = async (options: string): Promise<void> => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'clawback-test', root]);
      await markDirectory('primary', root);
    };

    afterEach(() => {
      execFileSync('umount', [root]);
    });

    it('says that the volume is full, leaves nothing, and takes what fits afterwards', async () => {
      await mount('size=4m');
      await store.put('kept', Buffer.alloc(1024 * 1024, 1));
      const tooMuch = Readable.from(Array.from({ length: 8 }, () => Buffer.alloc(1024 * 1024, 2)));
      await expect(store.put('too/much', tooMuch)).rejects.toMatchObject({ code: 'StoreFull' });
      expect(tooMuch.destroyed).toBe(true);
      expect((await listed(store, '')).map((object) => object.key)).toEqual(['kept']);
      await store.put('fits', Buffer.alloc(2 * 1024 * 1024, 3));
      expect((await buffer(await store.get('fits'))).length).toBe(2 * 1024 * 1024);
    });

    it('says that the volume is full when its entries are used up', async () => {
      await mount('size=4m,nr_inodes=12');
      const puts = Array.from({ length: 20 }, (_, index) => store.put(`o-${index}`, Buffer.from('x')));
      const codes = (await Promise.allSettled(puts)).flatMap((put) =>
        put.status === 'rejected' ? [(put.reason as { code: string }).code] : [],
      );
      expect(codes.length).toBeGreaterThan(0);
      expect(new Set(codes)).toEqual(new Set(['StoreFull']));
    });

    it('is refused on a volume that is mounted read-only', async () => {
      await mount('size=1m');
      execFileSync('mount', ['-o', 'remount,ro', root]);
      await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'StoreRefused' });
    });
  });
});
