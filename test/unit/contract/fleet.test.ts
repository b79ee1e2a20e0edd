import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fleetJsonSchema } from '../../../src/contract/fleet.ts';
import {
  durationSchema,
  formatDuration,
  parseDuration,
  parseSize,
  sizeSchema,
} from '../../../src/contract/fleet-units.ts';
import { laneTargetSchema } from '../../../src/contract/lane-spec.ts';
import { describeSecretRef, secretRefSchema } from '../../../src/contract/secret-ref.ts';

describe('durations', () => {
  it.each([
    ['90m', 5_400_000],
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['1d1h1m1s', 90_061_000],
    ['0s', 0],
  ])('read %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(['', '90', 'm', '1.5h', '-5m', '5 m', '30m1h', '5M', '1h ', '99999999999m'])('refuse %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('read back what they format', () => {
    fc.assert(
      fc.property(fc.nat(8_000_000), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
  });

  it('keep to their bounds, both included', () => {
    const schema = durationSchema({ from: '1m', to: '1h' });
    expect(schema.parse('1m')).toBe(60_000);
    expect(schema.parse('60m')).toBe(3_600_000);
    expect(schema.safeParse('59s').success).toBe(false);
    expect(schema.safeParse('61m').success).toBe(false);
    expect(() => durationSchema({ from: 'soon', to: '1h' })).toThrow('bad bound soon');
  });
});

describe('sizes', () => {
  it('read binary units only', () => {
    expect(parseSize('256MiB')).toBe(268_435_456);
    expect(parseSize('1GiB')).toBe(2 ** 30);
    expect(parseSize('8KiB')).toBe(8192);
    for (const text of ['', '256', '256MB', '1.5GiB', '-1KiB', '9999999KiB']) expect(parseSize(text)).toBeUndefined();
    expect(sizeSchema({ from: '1MiB', to: '1GiB' }).safeParse('2GiB').success).toBe(false);
  });
});

describe('references to secrets', () => {
  it('are named without their values; of a command only the program', () => {
    expect(describeSecretRef({ env: 'A' })).toBe('env A');
    expect(describeSecretRef({ file: 'a/b' })).toBe('file a/b');
    expect(describeSecretRef({ command: ['op', 'read', 'hunter2'] })).toBe('command op');
  });

  it('never have what was written in an error', () => {
    const written = fc.oneof(
      fc.constant('hunter2'),
      fc.record({ env: fc.constant('hunter2 and a space') }),
      fc.record({ file: fc.constant('hunter2\n') }),
      fc.record({ command: fc.constant('hunter2') }),
      fc.record({ hunter2: fc.constant('hunter2') }),
      fc.array(fc.constant('hunter2')),
    );
    fc.assert(
      fc.property(written, (value) => {
        const { error } = secretRefSchema.safeParse(value);
        expect(error?.issues).toHaveLength(1);
        expect(error?.issues[0]?.message).not.toContain('hunter2');
      }),
    );
  });
});

describe('the JSON Schema', () => {
  it('has a description for every field, and refuses unknown ones', () => {
    const undescribed: string[] = [];
    const open: string[] = [];
    let count = 0;
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties, additionalProperties } = node as {
        properties?: Record<string, { description?: string }>;
        additionalProperties?: unknown;
      };
      if (properties !== undefined && additionalProperties !== false) open.push(path);
      for (const [name, field] of Object.entries(properties ?? {})) {
        count += 1;
        if (field.description === undefined) undescribed.push(`${path}.${name}`);
      }
      for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`);
    };
    walk(fleetJsonSchema(), '');
    expect(count).toBeGreaterThan(50);
    expect({ undescribed, open }).toEqual({ undescribed: [], open: [] });
  });
});

describe('the lane target', () => {
  it('refuses a field that the contract does not have', () => {
    const target = {
      fleet: 'f',
      lane: 'l',
      user: 'u',
      home: '/h',
      label: 'a',
      domain: 'system',
      port: 1,
      profile: 'p',
      keychain: '/k',
      host: { name: 'h', address: 'a', port: 22, user: 'u', hostKey: 'k', root: '/', tools: { tar: '/t' } },
    };
    expect(laneTargetSchema.parse(target)).toEqual(target);
    expect(laneTargetSchema.safeParse({ ...target, password: 'x' }).success).toBe(false);
    expect(laneTargetSchema.safeParse({ ...target, host: { ...target.host, tools: { zip: '/z' } } }).success).toBe(
      false,
    );
  });
});
