// Which bundles a restore takes: the one that was named, or the newest that fits; layered, class 2 comes from
// the newest bundle that has it. Every manifest is checked before it is used. One that fails its check is refused when it
// was named; else the next older good one is taken, and the plan says so.

import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import type { ClassRpo } from '../../contract/results.ts';
import type { BundleChoice, ChosenBundles, ChosenSegment } from '../../contract/step-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure, failureTable } from '../../domain/failure.ts';
import { bundleIdOf, type Component, classOf, components } from '../../domain/terms.ts';
import type { Deps } from '../deps.ts';
import { goodManifests, listBundles, readManifest } from '../manifests.ts';
import { activity } from '../step.ts';

export interface Part {
  readonly manifest: Manifest;
  readonly components: readonly Component[];
}

export function chooseBundlesStep(deps: Deps): VaultSteps['chooseBundles'] {
  return activity((choice, { signal }) => chooseBundles(deps, choice, signal));
}

/** NoRestorePoint; for a bundle that was named, and where no other is good, what is wrong with its manifest. */
export async function chooseBundles(deps: Deps, choice: BundleChoice, signal: AbortSignal): Promise<ChosenBundles> {
  const search: Search = { deps, choice, signal, passedOver: [] };
  const newest = await newestFitting(search);
  const held = heldComponents(newest).filter((component) => !choice.only || component === choice.only);
  if (held.length === 0) throw noRestorePoint(choice);
  const parts: Part[] = [{ manifest: newest, components: held }];
  if (choice.layered && choice.only === undefined && !held.some((component) => classOf(component) === 2)) {
    const below = await newestWithClassTwo(search, newest);
    if (below)
      parts.push({
        manifest: below,
        components: heldComponents(below).filter((component) => classOf(component) === 2),
      });
  }
  if (parts.length > 1) requireNoneImported(parts, choice.lane);
  requireDatabasesOfOne(parts, choice.lane);
  return answer(newest, parts, search.passedOver);
}

interface PassedOver {
  readonly bundle: string;
  readonly failure: Failure;
}

interface Search {
  readonly deps: Deps;
  readonly choice: BundleChoice;
  readonly signal: AbortSignal;
  /** Manifests that failed their check on the way, newest first. */
  readonly passedOver: PassedOver[];
}

/** The lane's good manifests, newest first; of the others, those that may have been wanted are noted. */
async function* goodOnes(
  { deps, choice, signal, passedOver }: Search,
  among: (bundle: string) => boolean = () => true,
): AsyncGenerator<Manifest> {
  const bundles = (await listBundles(deps, { ...choice, signal })).filter(among);
  const passOver = (bundle: string, failure: Failure): void => {
    if (mayBeBy(bundle, choice.at)) passedOver.push({ bundle, failure });
  };
  for await (const { manifest } of goodManifests(deps, { ...choice, signal }, bundles, passOver)) yield manifest;
}

/** A bundle that began after the instant was not captured by it, whatever its manifest would have said. */
function mayBeBy(bundle: string, at: string | undefined): boolean {
  return at === undefined || bundle <= bundleIdOf(Date.parse(at), 'ffffffff');
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

async function newestFitting(search: Search): Promise<Manifest> {
  const { deps, choice, signal, passedOver } = search;
  if (choice.bundle !== undefined)
    return (await readManifest(deps, { ...choice, bundle: choice.bundle, signal })).manifest;
  for await (const manifest of goodOnes(search)) if (fits(manifest, choice)) return manifest;
  throw passedOver[0]?.failure ?? noRestorePoint(choice);
}

function fits(manifest: Manifest, { at, only }: BundleChoice): boolean {
  if (at !== undefined && Date.parse(manifest.capturedAt) > Date.parse(at)) return false;
  return only === undefined || heldComponents(manifest).includes(only);
}

async function newestWithClassTwo(search: Search, newest: Manifest): Promise<Manifest | undefined> {
  for await (const manifest of goodOnes(search, (bundle) => bundle < newest.bundle)) {
    if (manifest.profile !== newest.profile) return undefined; // another layout: its paths are not those of the lane now
    if (heldComponents(manifest).some((component) => classOf(component) === 2)) return manifest;
  }
  return undefined;
}

function heldComponents(manifest: Manifest): Component[] {
  return components.filter((component) => manifest.segments.some((segment) => segment.component === component));
}

function noRestorePoint({ lane, at, only }: BundleChoice): Failure {
  const limits = [at === undefined ? '' : ` captured by ${at}`, only === undefined ? '' : ` that holds ${only}`].join(
    '',
  );
  return new Failure('NoRestorePoint', `the store has no bundle of lane ${lane}${limits}`, { lane });
}

function answer(newest: Manifest, parts: readonly Part[], passedOver: readonly PassedOver[]): ChosenBundles {
  const chosen = parts.flatMap(({ manifest, components: wanted }) =>
    manifest.segments.filter((segment) => wanted.includes(segment.component)).map((segment) => ({ manifest, segment })),
  );
  return {
    bundle: newest.bundle,
    tier: newest.tier,
    profile: newest.profile,
    openclawVersion: newest.host.openclawVersion ?? null,
    proven: false,
    origin: originOf(newest),
    imported: newest.imported !== undefined,
    sources: parts.map(({ manifest, components: held }) => ({ bundle: manifest.bundle, components: held })),
    segments: chosen.map(({ manifest, segment }) => chosenSegment(manifest, segment)),
    sizeBytes: chosen.reduce((sum, { segment }) => sum + segment.plainBytes, 0),
    sealedBytes: chosen.reduce((sum, { segment }) => sum + segment.sealedBytes, 0),
    captured: captured(parts),
    warnings: [
      ...passedOver.map((one) => passedOverWarning(one, parts)),
      ...(newest.suspect?.map((reason) => `bundle ${newest.bundle} is suspect: ${reason}`) ?? []),
      ...importedWarnings(newest, parts),
    ],
  };
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
