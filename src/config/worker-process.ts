// How a worker process is started, so that it stays small: Buffers of a stream are garbage that Node sees late, and glibc
// keeps what each thread once had. Measured over a backup of 300 MB (docs/performance.md): 360 MB at most without
// these, 239 MB with them.

/** Node's: a young generation of 4 MiB is collected, with the Buffers that it holds, four times as often. */
export const workerNodeFlags = ['--max-semi-space-size=4'] as const;

/** glibc's (macOS has none, and ignores it): two arenas for all threads. */
export const workerEnv = { MALLOC_ARENA_MAX: '2' } as const;
