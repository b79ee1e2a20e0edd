// What is decided about a lane: names, port, Keychain items and the secrets planted in it. Secrets are random, so that
// a scan for them finds nothing by chance.

import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { BedItem, BedLane, BedProfile } from './bed-types.ts';
import { type HostPlan, hostPath } from './host-plan.ts';

export interface LanePlan extends BedLane {
  readonly uid: number;
  readonly gid: number;
  readonly throttleSeconds: number;
}

/** Where a gateway's own keychain lies, below the home. */
export const keychainName = 'Library/Keychains/openclaw.keychain-db';

/** @param number counts lanes over the whole bed, so that names are unique in a fleet */
export function planLane(host: HostPlan, number: number, port: number): LanePlan {
  const user = host.lanes.find((one) => one.name === `agent-lane-${number}`);
  if (user === undefined) throw new Error(`host ${host.name} has no user agent-lane-${number}`);
  const label = host.profile === 'slimvps-legacy' ? `com.slimvps.openclaw-lane${number}` : `ai.openclaw.lane${number}`;
  const values = plantedValues(number);
  const secrets = Object.keys(values).map((service): BedItem => ({ service, account: user.name }));
  const keychainPassword = `kc-${randomBytes(18).toString('base64url')}`;
  return {
    lane: `lane-${number}`,
    host: host.name,
    user: user.name,
    uid: user.uid,
    gid: user.gid,
    home: user.home,
    realHome: join(host.realRoot, '/Users', user.name),
    label,
    domain: 'system',
    plist: hostPath(host, `/Library/LaunchDaemons/${label}.plist`),
    port,
    profile: host.profile,
    keychain: join(user.home, keychainName),
    keychainPassword,
    secrets,
    messageToken: { service: 'openclaw-gateway', account: user.name },
    values,
    canaries: [keychainPassword, ...Object.values(values).flatMap(canariesOf)],
    throttleSeconds: 1,
  };
}

/** Text, text with quotes and a backslash, and several lines with bytes outside ASCII: each takes another way through `security`. */
function plantedValues(number: number): Record<string, Buffer> {
  const random = (): string => randomBytes(24).toString('base64url');
  return {
    'openclaw-gateway': Buffer.from(`gw-${number}-${random()}`),
    'openclaw-provider': Buffer.from(`sk-bed-${random()}`),
    'openclaw-webhook': Buffer.from(`wh "${random()}' \\${random()}`),
    'openclaw-certificate': Buffer.from(
      `-----BEGIN BED KEY-----\n${random()}${random()}\n東京-${random()}\n-----END BED KEY-----\n`,
    ),
  };
}

/** The random parts of a value: what a scan looks for. */
function canariesOf(value: Buffer): string[] {
  return value
    .toString('utf8')
    .split(/[^A-Za-z0-9_-]+/)
    .filter((part) => part.length >= 30);
}

/** The gateway's configuration of the lane. */
export function gatewayConfig(lane: LanePlan, chatterMs: number): Record<string, unknown> {
  const { user } = lane;
  const provider = lane.values['openclaw-provider'] ?? Buffer.alloc(0);
  return {
    gateway: { mode: 'local', port: lane.port, bind: 'loopback', auth: { token: lane.messageToken } },
    secrets: { keychain: `~/${keychainName}` },
    models: {
      provider: {
        service: 'openclaw-provider',
        account: user,
        tokenSha256: createHash('sha256').update(provider).digest('hex'),
        model: 'openclaw/default',
      },
    },
    agents: { defaults: { workspace: lane.profile === 'slimvps-legacy' ? '~/workspace' : '~/.openclaw/workspace' } },
    channels: { telegram: { enabled: true, allowFrom: ['+81 3 0000 0000'] }, webhook: { item: 'openclaw-webhook' } },
    bed: { chatterMs },
  };
}

/** The launchd plist, with the Mac's own paths. */
export function launchdPlist(
  lane: LanePlan,
): Record<string, string | number | boolean | string[] | Record<string, string>> {
  const log = logPath(lane.profile, lane.user, lane.lane);
  return {
    Label: lane.label,
    UserName: lane.user,
    ProgramArguments: ['/usr/local/bin/openclaw', 'gateway', 'run', '--port', String(lane.port)],
    WorkingDirectory: `/Users/${lane.user}`,
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: lane.throttleSeconds,
    ExitTimeOut: 5,
    Umask: 0o077,
    StandardOutPath: log,
    StandardErrorPath: log,
    EnvironmentVariables: { OPENCLAW_GATEWAY_PORT: String(lane.port) },
  };
}

function logPath(profile: BedProfile, user: string, lane: string): string {
  return profile === 'slimvps-legacy'
    ? `/var/log/openclaw-${lane}.log`
    : `/Users/${user}/Library/Logs/openclaw/gateway.log`;
}

export const openclawVersions: Readonly<Record<BedProfile, string>> = {
  'slimvps-legacy': '2025.11.3',
  'openclaw-2026': '2026.9.6',
};
