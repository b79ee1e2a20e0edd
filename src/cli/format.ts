// Numbers, times and names as people read them. Pure.

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `1.2 GB`: decimal units, as disks and stores count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let at = 0;
  // 999.95 would be shown as 1000.0
  while (value >= 999.95 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

export function formatRate(bytesPerMs: number): string {
  return `${formatBytes(bytesPerMs * 1000)}/s`;
}

const parts = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** `3 m 20 s`, `1 h 5 m`: the two largest units. Below ten seconds a tenth is shown. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  let rest = Math.round(ms / 1000);
  const shown: string[] = [];
  for (const [unit, seconds] of parts) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) shown.push(`${count} ${unit}`);
    else if (shown.length > 0) break;
    if (shown.length === 2) break;
  }
  return shown.join(' ');
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
  return all.map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ').trimEnd()).join('\n');
}

/**
 * A name that was found on a lane, made safe for a terminal: it is bytes that anybody chose. Control characters and
 * what is not UTF-8 are escaped.
 */
export function printableName(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes)) return printable(bytes.toString('latin1').replaceAll(/[\x80-\xff]/g, hexEscape));
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
