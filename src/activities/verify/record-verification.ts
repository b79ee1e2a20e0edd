// Keeps what a verification found: when each segment was opened, and which are bad. The record before is read again at
// the last moment, so that what another run found meanwhile is not lost.

import type { VaultSteps } from '../../contract/steps.ts';
import type { Coverage, VerifyFindings, VerifyRecord } from '../../contract/verify.ts';
import type { Deps } from '../deps.ts';
import { goodManifests, listBundles } from '../manifests.ts';
import { activity } from '../step.ts';
import { newestRecord, writeRecord } from './records.ts';

export function recordVerificationStep(deps: Deps): VaultSteps['recordVerification'] {
  return activity(async (findings, { signal }) => {
    const suffixes = await suffixesOf(deps, findings, signal);
    const before = await newestRecord(deps, findings, signal);
    const record = recordOf(findings, suffixes, before, new Date());
    await writeRecord(deps, findings, record, signal);
    return coverageOf(record, new Set([...suffixes.values()].flatMap((byId) => [...byId.values()])), findings.withinMs);
  });
}

/** By bundle and segment, of all bundles that are there now. */
type Suffixes = ReadonlyMap<string, ReadonlyMap<string, string>>;

async function suffixesOf(deps: Deps, { fleet, lane, store }: VerifyFindings, signal: AbortSignal): Promise<Suffixes> {
  const request = { fleet, lane, store, signal };
  const suffixes = new Map<string, Map<string, string>>();
  for await (const { manifest } of goodManifests(deps, request, await listBundles(deps, request))) {
    suffixes.set(manifest.bundle, new Map(manifest.segments.map(({ id, suffix }) => [id, suffix])));
  }
  return suffixes;
}

/** What no manifest names any more is forgotten. */
function recordOf(
  { fleet, lane, opened, bad }: VerifyFindings,
  suffixes: Suffixes,
  before: VerifyRecord | undefined,
  now: Date,
): VerifyRecord {
  const at = now.toISOString();
  const named = new Set([...suffixes.values()].flatMap((byId) => [...byId.values()]));
  const suffixOf = (bundle: string, segment: string): string[] => {
    const suffix = suffixes.get(bundle)?.get(segment);
    return suffix === undefined ? [] : [suffix];
  };
  const openedNow = opened.flatMap(({ bundle, segments }) => segments.flatMap((id) => suffixOf(bundle, id)));
  const badNow = bad.flatMap(({ bundle, segment }) => suffixOf(bundle, segment));
  const kept = Object.entries(before?.opened ?? {}).filter(([suffix]) => named.has(suffix));
  const wasBad = (before?.bad ?? []).filter((suffix) => named.has(suffix) && !openedNow.includes(suffix));
  return {
    format: 1,
    fleet,
    lane,
    at,
    opened: Object.fromEntries([...kept, ...openedNow.map((suffix) => [suffix, at] as const)]),
    bad: [...new Set([...wasBad, ...badNow])].toSorted(),
  };
}

function coverageOf({ at, opened }: VerifyRecord, named: ReadonlySet<string>, withinMs: number): Coverage {
  const times = [...named].map((suffix) => opened[suffix]);
  const known = times.filter((time) => time !== undefined).toSorted();
  return {
    segments: named.size,
    opened: known.filter((time) => Date.parse(at) - Date.parse(time) <= withinMs).length,
    withinMs,
    oldestOpenedAt: known.length === named.size ? (known[0] ?? null) : null,
  };
}
