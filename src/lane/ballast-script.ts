// The shell side of the ballast, as text for scripts that run as the lane's user: a file that keeps some room of the
// lane's volume while its gateway is down, and goes when that room is needed.

import type { LaneTarget } from '../domain/lane-target.ts';
import { toolPath } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { quoteArgv } from './quote.ts';

/** In a staging tree, and gone with it. */
export const ballastName = 'ballast';

/**
 * `free_kib` prints how much is free on the volume of a path: the field before the percentage, for names may hold blanks.
 * Needs no room.
 */
function freeFunction(target: LaneTarget): string {
  const df = quoteArgv([toolPath(target.host, 'df')]);
  return `free_kib() { ${df} -Pk "$1" 2>/dev/null | awk 'END { for (at = 2; at <= NF; at++) if ($at ~ /^[0-9]+%$/) { print $(at - 1); exit } }'; }
`;
}

/**
 * Gives the room back, where there is less left than that; nothing where no ballast lies. Emptied where it cannot be
 * removed, as is told of full APFS volumes (not yet seen on a Mac).
 */
export function giveRoomText(target: LaneTarget): string {
  const stages = quoteArgv([`${target.home}/.clawback/stage`]);
  return `${freeFunction(target)}for ballast in ${stages}/*/${ballastName}; do
  [ -f "$ballast" ] || continue
  [ "$(free_kib "$ballast")" -lt ${limits.ballastBytes / 1024} ] 2>/dev/null || continue
  rm -f "$ballast" 2>/dev/null || : >"$ballast"
  sync
done
`;
}
