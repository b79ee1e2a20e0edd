import type { LaneTarget } from '../domain/lane-target.ts';
import { requireProfile } from './profiles.ts';

/** Where the lane's own plist can be, absolute on the Mac: `<label>.plist` in each place that the profile knows. */
export function plistCandidates(target: LaneTarget): string[] {
  const { root } = target.host;
  const macHome = root === '/' ? target.home : target.home.slice(root.length);
  const directories = requireProfile(target.profile).plists.map((glob) =>
    glob.replace('~', macHome).replace(/\/[^/]*$/, ''),
  );
  return [...new Set(directories)].map((directory) => `${directory}/${target.label}.plist`);
}
