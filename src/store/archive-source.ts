// Where archives of the old scripts lie: a folder of the worker's machine, or a store. Read only, by name below it.

import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { archiveNamePattern } from '../domain/old-archive.ts';
import type { Store } from './store.ts';

export interface ArchiveSource {
  /** @throws ArchiveMissing, InvalidInput for a name that leads out */
  sizeOf(name: string, signal: AbortSignal): Promise<number>;
  /** May be called again: an archive is read twice. @throws ArchiveMissing */
  open(name: string, signal: AbortSignal): Promise<Readable>;
}

function checked(name: string): string {
  if (archiveNamePattern.test(name)) return name;
  throw new Failure('InvalidInput', 'an archive is named below the folder or store of archives, without ..', {
    field: 'archive',
  });
}

function missing(name: string, why: string): Failure {
  return new Failure('ArchiveMissing', `archive ${name} ${why}`, { key: name });
}

/** @param path absolute; a link below it that leads out of it is refused */
export function archiveFolder(path: string): ArchiveSource {
  const opened = async (name: string) => {
    const wanted = join(path, checked(name));
    const [root, real] = await Promise.all([realpath(path), realpath(wanted)]).catch(() => {
      throw missing(name, 'is not in the folder of archives');
    });
    if (!real.startsWith(`${root}/`)) throw missing(name, 'leads out of the folder of archives');
    try {
      return await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      throw missing(name, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`);
    }
  };
  return {
    async sizeOf(name) {
      await using file = await opened(name);
      const stat = await file.stat();
      if (!stat.isFile()) throw missing(name, 'is no file');
      return stat.size;
    },
    async open(name) {
      return (await opened(name)).createReadStream();
    },
  };
}

export function archiveStore(store: Store): ArchiveSource {
  return {
    async sizeOf(name, signal) {
      for await (const { key, sizeBytes } of store.list(checked(name), { signal })) if (key === name) return sizeBytes;
      throw missing(name, `is not in the store ${store.name}`);
    },
    open: (name, signal) => store.get(checked(name), { signal }),
  };
}
