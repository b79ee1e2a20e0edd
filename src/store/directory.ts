// A store in a folder: an object is a file. Whole or absent, never overwritten, whoever is killed at whatever moment
// (directory-upload.ts says how).
// The folder itself is never made here, and is written only where its marker lies (directory-marker.ts): when either is
// gone, its volume may not be mounted, and that is a failure.
// A file system without hard links (exFAT, some network shares) is refused by its first put.

import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { directoryFailure, errnoOf } from './directory-failure.ts';
import { FileError, readStream } from './directory-file.ts';
import { hasMarker, unmarked } from './directory-marker.ts';
import { createObject, isUploadOf, uploadsFolder } from './directory-upload.ts';
import { checkFolder, checkKey, checkPrefix, isStoreName } from './keys.ts';
import type { GetOptions, ListOptions, PutOptions, PutResult, Store, StoredObject } from './store.ts';

export class DirectoryStore implements Store {
  readonly name: string;
  readonly #root: string;

  /** @param root path of an existing folder */
  constructor(name: string, root: string) {
    this.name = name;
    this.#root = resolve(root);
  }

  async put(key: string, body: Readable | Buffer, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    try {
      await this.#requireMarker();
      return await createObject({ root: this.#root, key, body, signal: options.signal });
    } catch (error) {
      // Whoever feeds the body must not wait for a reader that is gone.
      if (!Buffer.isBuffer(body)) body.destroy();
      options.signal?.throwIfAborted();
      throw this.#translatePut(error, key);
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<Readable> {
    const path = this.#path(checkKey(key));
    try {
      return readStream(
        await openObject(path),
        (error) => directoryFailure(error, this.name, 'read', key),
        options.signal,
      );
    } catch (error) {
      if (!isAbsence(error)) throw directoryFailure(error, this.name, 'read', key);
      await this.#requireRoot();
      throw this.#missing(key);
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<StoredObject> {
    const folder = checkPrefix(prefix).slice(0, prefix.lastIndexOf('/') + 1);
    await this.#requireRoot();
    yield* this.#walk(folder, prefix, options.signal);
  }

  async delete(key: string): Promise<boolean> {
    const path = this.#path(checkKey(key));
    try {
      if (!(await lstat(path)).isFile()) return false;
      await unlink(path);
    } catch (error) {
      if (!isAbsence(error)) throw directoryFailure(error, this.name, 'delete', key);
      await this.#requireRoot();
      return false;
    }
    await this.#removeEmptyFolders(dirname(key));
    return true;
  }

  async sweepUploads(folder: string, olderThanMs: number): Promise<number> {
    checkFolder(folder);
    await this.#requireRoot();
    const uploads = join(this.#root, uploadsFolder);
    let swept = 0;
    try {
      for (const { name } of await readdirOrNothing(uploads))
        if (isUploadOf(name, folder)) swept += await sweepUpload(join(uploads, name), olderThanMs);
    } catch (error) {
      throw directoryFailure(error, this.name, 'sweep uploads');
    }
    return swept;
  }

  #path(key: string): string {
    return join(this.#root, key);
  }

  #missing(key: string): Failure {
    return new Failure('ObjectMissing', `store ${this.name} has no object ${key}`, { store: this.name, key });
  }

  /** To write: its own folder, and not one that lies where its volume should be. */
  async #requireMarker(): Promise<void> {
    if (await this.#asked(() => hasMarker(this.#root))) return;
    await this.#requireFolder();
    throw unmarked(this.name);
  }

  /** To read: a copy of a store needs no marker, but of a folder with nothing in it "no such object" would be a lie. */
  async #requireRoot(): Promise<void> {
    await this.#requireFolder();
    const isEmpty = (await this.#asked(() => readdir(this.#root))).every((name) => !isStoreName(name));
    if (isEmpty) await this.#requireMarker();
  }

  async #requireFolder(): Promise<void> {
    if ((await this.#asked(() => stat(this.#root))).isDirectory()) return;
    throw new Failure('StoreUnreachable', `store ${this.name}: its path is not a folder`, { store: this.name });
  }

  async #asked<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw directoryFailure(error, this.name, 'find its folder');
    }
  }

  /** The body's error is the caller's: only what the file system said is ours to translate. */
  #translatePut(error: unknown, key: string): unknown {
    if (!(error instanceof FileError)) return error;
    const errno = errnoOf(error.cause);
    if (errno === 'EEXIST')
      return new Failure('ObjectExists', `store ${this.name} has ${key} already`, { store: this.name, key });
    // A part of the key is an object, or the key is the head of another: on S3 both would be there.
    if (errno === 'ENOTDIR')
      return new Failure('InvalidInput', `store ${this.name}: a part of ${key} is an object`, {
        store: this.name,
        key,
      });
    return directoryFailure(error.cause, this.name, 'write', key);
  }

  async *#walk(folder: string, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
    for (const entry of await this.#entries(folder)) {
      signal?.throwIfAborted();
      const key = folder + entry.name;
      if (entry.isDirectory()) {
        if (`${key}/`.startsWith(prefix)) yield* this.#walk(`${key}/`, prefix, signal);
      } else if (entry.isFile() && key.startsWith(prefix)) {
        const object = await this.#describe(key);
        if (object !== undefined) yield object;
      }
    }
  }

  /** In the order of keys: a folder sorts as its name with the slash, for `a-b` comes before `a/b`. */
  async #entries(folder: string): Promise<Dirent[]> {
    try {
      const entries = (await readdirOrNothing(join(this.#root, folder))).filter((entry) => isStoreName(entry.name));
      const order = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);
      return entries.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    } catch (error) {
      throw directoryFailure(error, this.name, 'list', folder);
    }
  }

  /** Undefined when it was deleted meanwhile. */
  async #describe(key: string): Promise<StoredObject | undefined> {
    try {
      const { size, mtimeMs } = await stat(this.#path(key));
      return { key, sizeBytes: size, modifiedAtMs: Math.trunc(mtimeMs) };
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw directoryFailure(error, this.name, 'list', key);
    }
  }

  /** rmdir takes empty folders only, so that an object which arrives meanwhile is safe. */
  async #removeEmptyFolders(folder: string): Promise<void> {
    for (let rest = folder; rest !== '.'; rest = dirname(rest)) {
      try {
        await rmdir(this.#path(rest));
      } catch {
        // Not empty, gone already, or not ours to remove: an empty folder holds no object and harms nobody.
        return;
      }
    }
  }
}

/** @throws ENXIO for what is there and is no object */
async function openObject(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw Object.assign(new Error('not a file'), { code: 'ENXIO' });
}

/** There is nothing of that name: no such entry, a folder where a file should be, or the reverse. */
function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENXIO'].includes(errnoOf(error));
}

async function readdirOrNothing(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** An upload under way writes, and so is young. */
async function sweepUpload(path: string, olderThanMs: number): Promise<number> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs < olderThanMs) return 0;
    await unlink(path);
    return 1;
  } catch (error) {
    if (isAbsence(error)) return 0;
    throw error;
  }
}
