// How the rows of `npm run faults` read on a terminal.

import type { CutRow } from './power-cuts.ts';
import type { Row } from './run-row.ts';
import type { StoreRow } from './store-rows.ts';

export function textOfRow(row: Row): string {
  const { activity, fault, operation, profile, outcome, lane, gatewayUp, resumedMs, elapsedMs, broken } = row;
  const counts = `resent ${row.resentSegments}  overwritten ${row.overwritten}  left ${row.leftovers}`;
  return lines(broken, [
    activity.padEnd(19),
    fault.padEnd(11),
    operation.padEnd(21),
    profile.padEnd(14),
    outcome.padEnd(24),
    lane.padEnd(9),
    gatewayUp ? 'up  ' : 'DOWN',
    counts,
    `${(elapsedMs / 1000).toFixed(1)} s`,
    resumedMs === null ? '' : `resumed ${(resumedMs / 1000).toFixed(1)} s`,
  ]);
}

export function textOfStoreRow(row: StoreRow): string {
  const { request, fault, operation, outcome, lane, gatewayUp, elapsedMs, broken } = row;
  const counts = `resent ${row.resentSegments}  overwritten ${row.overwritten}  left ${row.leftovers}`;
  return lines(broken, [
    `store: ${request}`.padEnd(24),
    fault.padEnd(13),
    operation.padEnd(8),
    outcome.padEnd(24),
    lane.padEnd(9),
    gatewayUp ? 'up  ' : 'DOWN',
    counts,
    `${(elapsedMs / 1000).toFixed(1)} s`,
  ]);
}

export function textOfCut({ operation, after, profile, lane, broken }: CutRow & { readonly profile: string }): string {
  return lines(broken, [
    'power cut'.padEnd(19),
    `command ${after}`.padEnd(11),
    operation.padEnd(21),
    profile.padEnd(14),
    lane,
  ]);
}

function lines(broken: readonly string[], columns: readonly string[]): string {
  const line = [broken.length === 0 ? 'ok    ' : 'BROKEN', ...columns].join('  ').trimEnd();
  return [line, ...broken.map((why) => `       ${why}`)].join('\n');
}
