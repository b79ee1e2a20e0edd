// A limit on everything, with its arithmetic. Sizes in bytes, times in milliseconds.

import { receiptLimits } from './receipt-limits.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const second = 1000;

export const limits = {
  /** A lane's specification, one activity result: Temporal warns at 256 KB a payload. */
  laneSpecBytes: 16 * KiB,
  /** A lane's slice in every activity input: 2,000 activities × 1 KB = 2 MB of a history's 50 MB. */
  laneTargetBytes: 1 * KiB,
  /** One segment's result in history: 356 B at most, and 102 B for two version ids of S3; 500 × 460 B = 230 KB. */
  segmentResultBytes: 460,

  /** A segment before compression. Losing one to a crash costs 256 MiB ÷ 45 MB/s ≈ 6 s (perf-notes). */
  segmentBytes: 256 * MiB,
  /** Segments of one bundle; past that they grow. 500 × 256 MiB = 125 GiB, the largest three-lane host. */
  segmentsPerBundle: 500,
  /** Members of one segment: their records (≤ 200 B each) are held while it streams, 20 MB. */
  membersPerSegment: 100_000,
  /** A manifest: 500 segments × 1 KB, and room. */
  manifestBytes: 4 * MiB,
  /** A tombstone: some 700 bytes. */
  tombstoneBytes: 4 * KiB,
  /**
   * How long a backup may take from its first step to its manifest: later it is not committed, for what it found in the
   * store may have been expired. 86 GB at the 1 MB/s that streams must keep; RPO is 24 h; the gate asks for one hour.
   */
  longestBackupMs: 24 * 3600 * second,
  /** Bundles whose verdicts go into history, newest first: 900 × 250 B, below Temporal's warning at 256 KB. */
  verdictsShown: 900,
  /** Bundles that one run buries, oldest first, 110 B each; what is left over is for the next run. */
  tombstonesPerRun: 500,
  /** What no manifest names is swept at this age, unless the operator says otherwise: twice the longest backup. */
  sweepMinAgeMs: 48 * 3600 * second,
  /** Objects that are deleted at once. */
  deletesAtOnce: 8,
  /** An index: 100,000 members × ~300 B. */
  indexBytes: 64 * MiB,
  /** Frame of the Encryption SDK: 1 MiB sealed at 124 MB/s against 40 MB/s with 4 KiB (perf-notes). */
  sealFrameBytes: 1 * MiB,
  /** Manifests searched for segments to reuse: a week of daily tiers A, a tier B and a tier C, twice. */
  manifestsSearched: 20,
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
  heartbeatMs: 1 * second,
  heartbeatTimeoutMs: 6 * second,
  /** Streams: 10 minutes and the time at 1 MB/s. */
  streamBaseMs: 600 * second,
  streamBytesPerMs: 1000,

  /** launchd: bootout drains for up to ExitTimeOut, 20 s by default; twice that. */
  bootoutMs: 40 * second,
  /** bootstrap fails with 5 while the old job drains; ~15 s of retries suffice (macos-notes, 1). */
  bootstrapMs: 30 * second,
  pollMs: 500,
  /** A job of launchd's is there, or gone, after some 100 ms: the first look is after this, each later one after twice that. */
  pollFirstMs: 50,

  /**
   * Kept on a lane's volume while its gateway is down: a keychain written anew (64 items × 4 KiB, and its copy), fences
   * and a journal are below 1 MiB; four times that, for a file system's own needs and the gateway's first log.
   */
  ballastBytes: 4 * MiB,
  /** How full a lane's volume may be after a restore (procedure, smoke test): under 80 %. */
  diskFullRatio: 0.8,
  /** A clock further off than this neither locks nor expires anything. */
  clockOffsetMs: 60 * second,
  /** How long `.bak.<epoch>` trees are kept. */
  backupTreeKeptMs: 7 * 24 * 3600 * second,
  /**
   * How much of a gateway's suspension is used. OpenClaw's lease is 120 s from the grant; 30 s are left for the end of
   * the command that got it (a CLI took up to 13 s to start on a busy machine, openclaw-notes) and for resuming.
   */
  suspensionMs: 90 * second,
  /**
   * Databases of the configuration that stay in class 1, in all: tier A's 500 MB (procedure) less 50 MB for all other
   * configuration and 50 MB for what the databases grow by between their listing and their copy.
   */
  classOneDatabaseBytes: 400_000_000,
  /** A bundle that shrank below this share of its predecessor is suspect. */
  suspectShrinkRatio: 0.5,

  /** Lanes of one fleet run: 500 rows × ~1.5 KB (a plan each) = 750 KB of a payload's 2 MB; some 20 events of history each. */
  lanesPerFleet: 500,
  /** Of these at the same time (design, "Time-outs": ≤ 100 children in flight). */
  lanesAtOnce: 100,
  /** Streams of one lane, of one host and of one fleet run at the same time. */
  streamsPerLane: 16,
  streamsPerHost: 32,
  streamsAtOnce: 512,
  /** What a row of a fleet run tells of a lane's failure. */
  rowMessageChars: 600,

  /** fleet.yaml: 500 lanes × ~1 KB, twice. */
  fleetFileBytes: 1 * MiB,
  /** Errors of one fleet.yaml that are shown; more are counted. */
  fleetErrors: 100,
  /** A secret or a key file: an RSA-4096 key is 3.3 KB, a token below 8 KB. */
  secretBytes: 64 * KiB,
  /** A command that gives a secret (a password manager, a cloud's secret store). */
  secretCommandMs: 10 * second,
  /** A store's key: S3 takes 1,024 bytes; one name on a file system 255. */
  storeKeyBytes: 512,
  storeNameBytes: 200,
  /** A part of an S3 upload: 10,000 of them (S3's most) make 78 GiB, a segment has 4 GiB; all of one size, as R2 wants. */
  s3PartBytes: 8 * MiB,
  s3Parts: 10_000,
  /** Parts of one object on their way while the next one fills: a put holds 3 × 8 MiB, whatever its size. */
  s3PartsInFlight: 2,
  /** Tries of one request to S3: the SDK waits up to 20 s between them. */
  s3Attempts: 4,
  /** A version id that goes into history (AWS's have 32 characters): two of a segment in its 460 bytes. */
  versionIdBytes: 36,

  /** Attempts of choosing a bundle before a silent store is given up for its replica: after 0.5 + 1 + 2 + 4 s. */
  storeTries: 5,
  /** A database that is checked in a worker's own memory: twice that for a moment, while its peak is 256 MiB (perf-notes). */
  verifyDatabaseBytes: 64 * MiB,
  /** Of the memory that a machine can spare, what one larger database may take: three lanes may be verified at once. */
  verifyMemoryShare: 0.25,
  /** Databases without room that are named in a result, 70 bytes each. */
  uncheckedShown: 20,
  /** One step of a copy or a verification: 256 MiB at 1 MB/s is under five minutes, 20 segments a result below 10 KB. */
  copyBatchBytes: 256 * MiB,
  copyBatchSegments: 20,

  /**
   * What goes from one step of a stream to the next at once: SSH gives 32 KiB, zlib 16. Measured with 212 MB, CPU seconds
   * a GB: zstd 10.1 with those, 3.5 with 256 KiB each way; a whole backup's CPU is the same with 128. A stream holds some ten.
   */
  pieceBytes: 128 * KiB,
  /** Level 3: 147 MB/s at 1.55:1, level 1 191 MB/s at 1.50:1 (perf-notes). */
  zstdLevel: 3,
  /** Members of an old script's archive: their names are held while it is read, 1,000,000 × ~400 B = 400 MB. */
  archiveMembers: 1_000_000,
  /** What may come out of one: the largest three-lane host (120 GB), eight times. */
  archivePlainBytes: 1024 ** 4,
  /** What a frame may ask of the reader's memory: level 3 writes windows of 2^21 bytes, 2^23 is four times that. */
  zstdWindowLog: 23,
  /** Design: vault and recovery key, both renewed at once, and some to spare; each costs 512 B a sealed object. */
  recipientsPerBundle: 8,
  /** RSA keys below 3072 bits are short of 128-bit security (NIST SP 800-57); ours have 4096. */
  recipientKeyBits: 3072,
  /** Long headers (pax, GNU) before one tar member: two paths of 4096 B and some forty short records. */
  tarHeaderBytes: 64 * KiB,
  /** Keychain items of one bundle: 64 items × (1,700 B value in base64, two names of 255 B), and room. */
  secretsBytes: 1 * MiB,

  /** Connections of one worker to one host: 5 × 8 channels; several workers stay inside macOS's 42 (macos-notes, 4). */
  connectionsPerHost: 5,
  /** Of macOS's 42, what the processes of one worker take of a host together; two are left for people. */
  connectionsPerHostInAll: 40,
  /** A worker's processes: each takes some 300 MB, and one core when it streams. */
  workerProcesses: 32,
  /** A worker process that ended unasked is started again after a second, twice that the next time, up to half a minute. */
  restartFirstMs: 1 * second,
  restartLongestMs: 30 * second,
  restartSoundMs: 60 * second,
  /** How long a worker whose owner is gone may take for its shutdown: the grace of its activities, and as much again. */
  orphanMs: 10 * second,
  /** An unused connection is closed after this. */
  connectionIdleMs: 60 * second,
  /** `security -i` reads 4,095 bytes of a line, the newline among them; the rest would be taken for another command. */
  keychainLineBytes: 4094,
  /** stderr of a short command: `security -g` prints a value of a whole line as hex and as octal escapes, 6 × 4 KiB. */
  commandErrorBytes: 64 * KiB,
  /** ~/.clawback/report: some thousand names; the older half goes first. */
  reportBytes: 1 * MiB,
  /** Names of one command's complaints that go into the report. */
  reportLines: 200,
  /** Between TERM and KILL of a process under a lost fence, and between KILL and giving up. */
  fenceTermMs: 5 * second,
  fenceKillMs: 20 * second,
  /** A job that has run this long after its start counts as running: one that exits at once is gone by then. */
  launchdStableMs: 1500,
  /** A launchd plist (procedure: all of a lane's are below 100 KB). */
  plistBytes: 100 * KiB,
  /** One command over SSH: Linux takes 128 KiB in one argument, and the login shell gets it all as one; room for its own. */
  commandLineBytes: 120 * KiB,
  /**
   * How long a backup waits for a queue without a worker. Temporal remembers a poller for five minutes, so a worker that is
   * restarted is not missed at all; this is for one that starts just now, which takes some 15 s.
   */
  pollerWaitMs: 60 * second,
  /** Between the look for a bundle's objects and its manifest: 40 lists of 1,000 objects at 0.2 s, and 4 MiB at 1 MB/s, ×5. */
  commitMs: 60 * second,
  /** How long a refused channel is asked for again: sshd frees a session when it has reaped its process. */
  channelOpenMs: 5 * second,

  /** One activity waits so long for a lost host: some 150 events of history a day. */
  lostHostKnockMs: 3600 * second,
  /** Lanes of one host: macOS's 42 connections would not serve more. */
  lanesPerHost: 64,
  /** A placement is vouched for when its keeper starts: a restart of the vault worker in between, and clocks. */
  vouchedMs: 600 * second,
  /** A lost host is knocked at so often: it is to be stopped within a minute of answering; a try takes up to 10 s. */
  lostHostEveryMs: 15 * second,

  ...receiptLimits,

  /** Removing class 3 of a lane: 1,000,000 small files at some 2,000/s, and room. */
  pruneMs: 900 * second,

  /** What a hook may answer: six short fields. */
  hookAnswerBytes: 64 * KiB,
  /** Between TERM and KILL of a hook's process group. */
  hookTermMs: 2 * second,
  /** Between two attempts of a hook: 1, 2, 4 s. */
  hookPauseMs: 1 * second,
  /** One call of a hook, all its attempts: 5 × 4 h, and their pauses. */
  hookLongestMs: 21 * 3600 * second,
  /** A secret that is looked for in answers: a shorter one would be found in numbers and versions. */
  hookSecretBytes: 6,

  /** The watch runs each 50 s. One look at a host: 10 s to connect, 25 s to look; then what it remembers. */
  watchLookMs: 40 * second,
  watchGapMs: 210 * second, // three missed runs
  watchSignals: 1_000, // ~150 B each, five for each of 200 hosts
} as const;
