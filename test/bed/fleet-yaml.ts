// A fleet.yaml for a bed. The SSH key and the keychains' passwords are written beside the other keys; those that
// Clawback makes itself (`keys generate`) are only named.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { markDirectory } from '../../src/store/directory-marker.ts';
import type { Bed, BedHost, BedLane } from './bed-types.ts';

export interface FleetYamlOptions {
  /** The primary store's folder; made when missing, and marked. */
  readonly storePath: string;
  /** The primary store where it is no folder, as the fleet file has it. */
  readonly store?: Readonly<Record<string, unknown>>;
  /** Where keys and secrets are; absolute. */
  readonly keysDir: string;
  readonly fleet?: string;
}

/** The text of the fleet file; writes `ssh` and `<lane>.keychain` into `keysDir` (0600). */
export async function fleetYaml(bed: Bed, options: FleetYamlOptions): Promise<string> {
  mkdirSync(options.keysDir, { recursive: true, mode: 0o700 });
  if (options.store === undefined) {
    mkdirSync(options.storePath, { recursive: true, mode: 0o700 });
    await markDirectory('primary', options.storePath);
  }
  writeFileSync(join(options.keysDir, 'ssh'), bed.sshKey, { mode: 0o600 });
  for (const lane of bed.lanes) writeFileSync(passwordPath(options, lane), lane.keychainPassword, { mode: 0o600 });
  const key = (name: string): string => join(options.keysDir, name);
  const fleet = {
    fleet: options.fleet ?? 'bed',
    ssh: { key: { file: key('ssh') } },
    keys: {
      fingerprint: { file: key('fingerprint.hex') },
      manifest: { private: { file: key('manifest.key.pem') }, public: key('manifest.public.pem') },
      receipt: { private: { file: key('receipt.key.pem') }, public: key('receipt.public.pem') },
      recipients: { vault: key('vault.public.pem'), recovery: key('recovery.public.pem') },
      opening: { file: key('vault.key.pem') },
    },
    stores: { primary: options.store ?? { kind: 'directory', path: options.storePath, region: 'hk' } },
    hosts: Object.fromEntries(bed.hosts.map((host) => [host.name, hostEntry(host)])),
    lanes: Object.fromEntries(bed.lanes.map((lane) => [lane.lane, laneEntry(options, lane)])),
  };
  return stringify(fleet, { lineWidth: 0 });
}

function passwordPath(options: FleetYamlOptions, lane: BedLane): string {
  return join(options.keysDir, `${lane.lane}.keychain`);
}

function hostEntry(host: BedHost): Record<string, unknown> {
  const { address, port, user, hostKey, profile, root, tools } = host;
  return {
    address,
    port,
    user,
    hostKey,
    region: 'hk',
    timeZone: 'ask',
    profile,
    root,
    ...(Object.keys(tools).length > 0 ? { tools } : {}),
  };
}

function laneEntry(options: FleetYamlOptions, lane: BedLane): Record<string, unknown> {
  return {
    host: lane.host,
    user: lane.user,
    label: lane.label,
    domain: lane.domain,
    port: lane.port,
    keychain: {
      path: `~/${lane.keychain.slice(lane.home.length + 1)}`,
      password: { file: passwordPath(options, lane) },
    },
    secrets: lane.secrets,
    messageToken: lane.messageToken,
    exclude: [],
  };
}
