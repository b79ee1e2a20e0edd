// What a workflow's page in the Temporal UI says, as Markdown: where the operation is, and in the end what came of it.
// Pure; ids, sizes and times only.

import type { ExpiryResult } from '../contract/expiry.ts';
import type { FleetProgress, FleetResult } from '../contract/fleet-run.ts';
import type {
  BackupResult,
  ImportResult,
  Progress,
  ReplicateResult,
  RestoreResult,
  SectionResult,
  SweptStore,
} from '../contract/results.ts';
import type { UpgradeResult } from '../contract/upgrade.ts';
import type { MovedState } from '../contract/placement.ts';
import type { VerifyResult } from '../contract/verify.ts';
import { assertNever } from '../domain/assert-never.ts';
import { faultText } from '../domain/fault-text.ts';
import { formatBytes, formatDuration } from '../domain/quantity.ts';

/** While it runs. */
export function progressDetails(progress: Progress): string {
  const { segmentsDone, segmentsTotal, bytesDone, bytesTotal, reusedBytes, step, overBudget } = progress;
  const reused = reusedBytes > 0 ? `, ${formatBytes(reusedBytes)} reused` : '';
  return paragraphs([
    `**${progress.phase}**`,
    segmentsTotal > 0 &&
      `segments ${segmentsDone} of ${segmentsTotal}, ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${reused}`,
    step && `step ${step.name} since ${step.startedAt}, budget ${formatDuration(step.budgetMs)}`,
    ...overBudget.map((late) => `**over budget**: ${late}`),
  ]);
}

/** When it is over. */
export function doneDetails(result: SectionResult): string {
  switch (result.kind) {
    case 'backup':
      return backupDetails(result.backup);
    case 'restore':
      return restoreDetails(result.restore);
    case 'upgrade':
      return upgradeDetails(result.upgrade);
    case 'import':
      return importDetails(result.import);
    case 'settle':
      return `**settled**: ${result.settle.action}; the gateway is ${result.settle.gateway}`;
    case 'prune':
      return `**pruned** ${result.prune.lane}: ${formatBytes(result.prune.freeAfterBytes)} of ${formatBytes(result.prune.totalBytes)} are free, ${formatBytes(result.prune.freeBeforeBytes)} were`;
    case 'stop':
      return '**stopped**: the gateway stays down until the lane is restored';
    case 'sweep':
      return `**swept**: ${[result.sweep, ...(result.sweep.replica === null ? [] : [result.sweep.replica])].map(sweptText).join('; ')}`;
    case 'expire':
      return expiryDetails(result.expire);
    default:
      return assertNever(result);
  }
}

function sweptText({
  store,
  removedObjects,
  removedBytes,
  keptObjects,
  damaged,
}: SweptStore & { store: string }): string {
  return `${removedObjects} objects (${formatBytes(removedBytes)}) removed from ${store}, ${keptObjects} kept${lacking(damaged)}`;
}

/** Lanes of a lost host, until fleet.yaml says where they are. */
export function movedDetails({ lostHost, lanes, on, lost, inFleetFile, fleetLines }: MovedState): string {
  return paragraphs([
    `**lanes ${lanes.join(', ')}** of ${lostHost} are on ${on.host}; ${lostHost} is ${lost}`,
    inFleetFile
      ? 'fleet.yaml says so'
      : [
          '**fleet.yaml does not say so yet.** Change these lines, and restart the workers:',
          '```',
          ...fleetLines,
          '```',
        ].join('\n'),
  ]);
}

/** While a fleet run goes on. */
export function fleetDetails({ phase, lanes, overBudget }: FleetProgress): string {
  const rows = lanes.map(
    ({ lane, host, phase: of, code }) => `| ${lane} | ${host} | ${code ? `${of}: ${code}` : of} |`,
  );
  return paragraphs([
    lanes.length === 0 ? `**${phase}**` : `**${lanesText(lanes.map((lane) => lane.phase))}**`,
    rows.length > 0 && ['| lane | host | is |', '| --- | --- | --- |', ...rows].join('\n'),
    ...overBudget.map((late) => `**over budget**: ${late}`),
  ]);
}

/** `3 lanes: 1 running, 2 ok`. */
function lanesText(phases: readonly string[]): string {
  const counts = Map.groupBy(phases, (phase) => phase);
  return `${phases.length} lanes: ${[...counts].map(([phase, some]) => `${some.length} ${phase}`).join(', ')}`;
}

/** When a fleet run is over. */
export function fleetDoneDetails({ kind, lanes, wallMs, sequenceMs, rtoMs }: FleetResult): string {
  return paragraphs([
    `**${kind}** of ${lanesText(lanes.map(({ outcome }) => outcome))}`,
    `${formatDuration(wallMs)} in all; the lanes' own times add up to ${formatDuration(sequenceMs)}, the most that one after the other would take`,
    rtoMs !== null && `every lane answered within ${formatDuration(rtoMs)}`,
    [
      '| lane | host | outcome | bundle | time | why |',
      '| --- | --- | --- | --- | --- | --- |',
      ...lanes.map(
        ({ lane, host, outcome, after, bundle, elapsedMs, code, remarks }) =>
          `| ${lane} | ${host} | ${outcome}, ${after} | ${bundle ?? ''} | ${formatDuration(elapsedMs)} | ${[code ?? '', ...remarks].join(' ')} |`,
      ),
    ].join('\n'),
  ]);
}

function expiryDetails({ dryRun, stores }: ExpiryResult): string {
  return paragraphs(
    stores.map(({ store, standsStill, removedBundles, removedBytes, bundles, buried }) => {
      if (standsStill !== null) return `**stands still** in ${store}: ${standsStill}`;
      if (!dryRun)
        return `**expired** in ${store}: ${removedBundles.length} bundles (${formatBytes(removedBytes)}) removed, ${buried} got a tombstone`;
      const of = (state: string): number => bundles.filter((bundle) => bundle.state === state).length;
      return `**would expire** in ${store}: ${of('due')} bundles to remove, ${of('expires')} to get a tombstone`;
    }),
  );
}

function backupDetails(backup: BackupResult): string {
  const { bundle, lane, tier, sizeBytes, segments, reusedSegments, sealedBytes, elapsedMs } = backup;
  return paragraphs([
    `**backed up** ${lane}, tier ${tier}: bundle ${bundle}`,
    `${formatBytes(sizeBytes)} in ${segments} segments, ${reusedSegments} of them reused; ${formatBytes(sealedBytes)} written in ${formatDuration(elapsedMs)}`,
    ...backup.suspect.map((reason) => `**suspect**: ${reason}`),
    ...backup.warnings.map(warning),
  ]);
}

export function replicateDetails({ lane, from, to, bundles, failed, elapsedMs }: ReplicateResult): string {
  const sentBytes = bundles.reduce((sum, copied) => sum + copied.sentBytes, 0);
  return paragraphs([
    `**copied** ${bundles.length} bundles of ${lane} from ${from} to ${to}: ${formatBytes(sentBytes)} in ${formatDuration(elapsedMs)}`,
    ...failed.map(({ bundle, code, message }) => `**not copied** ${bundle}: ${code} ${message}`),
  ]);
}

export function verifyDetails({ lane, store, bundles, segments, opened, faults, coverage }: VerifyResult): string {
  return paragraphs([
    `**verified** ${segments} segments of ${bundles} bundles of ${lane} in ${store}; ${opened} opened`,
    `${coverage.opened} of ${coverage.segments} were opened within ${formatDuration(coverage.withinMs)}, ${coverage.compared} of ${coverage.comparable} compared with the lane`,
    faults.length > 0 && `**wrong**: ${faultText(faults)}`,
  ]);
}

function upgradeDetails({
  lane,
  from,
  to,
  bundle,
  dryRun,
  hookMs,
  elapsedMs,
  receipt,
  warnings,
}: UpgradeResult): string {
  const version = to ?? 'what the upgrade hook chooses';
  return paragraphs([
    dryRun
      ? `**planned** an upgrade of ${lane} from ${from} to ${version}`
      : `**upgraded** ${lane} from ${from} to ${version}`,
    !dryRun && `the test message was answered; the hook took ${formatDuration(hookMs)} of ${formatDuration(elapsedMs)}`,
    bundle !== null && `bundle ${bundle} was taken before`,
    receipt !== null && `receipt ${receipt}`,
    ...warnings.map(warning),
  ]);
}

function importDetails({
  archive,
  lane,
  bundle,
  capturedAt,
  segments,
  sizeBytes,
  already,
  suspect,
}: ImportResult): string {
  return paragraphs([
    `**imported** ${archive} of ${lane}: bundle ${bundle}, captured ${capturedAt}`,
    already ? 'it had been imported before' : `${formatBytes(sizeBytes)} in ${segments} segments`,
    ...suspect.map((reason) => `**suspect**: ${reason}`),
  ]);
}

function restoreDetails(restore: RestoreResult): string {
  const { into, lane, bundle, rtoMs, rtoBudgetMs, messageAnswered } = restore;
  const steps = restore.steps.filter(({ ms }) => ms > 0);
  return paragraphs([
    into === 'undo'
      ? `**went back** to the tree that ${lane} had before its last restore`
      : `**${done[into]}** ${lane} from bundle ${bundle}`,
    into === 'live' &&
      `the test message was ${messageAnswered ? '' : '**not** '}answered after ${formatDuration(rtoMs)} (RTO ${formatDuration(rtoBudgetMs)})`,
    steps.length > 0 &&
      [
        '| step | time | budget |',
        '| --- | --- | --- |',
        ...steps.map(({ step, ms, budgetMs }) => `| ${step} | ${formatDuration(ms)} | ${formatDuration(budgetMs)} |`),
      ].join('\n'),
    ...restore.rpo.map(
      ({ dataClass, capturedAt, rpoMs }) =>
        `class ${dataClass} is of ${capturedAt}, ${formatDuration(rpoMs)} before the restore began`,
    ),
    restore.receipt !== null && `receipt ${restore.receipt}`,
    ...restore.overBudget.map((late) => `**over budget**: ${late}`),
    ...restore.warnings.map(warning),
  ]);
}

const done = { live: 'restored', sandbox: 'restored into a sandbox:', plan: 'planned a restore of' } as const;

function warning(text: string): string {
  return `warning: ${text}`;
}

function paragraphs(lines: readonly (string | false | null)[]): string {
  return lines.filter((line) => typeof line === 'string').join('\n\n');
}

function lacking(damaged: readonly string[]): string {
  return damaged.length > 0 ? `; ${damaged.length} bundles lack objects: ${damaged.slice(0, 3).join(', ')}` : '';
}
