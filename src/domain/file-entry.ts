// One file of a lane as the listing shows it. Names are bytes: a file system holds names that are not UTF-8.

export const fileTypes = ['file', 'directory', 'symlink', 'fifo', 'socket', 'device'] as const;
export type FileType = (typeof fileTypes)[number];

export interface FileEntry {
  /** Relative to the lane's home (or to the host's root for logs and plists), no leading `./` or `/`. */
  readonly path: Buffer;
  readonly type: FileType;
  /** Permission bits, 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** What the file occupies; far below `sizeBytes` for a sparse file. */
  readonly allocatedBytes: number;
  /** Modification and change time: nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly device: string;
  readonly inode: string;
  readonly links: number;
}

/**
 * Does a clone have what its original had? It is another inode, made just now. Times to the microsecond: a cp that sets
 * them may know no finer ones.
 */
export function isSameContent(original: FileEntry, clone: FileEntry): boolean {
  if (original.type !== clone.type || original.sizeBytes !== clone.sizeBytes) return false;
  return original.type !== 'file' || original.mtimeNs / 1000n === clone.mtimeNs / 1000n;
}

/** Do two looks at one path show the same unchanged file? */
export function isSameState(before: FileEntry, after: FileEntry): boolean {
  return (
    before.type === after.type &&
    before.sizeBytes === after.sizeBytes &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs &&
    before.inode === after.inode &&
    before.device === after.device
  );
}
