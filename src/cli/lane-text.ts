// The state of a lane in words. Pure.

import { describeFailure } from '../domain/failure.ts';
import { formatInstant } from './format.ts';
import type { GatewayState, LaneState, RestoreState, Seen } from './lane-probe.ts';

export function gatewayText(gateway: Seen<GatewayState>): string {
  if ('unseen' in gateway) return `unknown: ${gateway.unseen.message}`;
  const { loaded, disabled, pid, lastExit, healthy } = gateway.seen;
  if (healthy) return `healthy (pid ${pid})`;
  if (pid !== null) return `running (pid ${pid}), but its health check fails`;
  const why = [
    loaded ? 'its job is loaded' : 'its job is not loaded',
    ...(disabled ? ['disabled'] : []),
    ...(lastExit === null ? [] : [`last exit status ${lastExit}`]),
  ];
  return `down: ${why.join(', ')}`;
}

const phases: Readonly<Record<string, string>> = {
  open: 'it goes back to the old tree',
  committed: 'it goes forward to its end',
  undo: 'it goes back to the old tree',
};

export function restoreText(restore: Seen<RestoreState>, lane: string): string {
  if ('unseen' in restore) return `unknown: ${restore.unseen.message}`;
  const { unsettled, kept } = restore.seen;
  if (unsettled)
    return `${unsettled.restore} is half done; while a worker runs, ${phases[unsettled.phase] ?? 'it is put right'} by itself, as a rule within a minute`;
  if (!kept) return 'none half done, none to undo';
  return `committed ${formatInstant(kept.restoredAt)}; what it replaced is kept until ${formatInstant(kept.until)} at least (./clawback restore ${lane} --undo)`;
}

/** One line. */
export function laneLine({ lane, gateway, restore }: LaneState): string {
  const unsettled = 'seen' in restore && restore.seen.unsettled !== null;
  const settled = 'seen' in restore ? '; no restore is half done' : '';
  const rest = unsettled ? `; the restore ${restoreText(restore, lane)}` : settled;
  return `lane ${lane}: gateway ${gatewayText(gateway)}${rest}`;
}

function told({ code, message }: Extract<Seen<unknown>, { readonly unseen: unknown }>['unseen']): string {
  return describeFailure(code, message).replace('\nHINT:', ';');
}

/** What wants a human's eyes. */
export function laneConcerns({ lane, gateway, restore }: LaneState): string[] {
  const concerns: string[] = [];
  if ('unseen' in gateway) concerns.push(`${lane}: ${told(gateway.unseen)}`);
  else if (!gateway.seen.healthy) concerns.push(`${lane}: its gateway is ${gatewayText(gateway)}`);
  if ('unseen' in restore && !('unseen' in gateway))
    concerns.push(`${lane}: its journal is unknown: ${told(restore.unseen)}`);
  if ('seen' in restore && restore.seen.unsettled) concerns.push(`${lane}: the restore ${restoreText(restore, lane)}`);
  return concerns;
}
