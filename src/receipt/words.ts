// What a receipt means, in the words that checklist, page and command line share. Pure.

import { failureTable } from '../domain/failure.ts';
import { gateTable } from '../domain/gate.ts';
import { formatDuration } from '../domain/quantity.ts';
import { provenBy } from './proven.ts';
import type { Receipt, ReceiptStep } from './receipt.ts';

/** A step of the procedure, over all its phases. */
export interface StepSummary {
  readonly step: string;
  readonly title: string;
  /** None when the run ended before it. */
  readonly phases: readonly ReceiptStep[];
  readonly ms: number;
  readonly budgetMs: number | null;
  readonly outcome: ReceiptStep['outcome'] | 'not reached';
  /** Attempts beyond the first of each activity. */
  readonly retries: number;
}

const titles: Readonly<Record<string, string>> = {
  check: 'Check bundle, host and workers',
  backup: 'Bundle before the upgrade',
  upgrade: 'Upgrade hook',
  pin: 'Roll the version pin back',
  stop: '1 Stop writers',
  tree: '2 Restore the tree',
  secrets: '3 Rehydrate secrets',
  smoke: '4 Smoke test',
  commit: 'Commit',
  settle: 'Put the lane right',
};

/** In the order of the procedure, whether or not they were reached (procedure, "Restoring a lane"). */
const ofEveryRestore = ['check', 'stop', 'tree', 'secrets', 'smoke', 'commit'];
const ofKind = {
  live: ofEveryRestore,
  sandbox: ['check', 'tree', 'secrets'],
  undo: ['tree', 'smoke'],
  upgrade: ['check', 'backup', 'upgrade', 'smoke'],
  gate: gateTable.map(({ day }) => `day-${day}`),
} as const;

export function shapeOf({ kind, restore }: Receipt): keyof typeof ofKind {
  return kind === 'restore' ? restore.into : kind;
}

export function stepSummaries(receipt: Receipt): StepSummary[] {
  const expected: readonly string[] = ofKind[shapeOf(receipt)];
  const others = [...new Set(receipt.steps.map(({ step }) => step))].filter((step) => !expected.includes(step));
  return [...expected, ...others].map((step) => summaryOf(step, receipt));
}

/** `Day 4: full tier B`; undefined for what is no day of the gate. */
function dayTitle(step: string): string | undefined {
  const row = gateTable.find(({ day }) => step === `day-${day}`);
  return row && `Day ${row.day}: ${row.action}`;
}

/** What the receipt is of: a lane, or the host of a gate. */
export function subjectText({ lane, host, gate }: Receipt): string {
  return gate ? `Host ${host.name} (${gate.lanes.join(', ')})` : `Lane ${lane} on ${host.name}`;
}

function summaryOf(step: string, { steps }: Receipt): StepSummary {
  const phases = steps.filter((one) => one.step === step);
  const [worst] = phases.filter(({ outcome }) => outcome !== 'passed');
  return {
    step,
    title: titles[step] ?? dayTitle(step) ?? step,
    phases,
    ms: phases.reduce((sum, phase) => sum + durationOf(phase), 0),
    budgetMs: phases[0]?.budgetMs ?? null,
    outcome: worst?.outcome ?? (phases.length > 0 ? 'passed' : 'not reached'),
    retries: phases.reduce((sum, { attempts, activities }) => sum + attempts - activities, 0),
  };
}

export function durationOf({ startedAt, endedAt }: Pick<ReceiptStep, 'startedAt' | 'endedAt'>): number {
  return Date.parse(endedAt) - Date.parse(startedAt);
}

/** `2026-11-22 03:15:01 UTC`. */
export function instantText(instant: string): string {
  return `${instant.slice(0, 19).replace('T', ' ')} UTC`;
}

/** `03:15:01`. */
export function timeText(instant: string): string {
  return instant.slice(11, 19);
}

/** What the run was to do: `live restore of config`. */
export function runText(receipt: Receipt): string {
  const { only, layered } = receipt.restore;
  const what = {
    live: 'live restore',
    sandbox: 'restore into a sandbox',
    undo: 'undo of the last restore',
    upgrade: 'guarded upgrade',
    gate: '7-day gate',
  };
  const part = only === null ? '' : `, of ${only} alone`;
  return `${what[shapeOf(receipt)]}${layered ? ', layered' : ''}${part}`;
}

const statesAfter = {
  restored: 'The lane is as the bundle has it',
  'as-before': 'The lane is as it was before this run',
  undone: 'The lane is as it was before its last restore',
  upgraded: 'The lane is as the upgrade left it',
  unsettled: 'THE LANE COULD NOT BE PUT RIGHT: its gateway may be down',
} as const;

/** One sentence each: what came of it, how the lane is now, how long it took. */
export function verdictText(receipt: Receipt): string[] {
  if (receipt.gate) return gateVerdict(receipt);
  const { messageAnswered, laneAfter, rto, failure } = receipt;
  const took = `${formatDuration(rto.ms)} of the ${formatDuration(rto.budgetMs)} of its RTO`;
  const answered = messageAnswered ? `, and it answered a test message after ${took}.` : '.';
  const why = failure === null ? [] : [`${failure}: ${failureTable[failure].meaning}.`];
  return [...why, `${statesAfter[laneAfter]}${answered}`, ...(isLate(receipt) ? ['THE RTO WAS MISSED.'] : [])];
}

function gateVerdict({ outcome, gate, rto, approvals }: Receipt): string[] {
  const stood = gate?.days.filter(({ state }) => state === 'failed').map(({ day }) => day) ?? [];
  const demonstration = gate?.dayLengthMs === null ? [] : ['A DEMONSTRATION: it proves nothing about a rent.'];
  if (outcome === 'failed')
    return [`Not signed${stood.length > 0 ? `: day ${stood.join(', ')} failed` : ''}.`, ...demonstration];
  const by = approvals.map((approval) => approval.by).join(', ');
  const drill = `All lanes answered a test message ${formatDuration(rto.ms)} after the drill began, of ${formatDuration(rto.budgetMs)}.`;
  return [`Signed by ${by}: the rent may go monthly.`, drill, ...demonstration];
}

export function isLate({ rto }: Receipt): boolean {
  return rto.ms > rto.budgetMs;
}

/** Does the lane hold now what the bundles had? Else what they would have lost it did not lose. */
export function restores({ laneAfter }: Receipt): boolean {
  return laneAfter === 'restored';
}

/** What the receipt proves, or why it proves nothing (proven.ts). */
export function proofText(receipt: Receipt): string {
  const proven = provenBy(receipt).map(({ bundle }) => bundle);
  if (proven.length > 0) return `proves ${proven.join(', ')}`;
  if (receipt.outcome === 'failed') return 'proves no bundle: it failed';
  if (receipt.kind === 'undo') return 'proves no bundle: an undo restores none';
  if (receipt.kind === 'gate') return 'proves no bundle: its drill has receipts of its own';
  if (receipt.kind === 'upgrade') return 'proves no bundle: an upgrade restores none';
  if (receipt.restore.into === 'sandbox') return 'proves no bundle: a sandbox answers no message';
  return 'proves no bundle: only a part was restored';
}

/** Whose word, and by what it is his. */
export function approvalText({ by, at, statement }: Receipt['approvals'][number]): string {
  return `${by} at ${instantText(at)}, ${statement}`;
}

/** What an operator has still to do, the most pressing first. */
export function openItems(receipt: Receipt): string[] {
  const { lane, laneAfter, failure, outcome, warnings, disclaimers, rto } = receipt;
  return [
    ...(laneAfter === 'unsettled' ? [`Put the lane right: \`./clawback status ${lane}\` says how.`] : []),
    ...(failure === null ? [] : [`${failure}: ${failureTable[failure].hint}.`]),
    ...rto.over.map((late) => `Over budget: ${late}. Reduce class 2, or add NVMe.`),
    ...warnings.map(capitalised),
    ...disclaimers.map((text) => `Worth less than it says: ${text}.`),
    ...(laneAfter === 'restored'
      ? [
          `Look at the lane's channels and at its next scheduled job; \`./clawback restore ${lane} --undo\` goes back for 7 days.`,
          `Back it up as it is now: \`./clawback backup ${lane} --tier B\`.`,
        ]
      : []),
    ...(laneAfter === 'restored' && outcome === 'failed'
      ? ['It was committed, though it failed: test it by hand.']
      : []),
  ];
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** What shows that a step did what it had to. */
export function evidenceText({ step, outcome }: StepSummary, receipt: Receipt): string {
  const day = receipt.gate?.days.find((one) => step === `day-${one.day}`);
  if (day) return [...day.evidence, ...(day.message === null ? [] : [day.message])].join('; ');
  if (outcome !== 'passed') return '';
  const texts: Readonly<Record<string, string>> = {
    check: 'signatures, keys, versions, room and every object of the bundle',
    stop: 'launchd has the job disabled; no process of the lane is left',
    tree: receipt.bundles.map(({ bundle, components }) => `${components.join(', ')} from ${bundle}`).join('; '),
    secrets: 'every Keychain item opened',
    smoke: receipt.messageAnswered
      ? 'health is 200; the test message was answered'
      : 'the test message was NOT answered',
    commit: 'the journal is closed',
    settle: 'nothing half done is left',
  };
  return texts[step] ?? '';
}
