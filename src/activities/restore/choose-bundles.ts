// Which bundles a restore takes: the one that was named, or the newest proven one, else the newest; of a time, for one
// component and layered the newest that fits, with class 2 from the newest bundle that has it. Every manifest is checked
// before it is used. One that fails its check is refused when it was named; else the next older good one is taken, and
// the plan says so. One with a tombstone is taken only when it is named: it is whole while a section holds its lane, for
// only a section removes it.

import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import { linkedElsewhere } from '../../bundle/omission.ts';
import type { ClassRpo } from '../../contract/results.ts';
import type { BundleUse } from '../../contract/receipt-types.ts';
import type { BundleChoice, ChosenBundles, ChosenSegment } from '../../contract/step-types.ts';
import { Failure, failureTable } from '../../domain/failure.ts';
import { formatDuration } from '../../domain/quantity.ts';
import { type Component, classOf, components } from '../../domain/terms.ts';
import { type Proven, proofOf } from '../../receipt/proven.ts';
import type { Deps } from '../deps.ts';
import { type CheckedManifest, readManifest } from '../manifests.ts';
import { doubts, provenBundles } from '../receipts/proven-bundles.ts';
import { capturedMs, newestCaptured, type PassedOver, type Search } from './newest-captured.ts';

export interface Part {
  readonly manifest: Manifest;
  readonly components: readonly Component[];
}

type Source = Part & CheckedManifest;

/** NoRestorePoint; for a bundle that was named, and where no other is good, what is wrong with its manifest. */
export async function chooseBundles(deps: Deps, choice: BundleChoice, signal: AbortSignal): Promise<ChosenBundles> {
  const { proven, ignored } = await provenBundles(deps, { ...choice, signal });
  const search: Search = { deps, choice, signal, proven, passedOver: [] };
  const { taken, newer } = await newestFitting(search);
  const newest = taken.manifest;
  const held = heldComponents(newest).filter((component) => !choice.only || component === choice.only);
  if (held.length === 0) throw noRestorePoint(choice);
  const parts: Source[] = [{ ...taken, components: held }];
  if (choice.layered && choice.only === undefined && !held.some((component) => classOf(component) === 2)) {
    const below = await newestWithClassTwo(search, newest);
    if (below)
      parts.push({
        ...below,
        components: heldComponents(below.manifest).filter((component) => classOf(component) === 2),
      });
  }
  if (parts.length > 1) requireNoneImported(parts, choice.lane);
  requireDatabasesOfOne(parts, choice.lane);
  const warnings = [...doubts(ignored), ...unprovenNewer(newest, newer)];
  return { ...answer(parts, search, warnings), copies: { store: choice.store } };
}

/** Databases refer to each other: of two times they contradict (design, "Bundles may be layered"). NoRestorePoint. */
export function requireDatabasesOfOne(parts: readonly Part[], lane: string): void {
  const holders = parts.filter(({ manifest, components: wanted }) =>
    manifest.segments.some(({ base, component }) => base === 'copies' && wanted.includes(component)),
  );
  const [one, other] = holders.map(({ manifest }) => manifest.bundle);
  if (one === undefined || other === undefined) return;
  throw new Failure(
    'NoRestorePoint',
    `layered, lane ${lane} would get databases of two bundles, ${one} and ${other}: restore one of them whole`,
    { lane, bundle: one },
  );
}

/** Its databases lie among its files: whether they go with another bundle's cannot be told. */
function requireNoneImported(parts: readonly Part[], lane: string): void {
  const imported = parts.find(({ manifest }) => manifest.imported)?.manifest;
  if (imported === undefined) return;
  throw new Failure(
    'NoRestorePoint',
    `bundle ${imported.bundle} of lane ${lane} is imported: it is not layered with another`,
    {
      lane,
      bundle: imported.bundle,
    },
  );
}

/** The bundle to take, and the newest of all where that is another. */
async function newestFitting(search: Search): Promise<{ readonly taken: CheckedManifest; readonly newer?: Manifest }> {
  const { deps, choice, signal, passedOver, proven } = search;
  if (choice.bundle !== undefined)
    return { taken: await readManifest(deps, { ...choice, bundle: choice.bundle, signal }) };
  const newest = await newestCaptured(search, ({ manifest }) => fits(manifest, choice));
  if (!newest) throw passedOver[0]?.failure ?? noRestorePoint(choice);
  if (!prefersProven(choice) || isProven(newest, proven)) return { taken: newest };
  const older = await newestCaptured(
    search,
    (one) => isProven(one, proven) && fits(one.manifest, choice),
    (bundle) => proven.has(bundle),
  );
  return older ? { taken: older, newer: newest.manifest } : { taken: newest };
}

function isProven({ manifest, sha256 }: CheckedManifest, proven: Proven): boolean {
  return proofOf(proven, manifest.bundle, sha256) !== undefined;
}

/** Who asks for a time, for one component or for layers asks for the newest of that. */
function prefersProven({ at, only, layered }: BundleChoice): boolean {
  return at === undefined && only === undefined && !layered;
}

/** A proven bundle is taken although there is a newer one: what that costs, and how to get the other. */
function unprovenNewer(taken: Manifest, newer: Manifest | undefined): string[] {
  if (!newer) return [];
  const laterMs = Date.parse(newer.capturedAt) - Date.parse(taken.capturedAt);
  return [
    `bundle ${newer.bundle} was captured ${formatDuration(laterMs)} later, but no passed restore has proven it: \`./clawback restore ${taken.lane} --bundle ${newer.bundle}\` takes it`,
  ];
}

function fits(manifest: Manifest, { at, only, tiers }: BundleChoice): boolean {
  if (tiers !== undefined && !tiers.includes(manifest.tier)) return false;
  if (at !== undefined && Date.parse(manifest.capturedAt) > Date.parse(at)) return false;
  return only === undefined || heldComponents(manifest).includes(only);
}

/** Not newer than the rest; in another layout its paths would not be those of the lane now. */
function newestWithClassTwo(search: Search, newest: Manifest): Promise<CheckedManifest | undefined> {
  return newestCaptured(
    search,
    ({ manifest }) =>
      manifest.profile === newest.profile &&
      capturedMs(manifest) <= capturedMs(newest) &&
      heldComponents(manifest).some((component) => classOf(component) === 2),
  );
}

function heldComponents(manifest: Manifest): Component[] {
  return components.filter((component) => manifest.segments.some((segment) => segment.component === component));
}

function noRestorePoint({ lane, at, only, tiers }: BundleChoice): Failure {
  const bounds = [
    at === undefined ? '' : ` captured by ${at}`,
    only === undefined ? '' : ` that holds ${only}`,
    tiers === undefined ? '' : ` of tier ${tiers.join(' or ')}`,
  ].join('');
  return new Failure('NoRestorePoint', `the store has no bundle of lane ${lane}${bounds}`, { lane });
}

function answer(
  parts: readonly Source[],
  { proven, passedOver }: Search,
  warnings: readonly string[],
): Omit<ChosenBundles, 'copies'> {
  const [{ manifest: newest }] = parts as [Source];
  const chosen = parts.flatMap(({ manifest, components: wanted }) =>
    manifest.segments.filter((segment) => wanted.includes(segment.component)).map((segment) => ({ manifest, segment })),
  );
  return {
    bundle: newest.bundle,
    tier: newest.tier,
    profile: newest.profile,
    openclawVersion: newest.host.openclawVersion ?? null,
    proven: parts.every((part) => isProven(part, proven)),
    origin: originOf(newest),
    imported: newest.imported !== undefined,
    sources: parts.map(({ manifest, components: held }) => ({ bundle: manifest.bundle, components: held })),
    used: parts.map(bundleUse),
    segments: chosen.map(({ manifest, segment }) => chosenSegment(manifest, segment)),
    sizeBytes: chosen.reduce((sum, { segment }) => sum + segment.plainBytes, 0),
    sealedBytes: chosen.reduce((sum, { segment }) => sum + segment.sealedBytes, 0),
    captured: captured(parts),
    warnings: [
      ...passedOver.map((one) => passedOverWarning(one, parts)),
      ...linkedElsewhereWarnings(parts),
      ...(newest.suspect?.map((reason) => `bundle ${newest.bundle} is suspect: ${reason}`) ?? []),
      ...importedWarnings(newest, parts),
      ...warnings,
    ],
  };
}

function bundleUse({ manifest, sha256, components: taken }: Source): BundleUse {
  const { bundle, tier, capturedAt } = manifest;
  const whole = heldComponents(manifest).every((component) => taken.includes(component));
  return { bundle, manifestSha256: sha256, tier, capturedAt, components: taken, whole };
}

/** Only the whole of a bundle has every name of a file whose names lie in several components. */
function linkedElsewhereWarnings(parts: readonly Part[]): string[] {
  return parts.flatMap(({ manifest, components: wanted }) => {
    const count = manifest.omissions.find(({ reason }) => reason === linkedElsewhere)?.count ?? 0;
    if (count === 0 || heldComponents(manifest).every((component) => wanted.includes(component))) return [];
    return [
      `${count} name(s) in bundle ${manifest.bundle} are hard links of files of another component, and come only with that: restore the bundle whole to have all`,
    ];
  });
}

/** The newest data may be lost by it: what is wrong, and how old the data is that comes instead. */
function passedOverWarning({ bundle, failure }: PassedOver, parts: readonly Part[]): string {
  const instead =
    parts.map(({ manifest }) => manifest).find((manifest) => manifest.bundle < bundle) ?? parts[0]?.manifest;
  const hours = instead ? (Date.now() - Date.parse(instead.capturedAt)) / 3_600_000 : 0;
  return `BUNDLE ${bundle} CANNOT BE USED (${failure.code}) and is passed over: ${failure.message}. Instead comes ${instead?.bundle}, captured at ${instead?.capturedAt}, ${hours.toFixed(1)} hours ago. ${failureTable[failure.code].hint}`;
}

function originOf({ host: { name, os, user, home, port } }: Manifest): ChosenBundles['origin'] {
  return { host: name, os, user: user ?? null, home: home ?? null, port: port ?? null };
}

/** What the old scripts left out stays as it is on the lane: that has to be known before it is agreed to. */
function importedWarnings({ bundle, imported }: Manifest, parts: readonly Part[]): string[] {
  if (!imported) return [];
  const held = parts.flatMap((part) => part.components);
  const lacks = components.filter((component) => !held.includes(component));
  return [
    `bundle ${bundle} was made of the archive ${imported.archive}: its files were copied while they were written, and its databases are checked before anything is stopped`,
    ...(lacks.length > 0 ? [`it restores no ${lacks.join(', ')}: what the lane has of that stays`] : []),
  ];
}

function chosenSegment(manifest: Manifest, segment: ManifestSegment): ChosenSegment {
  const { id, component, kind, supplement, plainBytes } = segment;
  return { bundle: manifest.bundle, id, component, kind, supplement, plainBytes };
}

/** For each class, the capture that holds it. */
function captured(parts: readonly Part[]): Omit<ClassRpo, 'rpoMs'>[] {
  return ([1, 2] as const).flatMap((dataClass) => {
    const part = parts.find(({ components: held }) => held.some((component) => classOf(component) === dataClass));
    return part ? [{ dataClass, bundle: part.manifest.bundle, capturedAt: part.manifest.capturedAt }] : [];
  });
}
