// Sizes and times as people read them.

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1.2 GB`: decimal units, as disks and stores count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let at = 0;
  // 999.95 would be shown as 1000.0
  while (value >= 999.95 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

/** Of a volume, as `df` tells it. */
export interface DiskUse {
  readonly usedBytes: number;
  /** As its users may have it: what is reserved is not in it. */
  readonly freeBytes: number;
}

/**
 * How full a volume is, 0 to 1: the share that df's capacity column shows, of what users may fill. (Of the whole size it
 * would be less on a volume with a reserve, and on APFS, where the size is the container's; nobody would see that number.)
 * @param moreBytes that are to come
 */
export function usedRatioOf({ usedBytes, freeBytes }: DiskUse, moreBytes = 0): number {
  const room = usedBytes + freeBytes;
  return room === 0 ? 1 : (usedBytes + moreBytes) / room;
}

const parts = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** `3 m 20 s`, `1 h 5 m`: the two largest units. Below ten seconds a tenth is shown. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  let rest = Math.round(ms / 1000);
  const shown: string[] = [];
  for (const [unit, seconds] of parts) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) shown.push(`${count} ${unit}`);
    else if (shown.length > 0) break;
    if (shown.length === 2) break;
  }
  return shown.join(' ');
}
