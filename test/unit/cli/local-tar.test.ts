import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { findTar, unpackTar } from '../../../src/cli/local-tar.ts';

const chunkBytes = 64 * 1024;
let dir: string;
let archive: Buffer;
let content: Buffer;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clawback-tar-'));
  mkdirSync(join(dir, 'out'));
  content = randomBytes(5_000_000);
  writeFileSync(join(dir, 'file'), content);
  archive = execFileSync('tar', ['-cf', '-', '-C', dir, 'file'], { maxBuffer: 1e8 });
  return () => rmSync(dir, { recursive: true });
});

const pieces = function* (bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
};

async function unpack(source: Readable): Promise<string> {
  let complaints = '';
  const onComplaint = (text: string): void => {
    complaints += text;
  };
  const through = new PassThrough();
  await unpackTar([source, through], { tar: await findTar(), directory: join(dir, 'out'), onComplaint });
  return complaints;
}

describe("unpacking with this machine's tar", () => {
  it('brings back what is far larger than a pipe holds', async () => {
    await unpack(Readable.from(pieces(archive)));
    expect(readFileSync(join(dir, 'out/file')).equals(content)).toBe(true);
  });

  it('takes in all that comes behind the end mark, though tar has left by then', async () => {
    let taken = 0;
    const counted = function* (): Generator<Buffer> {
      for (const piece of pieces(Buffer.concat([archive, Buffer.alloc(8_000_000)]))) {
        taken += piece.length;
        yield piece;
      }
    };
    await unpack(Readable.from(counted()));
    expect(taken).toBe(archive.length + 8_000_000);
  });

  it('fails as TarFailed for what is no tar, and tells what tar said', async () => {
    let said = '';
    const request = {
      tar: await findTar(),
      directory: join(dir, 'out'),
      onComplaint: (text: string) => void (said += text),
    };
    await expect(unpackTar([Readable.from([randomBytes(200_000)])], request)).rejects.toMatchObject({
      code: 'TarFailed',
    });
    expect(said).not.toBe('');
  });

  it('fails with the error of what stands before it', async () => {
    const broken = Readable.from(
      (function* () {
        yield archive.subarray(0, 200_000);
        throw new Error('the store is gone');
      })(),
    );
    await expect(unpack(broken)).rejects.toThrow('the store is gone');
  });
});
