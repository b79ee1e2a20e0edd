// Dotted version numbers, as OpenClaw has them (2026.9.6). Suffixes after a dash are ignored.

function numbersOf(version: string): number[] {
  return (version.split('-')[0] ?? '').split('.').map((part) => Number.parseInt(part, 10) || 0);
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`; missing parts count as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `from` ≤ version < `below`. */
export function isVersionWithin(version: string, range: { readonly from: string; readonly below: string }): boolean {
  return compareVersions(version, range.from) >= 0 && compareVersions(version, range.below) < 0;
}
