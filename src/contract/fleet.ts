// fleet.yaml: hosts, lanes, stores, keys, objectives. One schema gives the types, the JSON Schema for editors,
// the reference page (docs/fleet.md) and the errors. Unknown keys are errors; secrets stand here by reference only.
// What one field alone cannot show (a lane's host exists, no two lanes share a port) is in fleet-rules.ts.

import { z } from 'zod';
import { limits } from '../domain/limits.ts';
import { archivesSchema } from './fleet-archives.ts';
import { account, glob, keyPath, keychainPath, laneHome, name, port } from './fleet-fields.ts';
import { hostSchema } from './fleet-host.ts';
import { storeSchema } from './fleet-store.ts';
import { hooksSchema } from './fleet-hooks.ts';
import { playbooksSchema } from './fleet-playbooks.ts';
import { laneRetentionSchema, retentionSchema } from './fleet-retention.ts';
import { alertsSchema } from './fleet-alerts.ts';
import { schedulesSchema } from './fleet-schedules.ts';
import { regionsSchema, signalsSchema } from './fleet-signals.ts';
import { durationSchema, sizeSchema } from './fleet-units.ts';
import { secretRefSchema } from './secret-ref.ts';

const itemName = z
  .string()
  .max(200)
  .regex(/^[^\0-\x1f\x7f]+$/, 'a name in the keychain is one line, and not empty');

const keychainItem = z.strictObject({
  service: itemName.describe("the item's service (`security -s`)"),
  account: itemName.describe("the item's account (`security -a`)"),
});

export const laneSchema = z.strictObject({
  host: name.describe('the host it runs on, one of `hosts`'),
  user: account.describe("macOS account that owns the lane's files and runs its gateway"),
  home: laneHome
    .optional()
    .describe("the account's home, as on the Mac (below the host's `root`); `/Users/<user>` when left out"),
  label: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/, 'a launchd label has letters, digits, ".", "_" and "-"')
    .describe('label of the launchd job that runs the gateway'),
  domain: z
    .string()
    .regex(/^(system|gui\/\d{1,10})$/, 'a launchd domain is system or gui/<uid>')
    .default('system')
    .describe('launchd domain of the job: `system`, or `gui/<uid>` of a user at the console'),
  port: port.describe("TCP port of the gateway on the host's loopback"),
  keychain: z
    .strictObject({
      path: keychainPath.describe("the keychain file that holds the items, as on the Mac; `~/` is the lane's home"),
      password: secretRefSchema.optional().describe('its password, to unlock it; left out when it is never locked'),
    })
    .describe('the keychain of the lane'),
  secrets: z
    .array(keychainItem)
    .max(64, 'at most 64 items')
    .default([])
    .describe('Keychain items that a backup takes and a restore puts back'),
  messageToken: keychainItem
    .optional()
    .describe('the item, one of `secrets`, whose value the gateway wants with a test message'),
  exclude: z
    .array(glob)
    .max(64, 'at most 64 globs')
    .default([])
    .describe('what is never backed up: globs (`**`, `*`, `?`) below the home'),
  store: name.default('primary').describe('the store that its bundles go to, one of `stores`'),
  retention: laneRetentionSchema,
});

const recipients = z
  .strictObject({
    vault: keyPath.optional().describe('RSA-4096 public key (PEM) of the vault, which restores and verifies'),
    recovery: keyPath
      .optional()
      .describe('RSA-4096 public key (PEM) whose private half is kept offline, for the day the vault is lost'),
  })
  .refine(
    (value) => value.vault !== undefined || value.recovery !== undefined,
    'at least one of vault and recovery is needed, or nobody could open a bundle',
  );

const signingKeys = (what: string) =>
  z.strictObject({
    private: secretRefSchema.describe(`Ed25519 private key (PEM) that signs ${what}`),
    public: z
      .union(
        [
          keyPath.transform((path) => [path]),
          z.array(keyPath).min(1, 'at least one public key').max(8, 'at most 8 public keys'),
        ],
        {
          error: 'a path, or a list of 1 to 8 paths',
        },
      )
      .describe(`Ed25519 public key (PEM) that ${what} are checked with, or several while keys are rotated`),
  });

export const keysSchema = z.strictObject({
  fingerprint: secretRefSchema.describe(
    '32 bytes in hex: the key of the fingerprints that let a bundle refer to segments of an earlier one',
  ),
  manifest: signingKeys('manifests').describe('signing of manifests'),
  receipt: signingKeys('receipts')
    .optional()
    .describe('signing of receipts; only vault workers resolve the private half. Left out, nothing becomes proven'),
  recipients: recipients.describe('whom bundles are sealed to, at least one'),
  opening: secretRefSchema.optional().describe("the vault's private key (PEM); only vault workers resolve it"),
});

const stepSchema = (text: string, meaning: string) =>
  durationSchema({ from: '1s', to: '1d' }).prefault(text).describe(meaning);

export const objectivesSchema = z
  .strictObject({
    rto: durationSchema({ from: '1m', to: '7d' })
      .prefault('90m')
      .describe('how long the recovery of a lane may take, from the first signal to the answered test message'),
    rpo: durationSchema({ from: '1m', to: '30d' })
      .prefault('24h')
      .describe('how old the newest capture of class 1 may be'),
    steps: z
      .strictObject({
        stop: stepSchema('5m', 'budget of stopping the writers'),
        tree: stepSchema('40m', 'budget of fetching and restoring the tree'),
        secrets: stepSchema('20m', 'budget of putting the secrets back'),
        smoke: stepSchema('15m', 'budget of start and smoke test'),
      })
      .prefault({})
      .describe("budgets of a restore's steps; their sum is at most `rto`"),
  })
  .refine(({ rto, steps }) => steps.stop + steps.tree + steps.secrets + steps.smoke <= rto, {
    path: ['steps'],
    message: 'the steps together take longer than rto',
  });

const countSchema = (most: number, preset: number, meaning: string) =>
  z
    .int('a whole number')
    .min(1, 'at least 1')
    .max(most, `at most ${most}`)
    .default(preset)
    .describe(`${meaning}, 1 to ${most}`);

export const verifySchema = z.strictObject({
  within: durationSchema({ from: '1d', to: '366d' })
    .prefault('30d')
    .describe('within this time `./clawback verify`, run by and by, has opened and hashed everything'),
});

export const operatorLimitsSchema = z.strictObject({
  streams: z
    .int('a whole number')
    .min(1, 'at least 1')
    .max(16, 'at most 16')
    .default(2)
    .describe('backup streams of one lane at the same time, 1 to 16'),
  lanesAtOnce: countSchema(limits.lanesAtOnce, 100, 'lanes at the same time, of one fleet run'),
  streamsPerHost: countSchema(
    limits.streamsPerHost,
    8,
    'streams to and from one host at the same time, of one fleet run',
  ),
  streamsAtOnce: countSchema(limits.streamsAtOnce, 64, 'streams in all at the same time, of one fleet run'),
  waitForLane: durationSchema({ from: '1s', to: '1d' })
    .prefault('30m')
    .describe('how long an operation waits for a lane that another holds, 1s to 1d'),
  segment: sizeSchema({ from: '1MiB', to: '4GiB' })
    .prefault('256MiB')
    .describe('size of a segment before compression, 1MiB to 4GiB: what a crash costs at most'),
});

export const fleetSchema = z.strictObject({
  fleet: name.describe('name of the fleet; sealed into every bundle, so choose it once'),
  ssh: z
    .strictObject({
      key: secretRefSchema.describe('private SSH key in OpenSSH form'),
      passphrase: secretRefSchema.optional().describe('passphrase of the key, if it has one'),
    })
    .describe('how workers log in on hosts'),
  keys: keysSchema.describe('keys of the bundles; `./clawback keys generate DIR` makes all of them'),
  stores: z
    .record(name, storeSchema)
    .describe('where bundles rest, by name; `primary` is the one that lanes use unless they name another'),
  archives: archivesSchema
    .optional()
    .describe('archives of the scripts that ran before Clawback: where they lie, to be imported'),
  hosts: z.record(name, hostSchema).describe('the Macs, by name'),
  regions: z
    .record(name, regionsSchema)
    .default({})
    .describe('what is known of regions, by the name that hosts and stores give'),
  lanes: z.record(name, laneSchema).describe("the lanes, by id; a lane's id outlives its host"),
  objectives: objectivesSchema.prefault({}).describe('recovery objectives'),
  verify: verifySchema.prefault({}).describe('how what lies in the stores is read again'),
  retention: retentionSchema
    .prefault({})
    .describe('which bundles are kept; days, weeks and months without a bundle do not count'),
  signals: signalsSchema
    .prefault({})
    .describe('when the watch, which looks every 50 s, calls something a signal, as [playbooks](playbooks.md) says'),
  hooks: hooksSchema
    .default({})
    .describe(
      "what the operator's own programs and services do, as [hooks](hooks.md) says; KIND is one of alert, upgrade, pin, provision, fence and dns",
    ),
  playbooks: playbooksSchema.prefault({}).describe('recoveries from disasters: which act alone, and whose word counts'),
  schedules: schedulesSchema
    .prefault({})
    .describe('what runs by itself, once `./clawback schedules apply` has told Temporal'),
  alerts: alertsSchema.prefault({}).describe('when it is told that backups are older than they are to be'),
  limits: operatorLimitsSchema.prefault({}).describe('limits that an operator may set'),
});

export type Fleet = z.infer<typeof fleetSchema>;
export type FleetHost = z.infer<typeof hostSchema>;
export type FleetLane = z.infer<typeof laneSchema>;

/** The JSON Schema (2020-12) of the file, for editors. */
export function fleetJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fleetSchema, { io: 'input' });
}
