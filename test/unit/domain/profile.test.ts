import { describe, expect, it } from 'vitest';
import { type Profile, profileOf, profiles } from '../../../src/domain/profile.ts';
import { compareVersions, isVersionWithin } from '../../../src/domain/version.ts';

const inRoot = (profile: Profile, path: string): boolean => profile.roots.some((root) => path.startsWith(`${root}/`));

describe.each(profiles.map((profile) => [profile.id, profile] as const))('profile %s', (id, profile) => {
  it('is found by its id', () => {
    expect(profileOf(id)).toBe(profile);
  });

  it('has roots of which none lies inside another', () => {
    expect(profile.roots.length).toBeGreaterThan(0);
    for (const root of profile.roots) {
      expect(root).toMatch(/^[^/].*[^/]$/);
      expect(profile.roots.filter((other) => `${root}/`.startsWith(`${other}/`))).toEqual([root]);
    }
  });

  it('has rules inside its roots, each reachable: none hides a later one', () => {
    for (const [at, { prefix }] of profile.rules.entries()) {
      expect(prefix.endsWith('/')).toBe(true);
      expect(inRoot(profile, prefix)).toBe(true);
      expect(profile.rules.slice(0, at).some((earlier) => prefix.startsWith(earlier.prefix))).toBe(false);
    }
  });

  it('sends each root to a component: nothing of it is without a rule or the default', () => {
    const config = profile.rules.filter(({ component }) => component === 'config');
    expect(config.length).toBeGreaterThan(0);
  });

  it('keeps its globs inside its roots, or anywhere, and relative to the home', () => {
    for (const glob of [...profile.skip, ...profile.databases, ...profile.volatile, ...profile.appendOnly]) {
      expect(glob.startsWith('**/') || inRoot(profile, glob), glob).toBe(true);
      expect(glob).not.toMatch(/^[/~]|\.\.|[[\]{}()!]/);
    }
  });

  it('names logs and plists by absolute globs or below the home', () => {
    for (const glob of [...profile.logs, ...profile.plists]) expect(glob).toMatch(/^(\/|~\/)/);
    expect(profile.plists.every((glob) => glob.endsWith('.plist'))).toBe(true);
  });

  it('has a port, probes by path, and a command that tells the version', () => {
    expect(profile.defaultPort).toBeGreaterThan(1024);
    expect(profile.defaultPort).toBeLessThan(65_536);
    for (const path of [profile.health.live, profile.health.ready ?? '/', profile.message.path])
      expect(path).toMatch(/^\//);
    expect(profile.versionCommand.length).toBeGreaterThan(0);
  });

  it('is for a range of versions that is not empty', () => {
    expect(isVersionWithin(profile.versions.from, profile.versions)).toBe(true);
    expect(isVersionWithin(profile.versions.below, profile.versions)).toBe(false);
  });
});

describe('profiles', () => {
  it('share no version and no id', () => {
    const sorted = profiles.toSorted((a, b) => compareVersions(a.versions.from, b.versions.from));
    for (const [at, { versions }] of sorted.entries()) {
      const next = sorted[at + 1];
      if (next !== undefined) expect(compareVersions(versions.below, next.versions.from)).toBeLessThanOrEqual(0);
    }
    expect(new Set(profiles.map(({ id }) => id)).size).toBe(profiles.length);
  });

  it('keep the legacy paths, job verbs and port of the procedure', () => {
    expect(profileOf('slimvps-legacy')).toMatchObject({
      roots: ['.openclaw', 'workspace'],
      logs: ['/var/log/openclaw*.log'],
      launchctl: 'legacy',
      health: { live: '/health' },
      defaultPort: 11_430,
    });
  });

  it('are not found by another name', () => {
    expect(profileOf('other')).toBeUndefined();
  });
});

describe('versions', () => {
  it.each([
    ['2026.9.6', '2026.10.1', -1],
    ['2026.9', '2026.9.0', 0],
    ['2026.9.6-beta.2', '2026.9.6', 0],
    ['2026.9.6', '2026.9', 1],
    ['', '0', 0],
    ['x', '1', -1],
  ])('compare by number: %j and %j', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
  });
});
