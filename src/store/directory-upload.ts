// How a directory store creates an object: a file of its own below `.uploads`, brought to the medium, then linked to
// its name, which fails when the name is taken. Killed at whatever moment, it leaves at most the upload, whose name
// begins with the key's first one: a sweep of one lane leaves the others' alone.

import { randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { errnoOf } from './directory-failure.ts';
import { asFileError, syncDirectory, type Written, writeBody } from './directory-file.ts';

export const uploadsFolder = '.uploads';

/** `<first name of the key>.<uuid>`: at most 200 + 37 of the 255 bytes that a file system gives a name. */
function uploadName(key: string): string {
  return `${key.split('/', 1)[0]}.${randomUUID()}`;
}

/** Is it an upload of a key below this folder? */
export function isUploadOf(name: string, folder: string): boolean {
  return name.startsWith(`${folder}.`) && name.length === `${folder}.`.length + uuidLength;
}
const uuidLength = 36;

/** A delete may remove the folder that a put has just made; it is made again, and this often at most. */
const linkAttempts = 20;

export interface NewObject {
  readonly root: string;
  readonly key: string;
  readonly body: Readable | Buffer;
  readonly signal: AbortSignal | undefined;
}

/** @throws FileError for what the file system says; the body's own error; the signal's abort */
export async function createObject(object: NewObject): Promise<Written> {
  const upload = join(object.root, uploadsFolder, uploadName(object.key));
  try {
    const file = await asFileError(openUpload(upload));
    const written = await fill(file, object);
    object.signal?.throwIfAborted();
    await asFileError(linkInto(upload, object));
    return written;
  } finally {
    // What cannot be removed now (a lost connection to the medium), a sweep removes.
    await unlink(upload).catch(() => undefined);
  }
}

async function openUpload(upload: string): Promise<FileHandle> {
  await mkdir(dirname(upload), { mode: 0o700 }).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
  return open(upload, 'wx', 0o600);
}

async function fill(file: FileHandle, { body, signal }: NewObject): Promise<Written> {
  try {
    return await writeBody(file, body, signal);
  } finally {
    await asFileError(file.close());
  }
}

async function linkInto(upload: string, { root, key }: NewObject): Promise<void> {
  const path = join(root, key);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await link(upload, path);
      return await syncUp(dirname(path), root);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === linkAttempts) throw error;
    }
    // Swept, or the whole store gone: making folders again would hide it.
    await stat(upload);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  }
}

/** Up to the root each time: a folder may have been made by another put that has not synced it yet. */
async function syncUp(folder: string, root: string): Promise<void> {
  await syncDirectory(folder);
  if (folder !== root) await syncUp(dirname(folder), root);
}
