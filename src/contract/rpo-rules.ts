// The recovery point objectives by the fleet file: what may be how old. Pure.

import type { RpoRules } from '../domain/rpo.ts';
import type { Fleet } from './fleet.ts';

export function rpoRulesOf({ alerts }: Pick<Fleet, 'alerts'>): RpoRules {
  return { graceMs: alerts.grace, remindEveryMs: alerts.remindEvery };
}

const dayMs = 24 * 3600 * 1000;

/**
 * Class 2's objective: how often its own schedule captures it. Tier C counts where it is scheduled: on hosts with several
 * lanes.
 * @returns null when nothing is scheduled that holds class 2: then it has no objective
 */
export function classTwoRpoMs({ schedules, lanes }: Pick<Fleet, 'schedules' | 'lanes'>, lane: string): number | null {
  const { tierB, tierC } = schedules;
  const host = lanes[lane]?.host;
  const hasOthers = Object.values(lanes).filter((one) => one.host === host).length > 1;
  const holding = [tierB, ...(hasOthers ? [tierC] : [])].filter(({ enabled }) => enabled);
  if (holding.length === 0) return null;
  return Math.min(...holding.map(({ day }) => (day === 'daily' ? dayMs : 7 * dayMs)));
}
