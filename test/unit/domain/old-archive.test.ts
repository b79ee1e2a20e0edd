import { describe, expect, it } from 'vitest';
import {
  archiveNamePattern,
  capturedAtOf,
  endOfDayMs,
  isNamedAfter,
  oldArchiveOf,
} from '../../../src/domain/old-archive.ts';

describe('the name of an old archive', () => {
  it.each([
    ['openclaw-config-20260301.tar.gz', { tier: 'A', day: '2026-03-01', wrapping: 'none' }],
    ['march/openclaw-full-20260301.tar.gz.gpg', { tier: 'B', day: '2026-03-01', wrapping: 'gpg' }],
    ['lane12-20240229.tar.gz.enc', { tier: 'C', day: '2024-02-29', wrapping: 'openssl', laneWord: 'lane12' }],
  ])('tells tier, day, wrapping and lane: %s', (name, told) => {
    expect(oldArchiveOf(name)).toEqual(told);
  });

  it.each([
    'openclaw-full.tar.gz',
    'openclaw-full-20260230.tar.gz',
    'openclaw-full-20260301.zip',
    'lane-20260301.tar.gz',
  ])('is refused when no script gives it: %s', (name) =>
    expect(() => oldArchiveOf(name)).toThrow('has none of the names'),
  );

  it.each(['', '/etc/passwd', '../x', 'a/../b', 'a//b', '.hidden', 'a/.b', 'a\0b', 'x'.repeat(201)])(
    'leads nowhere else: %j is none',
    (name) => expect(archiveNamePattern.test(name)).toBe(false),
  );

  it('is of the lane that it calls by its number, and of no other', () => {
    const names = ['lane-1', 'agent-lane-1', 'com.slimvps.openclaw-lane1'];
    expect(isNamedAfter('lane1', names)).toBe(true);
    expect(isNamedAfter('lane1', ['lane-11', 'agent-lane-11'])).toBe(false);
    expect(isNamedAfter('lane11', names)).toBe(false);
  });
});

describe('the time of an old archive', () => {
  const archive = { day: '2026-03-01' };

  it('is that of its youngest file', () => {
    expect(capturedAtOf(archive, Date.parse('2026-03-01T02:15:00Z'))).toBe('2026-03-01T02:15:00.000Z');
  });

  it('is at the earliest the beginning of its day, anywhere on earth, and so without a file', () => {
    expect(capturedAtOf(archive, Date.parse('2025-01-01T00:00:00Z'))).toBe('2026-02-28T10:00:00.000Z');
    expect(capturedAtOf(archive, undefined)).toBe('2026-02-28T10:00:00.000Z');
    expect(new Date(endOfDayMs(archive)).toISOString()).toBe('2026-03-02T12:00:00.000Z');
  });
});
