// Limits of the 7-day gate, with their arithmetic. Times in milliseconds.

export const gateLimits = {
  /** The gate (procedure, "The 7-day gate"): the disk's looks, 288 in 72 hours; of these may be missing; its trend stays below. */
  sampleMs: 15 * 60 * 1000,
  missingRatio: 0.1,
  diskBrimRatio: 0.9,
  /** The gate asks a full tier B to be done in under an hour. */
  fullBackupMs: 3600 * 1000,
  /** Memory in use on a host that is to be qualified: 1.6 of its 16 GB (procedure, "Setting") are left for what a drill needs. */
  memoryRatio: 0.9,
  /** A short day, for demonstrations: timers below a second cost one. */
  shortestDayMs: 2 * 1000,
  /** Beyond the RPO, a nightly backup may end that much later than the one before. */
  rpoGraceMs: 3600 * 1000,
  /** Changes that sent a gate back to day 1, newest first; and what a day tells. */
  rearmsTold: 10,
  texts: 40,
} as const;
