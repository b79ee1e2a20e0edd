// The watch over recovery point objectives: what it asks of the stores, what it answers and remembers.

import { z } from 'zod';
import { type FailureCode } from '../domain/failure.ts';
import type { RpoRules, RpoSight } from '../domain/rpo.ts';
import { limits } from '../domain/limits.ts';
import { lanePattern } from '../domain/terms.ts';

export const WatchRpoInput = z.strictObject({});

const memory = z.strictObject({
  lane: z.string().regex(lanePattern),
  dataClass: z.union([z.literal(1), z.literal(2)]),
  fromMs: z.number(),
  told: z.int().min(0),
  toldAtMs: z.number(),
});

/** What the last run of the schedule left; another form of it, of another build, is nothing. */
export const RpoMemories = z.array(memory).max(2 * limits.lanesPerFleet);

export interface RpoLook {
  readonly fleet: string;
  readonly rules: RpoRules;
  /** Is there an alert hook? */
  readonly alerts: boolean;
  /** Every lane by class 1; by class 2 where it has an objective. */
  readonly sights: readonly RpoSight[];
  /** Lanes whose store could not be read: judged by what is known of them. */
  readonly unseen: readonly { readonly lane: string; readonly code: FailureCode }[];
}

/** On the vault's queue. */
export interface RpoSteps {
  /** When the newest good capture of each class was made, of every lane: one LIST a lane. Changes nothing. */
  lookAtRpo(input: Readonly<Record<string, never>>): Promise<RpoLook>;
}

export interface WatchRpoResult {
  /** `lane-1 class 1`, each that is late now. */
  readonly missed: readonly string[];
  /** What was told in this run. */
  readonly told: readonly string[];
  /** What was to be told and could not be, with the code; the next run tells it. */
  readonly untold: readonly string[];
  readonly unseen: RpoLook['unseen'];
  readonly memory: z.infer<typeof RpoMemories>;
}
