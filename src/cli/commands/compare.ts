// `compare BUNDLE --with DIR`: what differs between a bundle and a directory, by name. Offline.

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { matchesAny, treeMatcher } from '../../bundle/globs.ts';
import { encodeName } from '../../bundle/index-file.ts';
import type { FleetFile } from '../../config/fleet-file.ts';
import { Failure } from '../../domain/failure.ts';
import { type Profile, profileOf } from '../../domain/profile.ts';
import type { Cli, Outcome } from '../cli.ts';
import { compareTree, type Difference } from '../compare-tree.ts';
import { documented } from '../documented.ts';
import { expectedTrees, type ExpectedTree, type Place } from '../expected-tree.ts';
import { plural, printableName } from '../format.ts';
import { type KeyOptions, openingKey, withKeyOptions } from '../opening-key.ts';
import { OpenedBundle } from '../opened-bundle.ts';
import { parseBundle, parseLane, parsePath } from '../parse.ts';
import { shelfFor, storeHelp } from '../shelves.ts';

interface Options extends KeyOptions {
  readonly lane: string;
  readonly with: string;
  readonly store?: string;
}

export function compareCommand(cli: Cli): Command {
  const command = new Command('compare')
    .description('what differs between a bundle and a directory, by name, without Temporal')
    .argument('<BUNDLE>', "the bundle's id", parseBundle('BUNDLE'))
    .requiredOption('--lane <LANE>', 'the lane it is of', parseLane('--lane'))
    .requiredOption('--with <DIR>', "a lane's home, or a directory that `open` made", parsePath('--with'))
    .option('--store <NAME>', storeHelp);
  withKeyOptions(command).action(cli.action((bundle: string, options: Options) => compare(cli, bundle, options)));
  return documented(command, {
    examples: ['./clawback compare 20261122T031500Z-1a2b3c4d --lane lane-1 --with /tmp/lane-1'],
    json: [
      '`bundle`, `lane`, `directory`; `identical`',
      '`compared`: members of the bundle; `places`: of `home`, `plists`, `logs` those that were compared',
      '`differences`: a list of `place`, `path` (or `pathBase64` where it is not UTF-8), `kind` (`missing`, `changed`, `added`), `aspects` (`type`, `size`, `mode`, `mtime`, `link`, `content`)',
      '`moreDifferences`: how many were counted beyond those of the list',
    ],
    notes: [
      'Exit status 5 when they differ. Times are compared to the microsecond, of files only; a sparse file by size and time, not by content.',
    ],
  });
}

interface Placed extends Difference {
  readonly place: Place;
}

/** A list for eyes and scripts; a tree that is another one altogether is counted. */
const mostListed = 10_000;
const mostShown = 200;

async function compare(cli: Cli, bundle: string, options: Options): Promise<Outcome> {
  const file = await cli.loadFleet();
  const opened = await openBundle(cli, file, bundle, options);
  const profile = requireProfile(opened);
  const directory = resolve(cli.around.cwd, options.with);
  const folders = await foldersOf(directory, profile);
  const trees = await expectedTrees(opened);
  const exclude = file.laneSpec(options.lane).exclude;
  const differences: Placed[] = [];
  const places = [...trees.keys()].filter((place) => folders[place] !== undefined);
  let count = 0;
  let compared = 0;
  for (const place of places) {
    const tree = trees.get(place) as ExpectedTree;
    compared += tree.entries.size;
    for await (const difference of compareTree({
      directory: folders[place] as string,
      tree,
      ...rulesOf(place, profile, exclude, opened),
    })) {
      if (count < mostListed) differences.push({ place, ...difference });
      count += 1;
    }
  }
  const found: Found = {
    bundle,
    lane: options.lane,
    directory,
    places,
    compared,
    differences,
    moreDifferences: count - differences.length,
  };
  return {
    json: { ...found, identical: count === 0, differences: differences.map(differenceJson) },
    text: foundText(found),
    exit: count === 0 ? 'ok' : 'attention',
  };
}

async function openBundle(cli: Cli, file: FleetFile, bundle: string, options: Options): Promise<OpenedBundle> {
  const shelf = await shelfFor(cli, { file, bundle, ...options });
  return OpenedBundle.open(shelf, bundle, await openingKey(cli, file, options));
}

function requireProfile({ manifest }: OpenedBundle): Profile {
  const profile = profileOf(manifest.profile);
  if (profile) return profile;
  throw new Failure(
    'BundleFormatUnknown',
    `bundle ${manifest.bundle} is of profile ${manifest.profile}, which this build does not know`,
    { bundle: manifest.bundle },
  );
}

/** A home has one of the profile's trees in it; what `open` made has `home`, `plists`, `logs`. */
async function foldersOf(directory: string, profile: Profile): Promise<Partial<Record<Place, string>>> {
  for (const root of profile.roots) if (await isDirectory(join(directory, root))) return { home: directory };
  const made = { home: join(directory, 'home'), plists: join(directory, 'plists'), logs: join(directory, 'logs') };
  if (await isDirectory(made.home)) return made;
  throw new Failure(
    'InvalidInput',
    `--with ${directory} is neither a home (it has no ${profile.roots.join(' or ')}) nor made by \`./clawback open\``,
    { field: '--with' },
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** Class 3, volatile files and a database's side files are in no bundle: they are no difference. */
function rulesOf(
  place: Place,
  profile: Profile,
  exclude: readonly string[],
  { manifest }: OpenedBundle,
): { roots: readonly string[]; isSkipped: (path: Buffer) => boolean } {
  if (place !== 'home') return { roots: [], isSkipped: () => false };
  const skipped = treeMatcher([...profile.skip, ...profile.volatile, ...exclude]);
  const sides = profile.databases.flatMap((glob) => ['-wal', '-shm', '-journal'].map((end) => glob + end));
  const held = new Set(manifest.segments.map(({ component }) => component));
  const whole = held.has('config') && held.has('transcripts') && held.has('workspace');
  // a bundle of class 1 alone says nothing about what else there is
  return { roots: whole ? profile.roots : [], isSkipped: (path) => skipped(path) || matchesAny(path, sides) };
}

interface Found {
  readonly bundle: string;
  readonly lane: string;
  readonly directory: string;
  readonly places: readonly Place[];
  readonly compared: number;
  readonly differences: readonly Placed[];
  readonly moreDifferences: number;
}

function differenceJson({ place, path, kind, aspects }: Placed): Record<string, unknown> {
  return { place, ...encodeName(path), kind, aspects };
}

function foundText({ bundle, directory, places, compared, differences, moreDifferences }: Found): string {
  const where = `${places.join(', ')} of ${directory}`;
  if (differences.length === 0) return `identical: ${plural(compared, 'member')} of bundle ${bundle} and ${where}`;
  const lines = differences.slice(0, mostShown).map(({ place, path, kind, aspects }) => {
    const what = aspects.length > 0 ? ` (${aspects.join(', ')})` : '';
    return `${kind.padEnd(8)}${place === 'home' ? '' : `${place}: `}${printableName(path)}${what}`;
  });
  const more = differences.length - lines.length + moreDifferences;
  return [
    ...lines,
    ...(more > 0 ? [`and ${more} more`] : []),
    `${plural(differences.length + moreDifferences, 'difference')} between bundle ${bundle} and ${where}`,
  ].join('\n');
}
