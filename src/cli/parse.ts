// Arguments and flags, checked before anything else happens. Every refusal is InvalidInput, names the flag and says
// what would do.

import { Failure } from '../domain/failure.ts';
import { lastGateDay } from '../domain/gate.ts';
import { archiveNamePattern } from '../domain/old-archive.ts';
import { bundleIdPattern, type Component, components, lanePattern, type Tier, tiers } from '../domain/terms.ts';

export type Parser<T> = (text: string) => T;

function refuse(field: string, text: string, wanted: string): Failure {
  return new Failure('InvalidInput', `${field} ${JSON.stringify(text.slice(0, 80))} is not ${wanted}`, { field });
}

export function parseLane(field: string): Parser<string> {
  return (text) => {
    if (lanePattern.test(text)) return text;
    throw refuse(field, text, "a lane's id: up to 40 lower-case letters, digits and inner dashes, as in fleet.yaml");
  };
}

export function parseHost(field: string): Parser<string> {
  return (text) => {
    if (lanePattern.test(text)) return text;
    throw refuse(field, text, "a host's name: up to 40 lower-case letters, digits and inner dashes, as in fleet.yaml");
  };
}

/** A day of the gate; 0 is the readiness check. */
export function parseGateDay(field: string): Parser<number> {
  return (text) => {
    if (/^\d$/.test(text) && Number(text) <= lastGateDay) return Number(text);
    throw refuse(field, text, `a day from 0 to ${lastGateDay}`);
  };
}

/** For an argument that may be given several times. */
export function collectLanes(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseLane('LANE')(text)];
}

export function parseBundle(field: string): Parser<string> {
  return (text) => {
    if (bundleIdPattern.test(text)) return text;
    throw refuse(field, text, "a bundle's id, like 20261122T031500Z-1a2b3c4d; `./clawback bundles list` shows them");
  };
}

export function parseArchive(field: string): Parser<string> {
  return (text) => {
    if (archiveNamePattern.test(text)) return text;
    throw refuse(field, text, "an archive's name below the folder or store of archives (no path of its own, no ..)");
  };
}

export function parseTier(field: string): Parser<Tier> {
  return (text) => {
    const tier = tiers.find((one) => one === text.toUpperCase());
    if (tier) return tier;
    throw refuse(field, text, 'a tier: A (class 1), B (class 1 and 2) or C (the whole lane)');
  };
}

export function parseComponent(field: string): Parser<Component> {
  return (text) => {
    const component = components.find((one) => one === text);
    if (component) return component;
    throw refuse(field, text, `a component: ${components.join(', ')}`);
  };
}

const instantPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)$/;
const zonePattern = /(?:Z|[+-]\d\d:?\d\d)$/;

/** ISO 8601 with a zone, given back in UTC with milliseconds. */
export function parseInstant(field: string): Parser<string> {
  return (text) => {
    const match = instantPattern.exec(text);
    const wanted = 'a time: ISO 8601 with a zone, like 2026-11-22T03:15:00Z or 2026-11-22T12:15:00+09:00';
    if (!match) throw refuse(field, text, zonePattern.test(text) ? wanted : `${wanted} (its zone is missing)`);
    const atMs = Date.parse(text);
    if (Number.isNaN(atMs) || !isDay(Number(match[1]), Number(match[2]), Number(match[3])))
      throw refuse(field, text, 'a day and time that exist');
    return new Date(atMs).toISOString();
  };
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

export function parseCount(field: string, most: number): Parser<number> {
  return (text) => {
    const count = Number(text);
    if (/^\d{1,9}$/.test(text) && count >= 1 && count <= most) return count;
    throw refuse(field, text, `a whole number from 1 to ${most}`);
  };
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `30m`, `24h`, `7d`, in milliseconds. */
export function parseDuration(field: string): Parser<number> {
  return (text) => {
    const match = /^(\d{1,6})([smhd])$/.exec(text);
    if (match) return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
    throw refuse(field, text, 'a duration, like 90s, 30m, 24h or 7d');
  };
}

export function parseVersion(field: string): Parser<string> {
  return (text) => {
    if (/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/.test(text)) return text;
    throw refuse(field, text, 'a version of OpenClaw, like 2026.10.2');
  };
}

/** A text that is one of a set. */
export function parseOneOf<T extends string>(field: string, allowed: readonly T[]): Parser<T> {
  return (text) => {
    const found = allowed.find((one) => one === text);
    if (found) return found;
    throw refuse(field, text, `one of ${allowed.join(', ')}`);
  };
}

/** A text that is one of a set, for each part between commas. */
export function parseList<T extends string>(field: string, allowed: readonly T[]): Parser<T[]> {
  return (text) =>
    text.split(',').map((part) => {
      const found = allowed.find((one) => one === part.trim());
      if (found) return found;
      throw refuse(field, part, `one of ${allowed.join(', ')}`);
    });
}

export function parsePath(field: string): Parser<string> {
  return (text) => {
    if (text !== '' && !text.includes('\0')) return text;
    throw refuse(field, text, 'a path');
  };
}

/** One of several: commander hands in those before it. */
export function parsePaths(field: string): (text: string, before: readonly string[] | undefined) => readonly string[] {
  return (text, before) => [...(before ?? []), parsePath(field)(text)];
}

/** Temporal takes up to 1,000 bytes; ours are `backup/<lane>/<time>-<random>` and the like. */
export function parseWorkflowId(field: string): Parser<string> {
  return (text) => {
    if (/^[\x21-\x7e]{1,200}$/.test(text)) return text;
    throw refuse(field, text, "a workflow's id, like backup/lane-1/2026-11-22T03:15:00Z-1a2b3c4d");
  };
}
