import { describe, expect, it } from 'vitest';
import { defaultTools, type HostTarget, hostPath, type LaneTarget, toolPath } from '../../../src/domain/lane-target.ts';
import { limits } from '../../../src/domain/limits.ts';

const host: HostTarget = {
  name: 'mac-1',
  address: '192.0.2.1',
  port: 22,
  user: 'admin',
  hostKey: 'ssh-ed25519 AAAA',
  root: '/',
  tools: {},
};

describe('a host', () => {
  it('has its tools where macOS has them, unless it says otherwise', () => {
    expect(toolPath(host, 'tar')).toBe('/usr/bin/tar');
    expect(toolPath({ ...host, tools: { tar: '/opt/tar' } }, 'tar')).toBe('/opt/tar');
    for (const path of Object.values(defaultTools)) expect(path).toMatch(/^\//);
  });

  it('keeps absolute paths below its root', () => {
    expect(hostPath(host, '/var/log')).toBe('/var/log');
    expect(hostPath({ ...host, root: '/srv/mac-1' }, '/var/log')).toBe('/srv/mac-1/var/log');
  });

  it('fits, as part of a lane, into the slice that every activity is given', () => {
    const lane: LaneTarget = {
      fleet: 'fleet-1',
      lane: 'lane-1',
      host: {
        ...host,
        hostKey: `ssh-ed25519 ${'A'.repeat(68)}`,
        tools: { launchctl: '/opt/stand-ins/launchctl', security: '/opt/stand-ins/security' },
      },
      user: 'agent-lane-1',
      home: '/Users/agent-lane-1',
      label: 'com.slimvps.openclaw-lane1',
      domain: 'system',
      port: 11_430,
      profile: 'slimvps-legacy',
      keychain: '/Users/agent-lane-1/Library/Keychains/openclaw.keychain-db',
    };
    expect(JSON.stringify(lane).length).toBeLessThan(limits.laneTargetBytes);
  });
});
