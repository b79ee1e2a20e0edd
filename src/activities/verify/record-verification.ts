// Keeps what a verification found: when each segment was opened, and which are bad. The record before is read again at
// the last moment, so that what another run found meanwhile is not lost.

import type { VaultSteps } from '../../contract/steps.ts';
import type { Manifest } from '../../bundle/manifest.ts';
import type { Coverage, VerifyFindings, VerifyRecord } from '../../contract/verify.ts';
import type { Deps } from '../deps.ts';
import { goodManifests, listBundles } from '../manifests.ts';
import { activity } from '../step.ts';
import { comparableOf, type Named } from './comparable.ts';
import { newestRecord, writeRecord } from './records.ts';

export function recordVerificationStep(deps: Deps): VaultSteps['recordVerification'] {
  return activity(async (findings, { signal }) => {
    const manifests = await manifestsOf(deps, findings, signal);
    const suffixes = suffixesOf(manifests);
    const before = await newestRecord(deps, findings, signal);
    const record = recordOf(findings, suffixes, before, new Date());
    await writeRecord(deps, findings, record, signal);
    return {
      ...openedCoverage(record, namedBy(suffixes), findings.withinMs),
      ...comparedCoverage(record, comparableOf(manifests), findings.withinMs),
    };
  });
}

/** By bundle and segment, of all bundles that are there now. */
type Suffixes = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Newest first. */
async function manifestsOf(
  deps: Deps,
  { fleet, lane, store }: VerifyFindings,
  signal: AbortSignal,
): Promise<Manifest[]> {
  const request = { fleet, lane, store, signal };
  const manifests: Manifest[] = [];
  for await (const { manifest } of goodManifests(deps, request, await listBundles(deps, request)))
    manifests.push(manifest);
  return manifests;
}

function suffixesOf(manifests: readonly Manifest[]): Suffixes {
  return new Map(
    manifests.map(({ bundle, segments }) => [bundle, new Map(segments.map(({ id, suffix }) => [id, suffix]))]),
  );
}

function namedBy(suffixes: Suffixes): ReadonlySet<string> {
  return new Set([...suffixes.values()].flatMap((byId) => [...byId.values()]));
}

/** What no manifest names any more is forgotten. */
function recordOf(
  { fleet, lane, opened, compared, bad }: VerifyFindings,
  suffixes: Suffixes,
  before: VerifyRecord | undefined,
  now: Date,
): VerifyRecord {
  const at = now.toISOString();
  const named = namedBy(suffixes);
  const suffixOf = (bundle: string, segment: string): string[] => {
    const suffix = suffixes.get(bundle)?.get(segment);
    return suffix === undefined ? [] : [suffix];
  };
  const suffixesIn = (batches: VerifyFindings['opened']): string[] =>
    batches.flatMap(({ bundle, segments }) => segments.flatMap((id) => suffixOf(bundle, id)));
  const openedNow = suffixesIn(opened);
  const badNow = bad.flatMap(({ bundle, segment }) => suffixOf(bundle, segment));
  const timesOf = (known: VerifyRecord['opened'] = {}, today: readonly string[]): VerifyRecord['opened'] =>
    Object.fromEntries([
      ...Object.entries(known).filter(([suffix]) => named.has(suffix)),
      ...today.map((suffix) => [suffix, at] as const),
    ]);
  const wasBad = (before?.bad ?? []).filter((suffix) => named.has(suffix) && !openedNow.includes(suffix));
  return {
    format: 1,
    fleet,
    lane,
    at,
    opened: timesOf(before?.opened, openedNow),
    compared: timesOf(before?.compared, suffixesIn(compared)),
    bad: [...new Set([...wasBad, ...badNow])].toSorted(),
  };
}

interface Covered {
  /** Within the time. */
  readonly count: number;
  /** When the one that waits longest was; null while one never was. */
  readonly oldestAt: string | null;
}

function covered(
  named: ReadonlySet<string>,
  known: VerifyRecord['opened'],
  { at, withinMs }: { readonly at: string; readonly withinMs: number },
): Covered {
  const times = [...named].flatMap((suffix) => known[suffix] ?? []).toSorted();
  const count = times.filter((time) => Date.parse(at) - Date.parse(time) <= withinMs).length;
  return { count, oldestAt: times.length === named.size ? (times[0] ?? null) : null };
}

type Opened = Pick<Coverage, 'segments' | 'opened' | 'withinMs' | 'oldestOpenedAt'>;

function openedCoverage({ at, opened }: VerifyRecord, named: ReadonlySet<string>, withinMs: number): Opened {
  const { count, oldestAt } = covered(named, opened, { at, withinMs });
  return { segments: named.size, opened: count, withinMs, oldestOpenedAt: oldestAt };
}

function comparedCoverage(
  { at, compared }: VerifyRecord,
  comparable: readonly Named[],
  withinMs: number,
): Omit<Coverage, keyof Opened> {
  const suffixes = new Set(comparable.map(({ segment }) => segment.suffix));
  const { count, oldestAt } = covered(suffixes, compared, { at, withinMs });
  return { comparable: suffixes.size, compared: count, oldestComparedAt: oldestAt };
}
