import { type LaneTarget, macHome } from '../domain/lane-target.ts';
import { requireProfile } from './profiles.ts';

/** Where the lane's own plist can be, absolute on the Mac: `<label>.plist` in each place that the profile knows. */
export function plistCandidates(target: LaneTarget): string[] {
  const home = macHome(target);
  const directories = requireProfile(target.profile).plists.map((glob) =>
    glob.replace('~', home).replace(/\/[^/]*$/, ''),
  );
  return [...new Set(directories)].map((directory) => `${directory}/${target.label}.plist`);
}
