// Incidents: what the five playbooks take, and what they can be told while they run. Their plans are in
// incident-plan.ts, what they answer in incident-state.ts.

import { z } from 'zod';
import type { Scenario } from '../domain/incident.ts';
import { lanePattern } from '../domain/terms.ts';

const name = z.string().regex(lanePattern, 'lower-case letters, digits and inner dashes');
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256, in hex');
const text = (most: number) => z.string().min(1).max(most);
const oneLine = (most: number) => text(most).regex(/^[^\p{Cc}]+$/u, 'on one line');
const byName = text(80).regex(/^[^\p{Cc}]+$/u, 'a name on one line');

/** What every playbook takes beside its subject. */
const common = {
  openedBy: z.enum(['operator', 'watch']).default('operator'),
  signal: z
    .strictObject({ code: text(40), since: z.iso.datetime(), text: text(200) })
    .optional()
    .describe('the first signal: RTO is counted from its `since`; none: from the start'),
  dryRun: z.boolean().default(false).describe('plan only; nothing is changed'),
  rehearse: z
    .boolean()
    .default(false)
    .describe('a rehearsal: it is a drill, and fails when it takes longer than the RTO'),
  standby: name.optional().describe('the host that takes the lanes over, as fleet.yaml names it'),
  waitMs: z
    .int()
    .min(0)
    .max(24 * 3600 * 1000)
    .optional()
    .describe(
      'how long to wait for another operation on a lane, in milliseconds; default: waitForLane of the fleet file',
    ),
};

const lane = name.describe('the lane, as fleet.yaml names it');
const host = name.describe('the host, as fleet.yaml names it');

/** What the workflow of each scenario takes. */
export const recoverInputs = {
  'bad-upgrade': z.strictObject({ lane, ...common }),
  'disk-full': z.strictObject({ host, ...common }),
  'cross-write': z.strictObject({ host, lanes: z.array(name).min(2).max(64).optional(), ...common }),
  'region-loss': z.strictObject({ region: name.describe('the region, as fleet.yaml names it'), ...common }),
  'host-loss': z.strictObject({ host, ...common }),
} as const satisfies Record<Scenario, z.ZodType>;

export type IncidentCommon = z.infer<z.ZodObject<typeof common>>;
export type FirstSignal = NonNullable<IncidentCommon['signal']>;

/** Where the fleet file lists approvers, what somebody says is signed by one of them. */
export const signed = {
  expires: z.iso.datetime().optional().describe('with a signature: until when it counts'),
  signature: z
    .string()
    .max(8192)
    .regex(
      /^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]+-----END SSH SIGNATURE-----\n?$/,
      'what `ssh-keygen -Y sign` writes',
    )
    .optional(),
};

/** Update `approve`: of exactly the plan that has this digest. */
export const ApproveInput = z.strictObject({
  digest,
  by: byName.describe('who approves; with approvers in the fleet file one of them'),
  waiveFence: z
    .boolean()
    .default(false)
    .describe('go on although the lost host could not be fenced: the receipt says so'),
  ...signed,
});
export type ApproveInput = z.infer<typeof ApproveInput>;

export const DeclineInput = z.strictObject({ by: byName, reason: text(200) });
export type DeclineInput = z.infer<typeof DeclineInput>;

/** Update `handDone`: what somebody did by hand, for a step that has no hook. */
export const HandDoneInput = z.strictObject({
  step: z.string().regex(/^[a-z][a-z-]{0,39}$/),
  by: byName.default('operator'),
  address: oneLine(255).optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: oneLine(63).optional(),
  hostKey: oneLine(800).optional(),
  ...signed,
});
export type HandDoneInput = z.infer<typeof HandDoneInput>;

export const ClearedInput = z.strictObject({ at: z.iso.datetime() });
export type ClearedInput = z.infer<typeof ClearedInput>;

/** Names are API. */
export const incidentMessages = {
  approve: 'approve',
  decline: 'decline',
  handDone: 'handDone',
  cleared: 'cleared',
  incident: 'incident',
} as const;
