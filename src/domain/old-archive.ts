// Archives of the scripts that operators ran before Clawback (procedure, "Backup tiers"): what a name tells. The name
// says which script made it, on which day, of which lane, and what it is wrapped in; anything else is refused by name.

import { Failure } from './failure.ts';
import type { Tier } from './terms.ts';

/** A name below the folder or store of archives: no `..`, no hidden file, nothing absolute. */
export const archiveNamePattern = /^(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** What the compressed tar was encrypted with: `gpg`, or `openssl enc -aes-256-cbc -pbkdf2`. */
export type Wrapping = 'none' | 'gpg' | 'openssl';

export interface OldArchive {
  readonly tier: Tier;
  /** The day in its name, `YYYY-MM-DD`, by the clock of the host that made it. */
  readonly day: string;
  readonly wrapping: Wrapping;
  /** `lane1`: of the script that took one lane whole. */
  readonly laneWord?: string;
}

const wrappings: Readonly<Record<string, Wrapping>> = { '': 'none', '.gpg': 'gpg', '.enc': 'openssl' };
const form = /^(?:openclaw-(config|full)|(lane\d{1,3}))-(\d{4})(\d\d)(\d\d)[.]tar[.]gz([.]gpg|[.]enc|)$/;

/** @throws InvalidInput when none of the three scripts gives such a name */
export function oldArchiveOf(name: string): OldArchive {
  const [known, script, laneWord, year, month, date, ending = ''] =
    form.exec(name.slice(name.lastIndexOf('/') + 1)) ?? [];
  const day = `${year}-${month}-${date}`;
  if (known === undefined || !isDay(day)) {
    throw new Failure(
      'InvalidInput',
      `archive ${name} has none of the names openclaw-config-YYYYMMDD, openclaw-full-YYYYMMDD, laneN-YYYYMMDD with .tar.gz, .tar.gz.gpg or .tar.gz.enc`,
      { field: 'archive' },
    );
  }
  const wrapping = wrappings[ending] ?? 'none';
  if (laneWord !== undefined) return { tier: 'C', day, wrapping, laneWord };
  return { tier: script === 'config' ? 'A' : 'B', day, wrapping };
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/**
 * Is an archive that calls itself `lane1` one of this lane? Its id, account or label has to end in that word (`lane-1`,
 * `agent-lane-1`, `com.slimvps.openclaw-lane1`).
 */
export function isNamedAfter(laneWord: string, names: readonly string[]): boolean {
  return names.some((name) =>
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, '')
      .endsWith(laneWord),
  );
}

const hourMs = 3_600_000;

/** The last instant of a day anywhere on earth (12 hours behind UTC): nothing in the archive can be younger. */
export function endOfDayMs({ day }: Pick<OldArchive, 'day'>): number {
  return Date.parse(`${day}T00:00:00Z`) + 36 * hourMs;
}

/**
 * When an archive was made, as far as it tells: at its youngest file, for that much it must hold; without one, at the
 * beginning of its day. Never later than it was, so that what a restore of it loses is never understated.
 * @param youngestMs the largest modification time of its files that is not after `endOfDayMs`; undefined: none
 */
export function capturedAtOf(archive: Pick<OldArchive, 'day'>, youngestMs: number | undefined): string {
  const beginningMs = Date.parse(`${archive.day}T00:00:00Z`) - 14 * hourMs;
  return new Date(Math.max(youngestMs ?? beginningMs, beginningMs)).toISOString();
}
