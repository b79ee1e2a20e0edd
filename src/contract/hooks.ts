// Hooks: what an operator's own program or service does for Clawback. Of each kind what it is told and what it may
// answer; both are objects of JSON, and an answer with a key that is not here is refused.

import { z } from 'zod';
import { account, address, hostKey, name, port, region } from './fleet-fields.ts';

export const hookKinds = ['alert', 'upgrade', 'pin', 'provision', 'fence', 'dns'] as const;
export type HookKind = (typeof hookKinds)[number];

const text = (most: number) => z.string().max(most);
const version = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/, 'a version has letters, digits, ".", "+", "_" and "-", at most 64');
const lanes = z.array(name).max(500);

/** Where a lane is, as SSH reaches it: `login` logs in at `address`, `user` is the lane's own account. */
const laneOnHost = { lane: name, host: name, address, port, login: account, user: account };

/** What is put to a hook, beside `hook`, `fleet` and `key`. */
export const hookInputs = {
  alert: z.strictObject({
    severity: z.enum(['warning', 'critical', 'resolved']),
    code: text(80),
    subject: text(120),
    message: text(2000),
    since: z.iso.datetime(),
    runbook: text(400),
  }),
  upgrade: z.strictObject({
    ...laneOnHost,
    /** OpenClaw's now; null when it does not tell. */
    from: version.nullable(),
    /** What was asked for; null: the hook's own choice. */
    to: version.nullable(),
  }),
  pin: z.strictObject({ ...laneOnHost, version }),
  provision: z.strictObject({
    host: name,
    region,
    profile: text(80),
    version: version.nullable(),
    lanes: z.array(z.strictObject({ lane: name, user: account, port })).max(64),
  }),
  fence: z.strictObject({ host: name, address, region, lanes }),
  dns: z.strictObject({ host: name, address, lanes }),
} as const satisfies Record<HookKind, z.ZodType>;

/** What it may answer. */
export const hookAnswers = {
  alert: z.strictObject({}),
  /** Which version it installed: compared with what the host says then. */
  upgrade: z.strictObject({ version: z.exactOptional(version) }),
  pin: z.strictObject({}),
  provision: z.strictObject({
    address,
    port: z.exactOptional(port),
    user: z.exactOptional(account),
    hostKey,
  }),
  /** In which way, as in `power-off` or `revoked`. */
  fence: z.strictObject({ fenced: z.string().regex(/^[\x20-\x7e]{1,80}$/, 'text of 1 to 80 plain characters') }),
  dns: z.strictObject({}),
} as const satisfies Record<HookKind, z.ZodType>;

export type HookInput<K extends HookKind> = z.infer<(typeof hookInputs)[K]>;
export type HookAnswer<K extends HookKind> = z.infer<(typeof hookAnswers)[K]>;

/** `fleetDigest`: of the fleet file that the starter saw (FleetChanged); left out, the worker's own is taken. */
export interface HookRequest<K extends HookKind = HookKind> {
  readonly hook: K;
  readonly fleetDigest?: string;
  /** The same whenever the same is asked for: workflow id and step. */
  readonly key: string;
  readonly input: HookInput<K>;
}

/** On the vault's queue. */
export interface HookSteps {
  /** Which hooks the fleet file has. */
  describeHooks(input: { readonly fleetDigest?: string }): Promise<{ readonly kinds: readonly HookKind[] }>;
  /**
   * Runs a hook as often as its `attempts` say, and answers what it answered. May be called again, with the same key: when
   * a worker dies, what it ran is ended and run anew. HookMissing, HookFailed, HookAnswerInvalid, FleetChanged,
   * SecretUnavailable.
   */
  runHook<K extends HookKind>(input: HookRequest<K>): Promise<HookAnswer<K>>;
}
