// Why a file of the lane is not in a bundle. Counted by reason in the manifest, by name only in sealed indexes and
// in the lane's own report.

export const omissionReasons = [
  /** Below a glob of the operator's `exclude`. */
  'excluded',
  /** Class 3: rebuilt from a lockfile or at first run. */
  'rebuildable',
  /** Lock files and the like, which mean nothing on another day. */
  'volatile',
  /** `-wal`, `-shm` and `-journal` of a database that is taken with the online backup. */
  'database-sidecar',
  'socket',
  'fifo',
  'device',
  /** Of a component that the tier does not hold. */
  'other-tier',
  /** A database of the configuration that is class 2 because of its size, in a bundle that holds no class 2. */
  'too-large-for-tier-a',
  /** In no tree of the profile, or a directory of the host. */
  'outside',
  /** Gone when it was read. */
  'vanished',
  /** In an archive of the old scripts: of another account, or the plist of another label. */
  'other-lane',
  /** In an archive of the old scripts: `._name`, what macOS's tar keeps of a file's extended attributes. */
  'apple-double',
] as const;

/**
 * Counted beside the omissions, though the bundle holds them: hard links of a file of another component lie in that one's
 * segments, and a restore of their own component alone leaves them out.
 */
export const linkedElsewhere = 'linked-elsewhere';

export type OmissionReason = (typeof omissionReasons)[number];

export interface Omission {
  readonly path: Buffer;
  readonly reason: OmissionReason;
}
