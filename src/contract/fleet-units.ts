// Durations and sizes as an operator writes them (`90m`, `1h30m`, `256MiB`), turned into milliseconds and bytes.
// Each has bounds; a bare number is refused, because its unit would be a guess.

import { z } from 'zod';

const durationPattern = /^(?=\d)(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/;
const unitsMs = [86_400_000, 3_600_000, 60_000, 1000] as const;

/** Milliseconds of `1d12h`, `90m`, `45s`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const parts = durationPattern.exec(text)?.slice(1);
  return parts?.reduce((sum, part, index) => sum + Number(part ?? 0) * (unitsMs[index] ?? 0), 0);
}

const unitNames = ['d', 'h', 'm', 's'] as const;

/** The shortest text that {@link parseDuration} reads back; whole seconds. */
export function formatDuration(durationMs: number): string {
  const texts: string[] = [];
  let rest = durationMs;
  for (const [index, unitMs] of unitsMs.entries()) {
    const amount = Math.floor(rest / unitMs);
    rest -= amount * unitMs;
    if (amount > 0) texts.push(`${amount}${unitNames[index]}`);
  }
  return texts.join('') || '0s';
}

const sizePattern = /^(\d{1,6})(KiB|MiB|GiB)$/;
const sizeUnits: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes of `256MiB`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = sizePattern.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * (sizeUnits[unit] ?? 0);
}

interface Bounds {
  /** Smallest and largest text that is allowed. */
  readonly from: string;
  readonly to: string;
}

/** @throws Error when the bounds of a schema are written wrongly: a defect, seen at import. */
function bound(parse: (text: string) => number | undefined, text: string): number {
  const value = parse(text);
  if (value === undefined) throw new Error(`bad bound ${text}`);
  return value;
}

interface Unit {
  readonly title: string;
  readonly pattern: RegExp;
  readonly parse: (text: string) => number | undefined;
  /** How a text of another form is refused. */
  readonly form: string;
}

function measured({ title, pattern, parse, form }: Unit, bounds: Bounds) {
  const [from, to] = [bound(parse, bounds.from), bound(parse, bounds.to)];
  return z
    .string(form)
    .regex(pattern, form)
    .meta({ title })
    .transform((text) => parse(text) ?? Number.NaN)
    .refine(
      (value) => Number.isNaN(value) || (value >= from && value <= to),
      `it must lie between ${bounds.from} and ${bounds.to}`,
    );
}

const duration: Unit = {
  title: 'duration',
  pattern: durationPattern,
  parse: parseDuration,
  form: 'a duration is text such as 45s, 90m, 24h or 1h30m',
};

const size: Unit = {
  title: 'size',
  pattern: sizePattern,
  parse: parseSize,
  form: 'a size is text such as 256MiB or 1GiB',
};

/** A duration as text; the output is milliseconds. */
export function durationSchema(bounds: Bounds) {
  return measured(duration, bounds);
}

/** A size as text; the output is bytes. */
export function sizeSchema(bounds: Bounds) {
  return measured(size, bounds);
}
