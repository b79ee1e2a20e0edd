import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseBundle,
  parseComponent,
  parseCount,
  parseDuration,
  parseInstant,
  parseLane,
  parseList,
  parsePath,
  parseTier,
  parseWorkflowId,
  type Parser,
} from '../../../src/cli/parse.ts';
import { Failure } from '../../../src/domain/failure.ts';

function refusal(parser: Parser<unknown>, text: string): Failure {
  try {
    parser(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe('a flag of a wrong form', () => {
  it.each<[string, Parser<unknown>, string]>([
    ['LANE', parseLane('LANE'), 'Lane 1'],
    ['--bundle', parseBundle('--bundle'), 'newest'],
    ['--tier', parseTier('--tier'), 'D'],
    ['--only', parseComponent('--only'), 'everything'],
    ['--at', parseInstant('--at'), 'yesterday'],
    ['--streams', parseCount('--streams', 4), '5'],
    ['--streams', parseCount('--streams', 4), '0'],
    ['--streams', parseCount('--streams', 4), '1e0'],
    ['--min-age', parseDuration('--min-age'), '24'],
    ['--queues', parseList('--queues', ['host', 'data']), 'host,dat'],
    ['--out', parsePath('--out'), ''],
    ['WORKFLOW', parseWorkflowId('WORKFLOW'), 'two words'],
  ])('%s is refused as InvalidInput that names it, with the way out', (field, parser, text) => {
    const { code, message, context } = refusal(parser, text);
    expect(code).toBe('InvalidInput');
    expect(message).toMatch(new RegExp(`^${field} ".*" is not .{5}`));
    expect(context.field).toBe(field);
  });

  it('is quoted in part only, and with its control characters escaped', () => {
    const { message } = refusal(parseLane('LANE'), `\x1b[2J${'x'.repeat(500)}`);
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(250);
  });
});

describe('what is right', () => {
  it('is taken', () => {
    expect(parseLane('LANE')('lane-1')).toBe('lane-1');
    expect(parseTier('--tier')('b')).toBe('B');
    expect(parseComponent('--only')('logs')).toBe('logs');
    expect(parseCount('--streams', 64)('16')).toBe(16);
    expect(parseDuration('--min-age')('90s')).toBe(90_000);
    expect(parseDuration('--min-age')('7d')).toBe(604_800_000);
    expect(parseList('--queues', ['host', 'data'])('data, host')).toEqual(['data', 'host']);
  });
});

describe('times', () => {
  const parse = parseInstant('--at');

  it('are given back in UTC', () => {
    expect(parse('2026-11-22T12:15:00+09:00')).toBe('2026-11-22T03:15:00.000Z');
    expect(parse('2026-11-22T03:15Z')).toBe('2026-11-22T03:15:00.000Z');
  });

  it.each(['2026-11-22T03:15:00', '2026-11-22'])('%s is refused for its missing zone', (text) => {
    expect(refusal(parse, text).message).toContain('its zone is missing');
  });

  it.each(['2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-11-22T25:00:00Z', '2025-02-29T10:00:00+01:00'])(
    '%s is no day or time that exists',
    (text) => {
      expect(refusal(parse, text).code).toBe('InvalidInput');
    },
  );

  it('mean the same instant in every zone', () => {
    const instants = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (instant, minutes) => {
        const local = new Date(instant.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const sign = minutes < 0 ? '-' : '+';
        const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
          String(part).padStart(2, '0'),
        );
        expect(parse(`${local}${sign}${hours}:${rest}`)).toBe(instant.toISOString());
      }),
    );
  });
});
