// The gate's page in the Temporal UI, as Markdown: a row a day. Pure.

import type { GateState } from '../contract/gate.ts';

export function gateDetails({
  host,
  phase,
  doing,
  rows,
  rearmed,
  looks,
  dayLengthMs,
  next,
  receipt,
}: GateState): string {
  return [
    `**${host}: ${phase}**, ${doing}`,
    dayLengthMs === null ? '' : `a demonstration: its days last ${dayLengthMs / 1000} s`,
    ...rearmed.slice(0, 1).map(({ at, why }) => `went back to day 1 at ${at}: ${why}`),
    [
      '| day | action | state | evidence |',
      '| --- | --- | --- | --- |',
      ...rows.map(
        ({ day, action, state, evidence, message, advice }) =>
          `| ${day} | ${action} | ${state} | ${[...evidence.slice(0, 3), message, ...advice].filter((text) => text !== null).join('; ')} |`,
      ),
    ].join('\n'),
    `${looks.taken} of ${looks.expected} looks at the disk`,
    receipt === null ? '' : `receipt ${receipt}`,
    next === null ? '' : `next: \`${next}\``,
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}
