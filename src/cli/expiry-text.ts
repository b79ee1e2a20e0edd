// What expiry did, or would do, as people read it. Pure.

import type { ExpiryResult, ExpiryVerdict, StoreExpiry } from '../contract/expiry.ts';
import { formatBytes, formatInstant, formatTable, plural } from './format.ts';

export function expiryText({ lane, dryRun, timeZone, stores }: ExpiryResult): string {
  return stores.map((one) => storeText(lane, one, { dryRun, timeZone })).join('\n\n');
}

function storeText(
  lane: string,
  one: StoreExpiry,
  { dryRun, timeZone }: Pick<ExpiryResult, 'dryRun' | 'timeZone'>,
): string {
  const head = `lane ${lane} in store ${one.store}`;
  const left = one.bundlesTotal - one.bundles.length;
  const table = [
    formatTable(
      ['bundle', 'tier', ''],
      one.bundles.map((verdict) => rowOf(verdict, timeZone)),
    ),
    ...(left > 0 ? [`and ${plural(left, 'older bundle')}`] : []),
  ];
  if (one.standsStill !== null) return [`${head}: EXPIRY STANDS STILL: ${one.standsStill}`, ...table].join('\n');
  if (dryRun) return [`${head}: ${planned(one)}`, ...table].join('\n');
  return `${head}: ${doneText(one, timeZone)}`;
}

function planned({ bundles, expiringBytes }: StoreExpiry): string {
  const count = (state: ExpiryVerdict['state']): number => bundles.filter((one) => one.state === state).length;
  return `${plural(count('expires'), 'bundle')} would get a tombstone, ${count('due')} would be removed; in the end ${formatBytes(expiringBytes)} are freed`;
}

function doneText(one: StoreExpiry, timeZone: string): string {
  return [
    `${plural(one.removedBundles.length, 'bundle')} removed, with ${plural(one.removedObjects, 'object')} (${formatBytes(one.removedBytes)})`,
    `${plural(one.buried, 'bundle')} got a tombstone`,
    ...(one.reprieved > 0 ? [`${plural(one.reprieved, 'bundle')} kept again`] : []),
    ...(one.lockedObjects > 0 ? [lockedText(one, timeZone)] : []),
    ...(one.staleUploads > 0 ? [`${plural(one.staleUploads, 'unfinished upload')} removed`] : []),
  ].join('; ');
}

/** @param timeZone left out: the machine's own */
export function lockedText(
  { lockedObjects, lockedUntil }: Pick<StoreExpiry, 'lockedObjects' | 'lockedUntil'>,
  timeZone?: string,
): string {
  const until = lockedUntil === null ? '' : `, at the latest until ${formatInstant(lockedUntil, timeZone)}`;
  return `${plural(lockedObjects, 'object')} still locked${until}`;
}

function rowOf({ bundle, tier, state, reasons, goesAt }: ExpiryVerdict, timeZone: string): string[] {
  const when = goesAt === null ? '' : formatInstant(goesAt, timeZone);
  const what: Readonly<Record<ExpiryVerdict['state'], string>> = {
    kept: `kept: ${reasons.join(', ')}`,
    reprieved: `to be kept again: ${reasons.join(', ')}`,
    expires: 'gets a tombstone',
    tombstoned: `tombstoned, goes after ${when}`,
    due: 'to be removed, its grace is over',
    distrusted: 'stays: its tombstone is not signed by a key of the fleet',
  };
  return [bundle, tier, what[state]];
}
