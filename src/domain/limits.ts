// A limit on everything, with its arithmetic. Sizes in bytes, times in milliseconds.

const KiB = 1024;
const MiB = 1024 * KiB;
const second = 1000;

export const limits = {
  /** A lane's specification, one activity result: Temporal warns at 256 KB a payload. */
  laneSpecBytes: 16 * KiB,
  /** A lane's slice in every activity input: 2,000 activities × 1 KB = 2 MB of a history's 50 MB. */
  laneTargetBytes: 1 * KiB,
  /** One segment's result in history: 500 × 400 B = 200 KB. */
  segmentResultBytes: 400,

  /** A segment before compression. Losing one to a crash costs 256 MiB ÷ 45 MB/s ≈ 6 s (perf-notes). */
  segmentBytes: 256 * MiB,
  /** Segments of one bundle; past that they grow. 500 × 256 MiB = 125 GiB, the largest three-lane host. */
  segmentsPerBundle: 500,
  /** Members of one segment: their records (≤ 200 B each) are held while it streams, 20 MB. */
  membersPerSegment: 100_000,
  /** A manifest: 500 segments × 1 KB, and room. */
  manifestBytes: 4 * MiB,
  /** An index: 100,000 members × ~300 B. */
  indexBytes: 64 * MiB,
  /** Frame of the Encryption SDK: 1 MiB sealed at 124 MB/s against 40 MB/s with 4 KiB (perf-notes). */
  sealFrameBytes: 1 * MiB,
  /** A member younger than this may change again within its mtime's granularity: never reused. */
  settledAgeMs: 2 * second,
  /** Rounds of the supplement before a moving file fails the bundle. */
  supplementRounds: 3,

  /** One path on APFS or ext4 (PATH_MAX). */
  pathBytes: 4096,
  /** What a short command may print before it is an error; listings are streamed. */
  commandOutputBytes: 1 * MiB,
  /** `security -i` reads lines of 4096 bytes (macos-notes, 2): 600 for the verb and names, hex doubles the value. */
  keychainValueBytes: 1700,
  keychainItems: 64,

  /** SSH: OpenSSH's MaxSessions is 10 a connection. */
  channelsPerConnection: 8,
  connectTimeoutMs: 10 * second,
  keepAliveIntervalMs: 2 * second,
  keepAliveCount: 3,
  /** A stream without a byte for this long has stalled (design, "Time-outs"). */
  streamStallMs: 60 * second,
  /** A short command. */
  commandTimeoutMs: 60 * second,

  /** Activities beat by timer; a dead worker is noticed after the time-out. */
  heartbeatMs: 2 * second,
  heartbeatTimeoutMs: 8 * second,
  /** Streams: 10 minutes and the time at 1 MB/s. */
  streamBaseMs: 600 * second,
  streamBytesPerMs: 1000,

  /** launchd: bootout drains for up to ExitTimeOut, 20 s by default; twice that. */
  bootoutMs: 40 * second,
  /** bootstrap fails with 5 while the old job drains; ~15 s of retries suffice (macos-notes, 1). */
  bootstrapMs: 30 * second,
  pollMs: 500,

  /** How full a lane's volume may be after a restore (procedure, smoke test): under 80 %. */
  diskFullRatio: 0.8,
  /** A clock further off than this neither locks nor expires anything. */
  clockOffsetMs: 60 * second,
  /** How long `.bak.<epoch>` trees are kept. */
  backupTreeKeptMs: 7 * 24 * 3600 * second,
  /** A bundle that shrank below this share of its predecessor is suspect. */
  suspectShrinkRatio: 0.5,
} as const;
