import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatInstant,
  formatTable,
  plural,
  printable,
  printableName,
} from '../../../src/cli/format.ts';

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_234_567_890, '1.2 GB'],
    [999_960, '1.0 MB'],
    [120e9, '120.0 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('never show four digits before the point, nor a wrong order of magnitude', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e17, noNaN: true }), (bytes) => {
        const [number = '', unit = ''] = formatBytes(bytes).split(' ');
        const factor = 1000 ** ['B', 'kB', 'MB', 'GB', 'TB', 'PB'].indexOf(unit);
        expect(number).toMatch(/^\d{1,3}(\.\d)?$/);
        expect(Math.abs(Number(number) * factor - bytes)).toBeLessThanOrEqual(0.5 * factor);
      }),
    );
  });
});

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [420, '0.4 s'],
    [9_949, '9.9 s'],
    [9_951, '10 s'],
    [59_600, '1 m'],
    [200_000, '3 m 20 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [5_400_000, '1 h 30 m'],
    [86_400_000, '1 d'],
    [183_600_000, '2 d 3 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('instants', () => {
  it('are local, with the name of the zone', () => {
    expect(formatInstant('2026-11-22T03:15:03Z', 'America/New_York')).toBe('2026-11-21 22:15:03 EST');
    expect(formatInstant('2026-11-22T03:15:03Z', 'UTC')).toBe('2026-11-22 03:15:03 UTC');
  });
});

describe('tables', () => {
  it('have columns as wide as their widest cell, and no blanks at line ends', () => {
    expect(
      formatTable(
        ['a', 'bb'],
        [
          ['ccc', 'd'],
          ['e', ''],
        ],
      ),
    ).toBe('a    bb\nccc  d\ne');
  });

  it('are nothing without rows', () => {
    expect(formatTable(['a'], [])).toBe('');
  });
});

describe('names from a lane', () => {
  it('are shown as they are when they are harmless', () => {
    expect(printableName(Buffer.from('notes/Zoë 東京.md'))).toBe('notes/Zoë 東京.md');
  });

  it('cannot move the cursor, colour, or turn the direction of text', () => {
    expect(printableName(Buffer.from('a\x1b[2Jb\n\u202ecod.exe'))).toBe('a\\x1b[2Jb\\x0a\\u{202e}cod.exe');
  });

  it('that are no UTF-8 are escaped byte by byte', () => {
    expect(printableName(Buffer.from([0x61, 0xff, 0x62]))).toBe('a\\xffb');
  });

  it('hold no control character, whatever they were', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(printableName(Buffer.from(bytes))).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it('of a log keep the line feeds that are asked for', () => {
    expect(printable('a\nb\rc', '\n')).toBe('a\nb\\x0dc');
  });
});

it('counts in words', () => {
  expect([plural(1, 'lane'), plural(2, 'lane'), plural(0, 'copy', 'copies')]).toEqual([
    '1 lane',
    '2 lanes',
    '0 copies',
  ]);
});
