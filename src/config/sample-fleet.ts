// A fleet file that passes: three lanes on one host, keys as `./clawback keys generate keys` makes them. README and
// docs show it; a test loads it.

import { keyFiles } from './generate-keys.ts';

/** The text of a whole fleet.yaml. Address, host key and names are examples for the operator to replace. */
export function sampleFleet(): string {
  return `# yaml-language-server: $schema=./docs/fleet.schema.json
fleet: demo

ssh:
  key: { file: keys/${keyFiles.sshPrivate} }

keys: # all made by: ./clawback keys generate keys
  fingerprint: { file: keys/${keyFiles.fingerprint} }
  manifest:
    private: { file: keys/${keyFiles.manifestPrivate} }
    public: keys/${keyFiles.manifestPublic}
  receipt: # signs what restores did; without it nothing becomes proven
    private: { file: keys/${keyFiles.receiptPrivate} }
    public: keys/${keyFiles.receiptPublic}
  recipients:
    vault: keys/${keyFiles.vaultPublic}
    recovery: keys/${keyFiles.recoveryPublic} # its private half is kept offline
  opening: { file: keys/${keyFiles.vaultPrivate} }

stores:
  primary: { kind: directory, path: bundles, region: tokyo }

hosts:
  mac-1:
    address: mac-1.example.net
    user: admin
    # from: ssh-keyscan -t ed25519 mac-1.example.net (compare it with what the provider shows)
    hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvuz6ghUbJBiwfgLzyfXFmbqPHqh8R2ZkN1iwzGHN6J
    region: tokyo
    timeZone: Asia/Tokyo
    profile: openclaw-2026

lanes:
  lane-1: &lane
    host: mac-1
    user: agent-lane-1
    label: ai.openclaw.gateway.lane1
    port: 18789
    keychain:
      path: ~/Library/Keychains/openclaw.keychain-db
      password: { env: LANE_1_KEYCHAIN_PASSWORD }
    secrets:
      - { service: openclaw-gateway, account: token }
      - { service: openclaw-anthropic, account: api-key }
    messageToken: { service: openclaw-gateway, account: token }
  lane-2:
    <<: *lane
    user: agent-lane-2
    label: ai.openclaw.gateway.lane2
    port: 18790
    keychain:
      path: ~/Library/Keychains/openclaw.keychain-db
      password: { env: LANE_2_KEYCHAIN_PASSWORD }
  lane-3:
    <<: *lane
    user: agent-lane-3
    label: ai.openclaw.gateway.lane3
    port: 18791
    keychain:
      path: ~/Library/Keychains/openclaw.keychain-db
      password: { env: LANE_3_KEYCHAIN_PASSWORD }
`;
}
