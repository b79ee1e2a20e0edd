// A restore's plan and result in words. Pure.

import type { ClassRpo, RestorePlan, RestoreResult } from '../contract/results.ts';
import type { Component, DataClass } from '../domain/terms.ts';
import { formatBytes, formatDuration, formatInstant, formatTable, plural } from './format.ts';

export interface PlanContext {
  readonly rpoMs: number;
  readonly rtoMs: number;
  /** What was asked, so that the choice can be told. */
  readonly chosenBy: 'default' | 'newest' | 'bundle' | 'time';
  readonly only?: Component;
}

const choices = {
  default: ['the newest proven bundle', 'the newest bundle; none is proven by a passed restore'],
  newest: ['the newest; proven', 'the newest; not proven by a passed restore'],
  bundle: ['as asked; proven', 'as asked; not proven by a passed restore'],
  time: ['the newest of that time; proven', 'the newest of that time; not proven by a passed restore'],
} as const;

/** What will be restored, what is lost, how long it takes. */
export function planText(plan: RestorePlan, context: PlanContext): string {
  const rows = [
    ['bundle', `${plan.bundle} (tier ${plan.tier}; ${choices[context.chosenBy][plan.proven ? 0 : 1]})`],
    ['read from', `store ${plan.store}`],
    ...plan.sources.map(({ bundle, components }) => [
      'restores',
      `${components.join(', ')}${plan.sources.length > 1 ? ` from ${bundle}` : ''}`,
    ]),
    [
      'size',
      `${formatBytes(plan.sizeBytes)} in ${plural(plan.segments, 'segment')}, ${formatBytes(plan.sealedBytes)} to fetch`,
    ],
    ...([1, 2] as const).map((dataClass) => [`lost, class ${dataClass}`, lossText(plan.rpo, dataClass, context)]),
    ['estimate', `${formatDuration(plan.estimateMs)} (RTO ${formatDuration(context.rtoMs)})`],
    ['room', `${formatBytes(plan.neededBytes)} needed, ${formatBytes(plan.freeBytes)} free`],
    [
      'OpenClaw',
      `${plan.openclawVersion ?? 'unknown'} in the bundle, ${plan.liveOpenclawVersion ?? 'unknown'} on the lane`,
    ],
    ...plan.warnings.map((warning) => ['warning', warning]),
  ];
  const where = plan.fromHost === null ? `on ${plan.host}` : `from ${plan.fromHost} to ${plan.host}`;
  return `Restore of lane ${plan.lane} ${where}\n${formatTable([], rows)}`;
}

function lossText(rpo: readonly ClassRpo[], dataClass: DataClass, { rpoMs, only }: PlanContext): string {
  const found = rpo.find((one) => one.dataClass === dataClass);
  if (!found)
    return only === undefined
      ? 'nothing: the bundle has none of it, what the lane has stays'
      : `nothing: only ${only} is restored`;
  const objective = dataClass === 1 ? `; RPO ${formatDuration(rpoMs)}${found.rpoMs > rpoMs ? ' MISSED' : ''}` : '';
  return `what changed since ${formatInstant(found.capturedAt)} (${formatDuration(found.rpoMs)} ago${objective})`;
}

const heads = {
  live: ({ lane, bundle }: RestoreResult) => `lane ${lane} is restored from ${bundle}`,
  sandbox: ({ bundle, lane }: RestoreResult) =>
    `bundle ${bundle} of lane ${lane} restored into a sandbox, which is removed again; the lane was not touched`,
  undo: ({ lane }: RestoreResult) => `lane ${lane} is back at what its last restore had replaced`,
  plan: ({ lane }: RestoreResult) => `nothing of lane ${lane} was changed`,
} as const;

/** What happened, step by step. */
export function restoreText(result: RestoreResult): string {
  const { into, steps, rtoMs, rtoBudgetMs, rpo, messageAnswered, overBudget, bakEpoch, receipt, warnings } = result;
  const ran = steps.filter(({ ms }) => ms > 0);
  const clock = [
    ...ran.map(({ step, ms, budgetMs }) => [step, formatDuration(ms), formatDuration(budgetMs)]),
    ['in all', formatDuration(rtoMs), formatDuration(rtoBudgetMs)],
  ];
  const rows = [
    ...(result.stores.length > 0
      ? [
          [
            'read from',
            result.stores.map(({ store, segments }) => `${store} (${plural(segments, 'segment')})`).join(', '),
          ],
        ]
      : []),
    ...rpo.map(({ dataClass, bundle, capturedAt, rpoMs }) => [
      `class ${dataClass}`,
      `as of ${formatInstant(capturedAt)}, ${formatDuration(rpoMs)} before this restore (${bundle})`,
    ]),
    ...(into === 'live' || into === 'undo'
      ? [['gateway', messageAnswered ? 'healthy, and it answered a test message' : 'it answers NO message']]
      : []),
    ...(bakEpoch !== null && into === 'live'
      ? [['kept', `the replaced trees as .bak.${bakEpoch}, for 7 days (./clawback restore ${result.lane} --undo)`]]
      : []),
    ...(receipt !== null ? [['receipt', `${receipt} (./clawback receipt show ${receipt} --lane ${result.lane})`]] : []),
    ...overBudget.map((late) => ['OVER', late]),
    ...[...new Set(warnings)].map((warning) => ['warning', warning]),
  ];
  const table = formatTable(['step', 'time', 'budget'], clock);
  return [heads[into](result), table, ...(rows.length > 0 ? [formatTable([], rows)] : [])].join('\n');
}
