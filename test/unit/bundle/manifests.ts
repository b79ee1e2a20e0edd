// A manifest for the tests.

import { type Manifest, type ManifestSegment, totalsOf } from '../../../src/bundle/manifest.ts';

export function segmentOf(fields: Partial<ManifestSegment> = {}): ManifestSegment {
  return {
    id: 's-0001',
    component: 'config',
    kind: 'tar',
    base: 'home',
    supplement: false,
    fingerprint: 'ab'.repeat(32),
    reusable: true,
    suffix: '0123456789abcdef',
    sealedBytes: 900,
    sealedSha256: 'cd'.repeat(32),
    plainBytes: 10_240,
    members: 3,
    index: { suffix: 'fedcba9876543210', sealedBytes: 500, sealedSha256: 'ef'.repeat(32) },
    ...fields,
  };
}

export function manifestOf(segments: ManifestSegment[] = [segmentOf()], fields: Partial<Manifest> = {}): Manifest {
  return {
    format: 1,
    bundle: '20261122T031500Z-0123abcd',
    fleet: 'fleet-1',
    lane: 'lane-1',
    tier: 'B',
    profile: 'slimvps-legacy',
    createdAt: '2026-11-22T03:16:00Z',
    capturedAt: '2026-11-22T03:15:01.500Z',
    host: { name: 'mac-1', region: 'hk', os: 'macOS 26.1', openclawVersion: '2025.11.3' },
    clockOffsetMs: -12,
    consistency: 'compared',
    components: totalsOf(segments),
    segments,
    omissions: [{ reason: 'rebuildable', count: 4 }],
    recipients: [{ name: 'vault', fingerprint: '12'.repeat(32) }],
    ...fields,
  };
}
