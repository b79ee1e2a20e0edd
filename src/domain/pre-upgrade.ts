// Which bundle was taken before an upgrade that went wrong. Pure.

import { compareVersions } from './version.ts';
import type { Tier } from './terms.ts';

/** A good bundle: checked, not suspect, not given up. */
export interface VersionedBundle {
  readonly bundle: string;
  readonly tier: Tier;
  readonly capturedAt: string;
  /** OpenClaw's; null when it could not be read. */
  readonly version: string | null;
}

export interface PreUpgrade<B extends VersionedBundle = VersionedBundle> {
  readonly chosen: B;
  /**
   * `before-upgrade`: nothing good was captured since. `overtaken`: the present version has good bundles, too, so that
   * going back loses what they have. `no-upgrade`: no bundle is of another version.
   */
  readonly because: 'before-upgrade' | 'overtaken' | 'no-upgrade';
}

/** These hold class 2. */
const whole: readonly Tier[] = ['B', 'C'];

/**
 * The newest bundle with class 2 of another version than the present one, and not of a newer one than the last that is
 * known to have been captured before: an upgrade by two steps is gone back from to where it began, not to its middle.
 * @param newestFirst all good bundles of a lane
 * @param now OpenClaw's version on the host; null when it does not tell
 */
export function preUpgradeOf<B extends VersionedBundle>(
  newestFirst: readonly B[],
  now: string | null,
): PreUpgrade<B> | undefined {
  const others = newestFirst.filter(({ version }) => version !== null && version !== now);
  const worked = others[0]?.version ?? null;
  const before = others.find(
    ({ tier, version }) =>
      whole.includes(tier) && version !== null && worked !== null && compareVersions(version, worked) <= 0,
  );
  if (before) return { chosen: before, because: newestFirst[0] === others[0] ? 'before-upgrade' : 'overtaken' };
  const newest = newestFirst.find(({ tier }) => whole.includes(tier));
  return newest && { chosen: newest, because: 'no-upgrade' };
}
