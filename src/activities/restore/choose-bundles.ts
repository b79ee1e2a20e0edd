// Which bundles a restore takes: the one that was named, or the newest that fits; layered, class 2 comes from
// the newest bundle that has it. Every manifest is checked before it is used.

import type { Manifest, ManifestSegment } from '../../bundle/manifest.ts';
import type { ClassRpo } from '../../contract/results.ts';
import type { BundleChoice, ChosenBundles, ChosenSegment } from '../../contract/step-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { type Component, classOf, components } from '../../domain/terms.ts';
import type { Deps } from '../deps.ts';
import { listBundles, readManifest } from '../manifests.ts';
import { activity } from '../step.ts';

export interface Part {
  readonly manifest: Manifest;
  readonly components: readonly Component[];
}

export function chooseBundlesStep(deps: Deps): VaultSteps['chooseBundles'] {
  return activity((choice, { signal }) => chooseBundles(deps, choice, signal));
}

export async function chooseBundles(deps: Deps, choice: BundleChoice, signal: AbortSignal): Promise<ChosenBundles> {
  const newest = await newestFitting(deps, choice, signal);
  const held = heldComponents(newest).filter((component) => !choice.only || component === choice.only);
  if (held.length === 0) throw noRestorePoint(choice);
  const parts: Part[] = [{ manifest: newest, components: held }];
  if (choice.layered && choice.only === undefined && !held.some((component) => classOf(component) === 2)) {
    const below = await newestWithClassTwo(deps, choice, newest, signal);
    if (below)
      parts.push({
        manifest: below,
        components: heldComponents(below).filter((component) => classOf(component) === 2),
      });
  }
  requireDatabasesOfOne(parts, choice.lane);
  return answer(newest, parts);
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

async function newestFitting(deps: Deps, choice: BundleChoice, signal: AbortSignal): Promise<Manifest> {
  if (choice.bundle !== undefined)
    return (await readManifest(deps, { ...choice, bundle: choice.bundle, signal })).manifest;
  for (const bundle of await listBundles(deps, { ...choice, signal })) {
    const { manifest } = await readManifest(deps, { ...choice, bundle, signal });
    if (fits(manifest, choice)) return manifest;
  }
  throw noRestorePoint(choice);
}

function fits(manifest: Manifest, { at, only }: BundleChoice): boolean {
  if (at !== undefined && Date.parse(manifest.capturedAt) > Date.parse(at)) return false;
  return only === undefined || heldComponents(manifest).includes(only);
}

async function newestWithClassTwo(
  deps: Deps,
  choice: BundleChoice,
  newest: Manifest,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  for (const bundle of await listBundles(deps, { ...choice, signal })) {
    if (bundle >= newest.bundle) continue;
    const { manifest } = await readManifest(deps, { ...choice, bundle, signal });
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

function answer(newest: Manifest, parts: readonly Part[]): ChosenBundles {
  const chosen = parts.flatMap(({ manifest, components: wanted }) =>
    manifest.segments.filter((segment) => wanted.includes(segment.component)).map((segment) => ({ manifest, segment })),
  );
  return {
    bundle: newest.bundle,
    tier: newest.tier,
    profile: newest.profile,
    openclawVersion: newest.host.openclawVersion ?? null,
    proven: false,
    sources: parts.map(({ manifest, components: held }) => ({ bundle: manifest.bundle, components: held })),
    segments: chosen.map(({ manifest, segment }) => chosenSegment(manifest, segment)),
    sizeBytes: chosen.reduce((sum, { segment }) => sum + segment.plainBytes, 0),
    sealedBytes: chosen.reduce((sum, { segment }) => sum + segment.sealedBytes, 0),
    captured: captured(parts),
    warnings: newest.suspect?.map((reason) => `bundle ${newest.bundle} is suspect: ${reason}`) ?? [],
  };
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
