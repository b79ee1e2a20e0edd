import { describe, expect, it } from 'vitest';
import { type FileEntry, fileTypes, isSameState } from '../../../src/domain/file-entry.ts';

const file: FileEntry = {
  path: Buffer.from('a'),
  type: 'file',
  mode: 0o644,
  uid: 501,
  gid: 20,
  sizeBytes: 10,
  allocatedBytes: 10,
  mtimeNs: 5n,
  ctimeNs: 6n,
  device: '1',
  inode: '2',
  links: 1,
};

describe('two looks at one path', () => {
  it('show the same file when nothing moved', () => {
    expect(isSameState(file, { ...file, path: Buffer.from('a') })).toBe(true);
  });

  it.each<[string, Partial<FileEntry>]>([
    ['type', { type: 'symlink' }],
    ['size', { sizeBytes: 11 }],
    ['modification time', { mtimeNs: 7n }],
    ['change time', { ctimeNs: 7n }],
    ['inode', { inode: '3' }],
    ['device', { device: '2' }],
  ])('show another when the %s differs', (_what, change) => {
    expect(isSameState(file, { ...file, ...change })).toBe(false);
  });

  it('know every type that a listing can show', () => {
    expect(fileTypes).toEqual(['file', 'directory', 'symlink', 'fifo', 'socket', 'device']);
  });
});
