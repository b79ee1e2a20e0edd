import { describe, expect, it } from 'vitest';
import { compareVersions, isVersionWithin } from '../../../src/domain/version.ts';

describe('versions', () => {
  it('are compared by number, part by part', () => {
    expect(compareVersions('2026.9.6', '2026.10.1')).toBeLessThan(0);
    expect(compareVersions('2026.9', '2026.9.0')).toBe(0);
    expect(compareVersions('2026.9.6-beta.1', '2026.9.6')).toBe(0);
    expect(compareVersions('2027', '2026.12.31')).toBeGreaterThan(0);
    expect(compareVersions('odd', '0')).toBe(0);
  });

  it('are within a range from its first to before its end', () => {
    const range = { from: '2026.1.0', below: '2027.1.0' };
    expect(isVersionWithin('2026.1.0', range)).toBe(true);
    expect(isVersionWithin('2026.12.9', range)).toBe(true);
    expect(isVersionWithin('2027.1.0', range)).toBe(false);
    expect(isVersionWithin('2025.12.31', range)).toBe(false);
  });
});
