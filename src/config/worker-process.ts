// How a worker process is started, so that it stays small: Buffers of a stream are garbage that Node sees late, and glibc
// keeps what each thread once had. Measured over a backup and a restore of 400 MB (docs/performance.md).

/**
 * Node's: a young generation of 1 MiB is collected, with the Buffers that it holds, sixteen times as often as by default. With
 * 4 MiB a process of streams had 286 MiB in a backup and 310 in a restore, with 1 MiB 253 and 264; its CPU seconds are the same.
 */
export const workerNodeFlags = ['--max-semi-space-size=1'] as const;

/**
 * glibc's (macOS has none, and ignores them): two arenas for all threads, and what is freed goes back: pieces of 256 KiB
 * and more are mapped one by one, a MiB at an arena's end is given up. Restore: 264 MiB without these two, 238 with them.
 */
export const workerEnv = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(256 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
} as const;
