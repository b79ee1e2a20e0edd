import { build, buildBinary } from 'plist';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/domain/limits.ts';
import { parsePlist, requireLanePlist } from '../../../src/lane/plist-check.ts';

const target = {
  fleet: 'f',
  lane: 'lane-1',
  host: { name: 'mac-1', address: '127.0.0.1', port: 22, user: 'bedadmin', hostKey: '', root: '/', tools: {} },
  user: 'agent-lane-1',
  home: '/Users/agent-lane-1',
  label: 'com.slimvps.openclaw-lane1',
  domain: 'system',
  port: 11430,
  profile: 'slimvps-legacy',
  keychain: '/k',
} as const;

const good = {
  Label: target.label,
  UserName: target.user,
  ProgramArguments: ['/usr/local/bin/openclaw', 'gateway'],
  KeepAlive: true,
  ThrottleInterval: 10,
};

describe('parsePlist', () => {
  it('reads XML and binary form', () => {
    expect(parsePlist(Buffer.from(build(good)), 'lane-1')).toEqual(good);
    expect(parsePlist(Buffer.from(buildBinary(good)), 'lane-1')).toEqual(good);
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('Label = x;')],
    ["OpenStep's form", Buffer.from('{ Label = "com.slimvps.openclaw-lane1"; }')],
    ['a list', Buffer.from(build([1, 2]))],
    ['a cut file', Buffer.from(build(good).slice(0, 200))],
    ['a cut binary file', Buffer.from(buildBinary(good).slice(0, 40))],
    ['a large file', Buffer.from(build({ ...good, Comment: 'x'.repeat(limits.plistBytes) }))],
  ])('refuses %s', (_what, content) => {
    expect(() => parsePlist(content, 'lane-1')).toThrow(expect.objectContaining({ code: 'PlistInvalid' }));
  });

  it('resolves no entities of its own', () => {
    const bomb = build({ Label: 'x' })
      .replace(/<!DOCTYPE[^>]*>/, '<!DOCTYPE plist [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>')
      .replace('x</string>', '&b;&b;</string>');
    let label: unknown;
    try {
      label = parsePlist(Buffer.from(bomb), 'lane-1')['Label'];
    } catch (error) {
      expect(error).toMatchObject({ code: 'PlistInvalid' });
    }
    expect(String(label)).not.toContain('aaaaaaaa');
  });
});

describe('requireLanePlist', () => {
  it("accepts the lane's own job, also one that starts through a wrapper", () => {
    const wrapped = { ...good, ProgramArguments: ['/bin/sh', '/Users/agent-lane-1/.openclaw/service-env/wrapper.sh'] };
    const agent = { Label: target.label, Program: '/usr/local/bin/openclaw' };
    expect(() => requireLanePlist(target, good)).not.toThrow();
    expect(() => requireLanePlist(target, wrapped)).not.toThrow();
    expect(() => requireLanePlist({ ...target, domain: 'gui/501' }, agent)).not.toThrow();
  });

  it.each([
    ['another label', { Label: 'com.apple.x' }],
    ['another user', { UserName: 'agent-lane-2' }],
    ['root', { UserName: 'root' }],
    ["an administrators' group", { GroupName: 'wheel' }],
    ['a group that is no text', { GroupName: 0 }],
    ['a relative program', { ProgramArguments: ['openclaw', 'gateway'] }],
    ['a hidden program', { Program: 'openclaw' }],
    ['no program', { ProgramArguments: [] }],
    ['arguments that are no text', { ProgramArguments: ['/usr/local/bin/openclaw', 7] }],
    ['something else', { ProgramArguments: ['/usr/bin/nc', '-l'] }],
  ])('refuses %s', (_what, change) => {
    expect(() => requireLanePlist(target, { ...good, ...change })).toThrow(
      expect.objectContaining({ code: 'PlistInvalid' }),
    );
  });

  it("refuses a daemon that names no user, which would be root's", () => {
    const { UserName: _, ...rootless } = good;
    expect(() => requireLanePlist(target, rootless)).toThrow(expect.objectContaining({ code: 'PlistInvalid' }));
  });
});
