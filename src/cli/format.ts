// Numbers, times and names as people read them. Pure.

import { formatBytes } from '../domain/quantity.ts';

export { formatBytes, formatDuration } from '../domain/quantity.ts';

export function formatRate(bytesPerMs: number): string {
  return `${formatBytes(bytesPerMs * 1000)}/s`;
}

/** `2026-11-22 12:15:03 JST`: this machine's local time with the name of its zone. */
export function formatInstant(instant: string | number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    ...(timeZone === undefined ? {} : { timeZone }),
    dateStyle: undefined,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
  const part = Object.fromEntries(format.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]));
  return `${part['year']}-${part['month']}-${part['day']} ${part['hour']}:${part['minute']}:${part['second']} ${part['timeZoneName']}`;
}

/** `1 lane`, `3 lanes`. */
export function plural(count: number, noun: string, more = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : more}`;
}

/** Columns as wide as their widest cell; the last one is not padded. Empty when there are no rows. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const all = head.length > 0 ? [head, ...rows] : rows;
  const columns = Math.max(...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * A name that was found on a lane, made safe for a terminal: it is bytes that anybody chose. Control characters and
 * what is not UTF-8 are escaped.
 */
export function printableName(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes))
    return printable(bytes.toString('latin1').replaceAll(/[\x80-\xff]/g, hexEscape));
  return printable(text);
}

/** Text from elsewhere, with its control and bidirectional characters escaped; line feeds stay when asked for. */
export function printable(text: string, keep = ''): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => (keep.includes(char) ? char : hexEscape(char)));
}

function hexEscape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** A text in lines of at most so many columns, broken at blanks; the later ones begin with `indent`. A longer word stays whole. */
export function foldText(text: string, columns: number, indent = ''): string[] {
  const [first = '', ...words] = text.split(' ');
  const lines = [first];
  for (const word of words) {
    const last = lines.at(-1) ?? '';
    if (last.length + 1 + word.length > columns) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
