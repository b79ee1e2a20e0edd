import { describe, expect, it } from 'vitest';
import { type FileEntry, fileTypes, isSameContent, isSameState } from '../../../src/domain/file-entry.ts';

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

describe('a clone', () => {
  const clone: FileEntry = { ...file, inode: '77', ctimeNs: 99n };

  it('has what its original had, though it is another inode', () => {
    expect(isSameContent(file, clone)).toBe(true);
    expect(isSameContent({ ...file, mtimeNs: 5_999n }, { ...clone, mtimeNs: 5_000n })).toBe(true);
  });

  it.each<[string, Partial<FileEntry>]>([
    ['type', { type: 'symlink' }],
    ['size', { sizeBytes: 11 }],
    ['modification time', { mtimeNs: 1_005n }],
  ])('has another %s when its original changed before it was made', (_what, change) => {
    expect(isSameContent(file, { ...clone, ...change })).toBe(false);
  });

  it('of a link or folder may have a time of its own', () => {
    expect(isSameContent({ ...file, type: 'symlink' }, { ...clone, type: 'symlink', mtimeNs: 9_999n })).toBe(true);
  });
});
