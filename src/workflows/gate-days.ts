// What is done on each day of the gate, and judged. What is thrown fails the day with its code; what was done and is not
// good enough fails it with advice.

import type { GateState } from '../contract/gate.ts';
import type { BackupResult, RestoreResult } from '../contract/results.ts';
import { failureTable } from '../domain/failure.ts';
import { sharedBetween, tooSlowAdvice } from '../domain/gate.ts';
import { gateLimits } from '../domain/gate-limits.ts';
import { formatDuration } from '../domain/quantity.ts';
import { backUp, child, restoreAll } from './gate-children.ts';
import { type DayDone, failed, passed, type Problem } from './gate-done.ts';
import type { HostPicture } from './gate-host.ts';
import { readiness } from './gate-readiness.ts';
import { host, vault } from './steps.ts';

export function workOfDay(day: number, picture: HostPicture, state: GateState): Promise<DayDone> {
  switch (day) {
    case 0:
      return readiness(picture);
    case 1:
      return firstBackup(picture);
    case 3:
      return sandboxRestore(picture, state);
    case 4:
      return fullBackup(picture);
    case 5:
      return drill(picture);
    default:
      return distinctArchives(picture);
  }
}

async function firstBackup(picture: HostPicture): Promise<DayDone> {
  const { schedules } = await vault.applySchedules();
  const { done, problems, archives } = await backUp(picture, 'A');
  const logged = await Promise.all(done.map((backup) => readLine(picture, backup)));
  const evidence = [`${schedules} schedules applied`, ...logged.map(({ text }) => text)];
  const all = [...problems, ...logged.flatMap((line) => line.problems)];
  return all.length > 0 ? failed('GateDayFailed', all, evidence) : passed(evidence, { archives });
}

/** The node's own log names the bundle, with the checksum of the manifest that is in the store. */
async function readLine({ lanes }: HostPicture, { lane, bundle, manifestSha256 }: BackupResult) {
  const target = lanes.find(({ spec }) => spec.lane === lane)?.spec.target;
  const line = target === undefined ? null : await host.readBackupLog({ target, bundle });
  if (line?.manifestSha256 === manifestSha256 && line.outcome === 'ok')
    return { text: `${lane}: ${bundle} is off-host, its log line has ${manifestSha256.slice(0, 12)}…`, problems: [] };
  const what =
    line === null
      ? `the log on the node has no line of ${bundle} of ${lane}`
      : `the log on the node says ${line.outcome} ${line.manifestSha256.slice(0, 12)}… of ${bundle} of ${lane}, the manifest has ${manifestSha256.slice(0, 12)}…`;
  const advice = 'see who writes /var/log/openclaw-backup.log beside root, and whether its volume has room';
  return { text: `${lane}: ${bundle} is off-host, NOT in the log on the node`, problems: [{ what, advice }] };
}

async function sandboxRestore(picture: HostPicture, { archives }: GateState): Promise<DayDone> {
  const evidence: string[] = [];
  const problems: Problem[] = [];
  // one after the other: /tmp/restore-test leads to one at a time
  for (const { spec } of picture.lanes) {
    const bundle = archives.findLast(({ lane, day }) => lane === spec.lane && day === 1)?.bundle;
    const { checked, bundle: from } = await child<RestoreResult>('restore', spec.lane, {
      lane: spec.lane,
      into: 'sandbox',
      bundle,
      fleetDigest: spec.fleetDigest,
    });
    const { configurations = 0, secrets = 0 } = checked ?? {};
    evidence.push(
      `${spec.lane}: ${from}, ${configurations} configurations parse, ${secrets} of ${spec.secrets.length} secrets open`,
    );
    if (configurations === 0)
      problems.push({
        what: `bundle ${from} of ${spec.lane} holds no configuration`,
        advice: `see whether the profile of ${spec.lane} fits its OpenClaw`,
      });
    if (secrets < spec.secrets.length)
      problems.push({
        what: `${secrets} of ${spec.secrets.length} secrets of ${spec.lane} open`,
        advice: `back ${spec.lane} up again, with its Keychain unlocked`,
      });
  }
  return problems.length > 0 ? failed('GateDayFailed', problems, evidence) : passed(evidence);
}

async function fullBackup(picture: HostPicture): Promise<DayDone> {
  const { done, problems, archives, evidence } = await backUp(picture, 'B');
  const late = done
    .filter(({ elapsedMs }) => elapsedMs >= gateLimits.fullBackupMs)
    .map(({ lane, elapsedMs, sizeBytes }) => ({
      what: `the tier B of ${lane} took ${formatDuration(elapsedMs)}, under ${formatDuration(gateLimits.fullBackupMs)} is asked`,
      advice: `${lane}: ${tooSlowAdvice(elapsedMs, gateLimits.fullBackupMs, sizeBytes)}`,
    }));
  const code = problems.length > 0 ? 'GateDayFailed' : 'BudgetExceeded';
  const all = [...problems, ...late];
  return all.length > 0 ? failed(code, all, evidence) : passed(evidence, { archives });
}

/** On bundles of this very hour: no healthy lane is set back to older data. All lanes at once, as on the bad day. */
async function drill(picture: HostPicture): Promise<DayDone> {
  const before = await backUp(picture, 'B');
  if (before.problems.length > 0) return failed('GateDayFailed', before.problems, before.evidence);
  const bundles = Object.fromEntries(before.done.map(({ lane, bundle }) => [lane, bundle]));
  const result = await restoreAll(picture, bundles);
  const evidence = result.lanes.map(
    ({ lane, bundle, outcome, rtoMs, code }) =>
      `${lane}: ${bundle ?? 'no bundle'}, ${rtoMs === null ? `${outcome} ${code ?? ''}`.trim() : `health 200 and a message answered after ${formatDuration(rtoMs)}`}`,
  );
  const silent = result.lanes
    .filter(({ rtoMs }) => rtoMs === null)
    .map(({ lane, code, message, after }) => ({
      what: `${lane} did not come back from its drill (${code ?? 'Unexpected'}: ${message ?? 'no message was answered'}); it is ${after}`,
      advice: code === null ? `./clawback status ${lane}` : failureTable[code].hint,
    }));
  if (silent.length > 0) return failed('GateDayFailed', silent, evidence);
  const rto = { ms: result.rtoMs ?? result.wallMs, budgetMs: picture.rtoMs };
  if (rto.ms <= rto.budgetMs) return passed(evidence, { archives: before.archives, rto });
  const sizeBytes = before.done.reduce((sum, backup) => sum + backup.sizeBytes, 0);
  const late = {
    what: `the drill took ${formatDuration(rto.ms)}, its RTO is ${formatDuration(rto.budgetMs)}`,
    advice: tooSlowAdvice(rto.ms, rto.budgetMs, sizeBytes),
  };
  return { ...failed('BudgetExceeded', [late], evidence), rto };
}

async function distinctArchives(picture: HostPicture): Promise<DayDone> {
  if (picture.lanes.length === 1) return passed(['not applicable: the host has one lane'], { state: 'not-applicable' });
  const { problems, archives, evidence } = await backUp(picture, 'C');
  if (problems.length > 0) return failed('GateDayFailed', problems, evidence);
  const shared = sharedBetween(archives);
  const told = archives.map(
    ({ lane, bundle, key, manifestSha256 }) => `${lane}: ${bundle}, ${key}, ${manifestSha256.slice(0, 12)}…`,
  );
  if (shared === undefined) return passed([`${archives.length} distinct archives`, ...told], { archives });
  return failed(
    'GateDayFailed',
    [{ what: `archives are not distinct: ${shared}`, advice: 'report it: this is a defect of Clawback' }],
    told,
  );
}

/** By class, the oldest data that a restore of these lanes would bring back now. */
export async function rpoOf({ fleet, lanes }: HostPicture): Promise<GateState['rpo']> {
  const now = Date.now();
  const captured = await Promise.all(
    lanes.map(async ({ spec: { lane, store, replica } }) => {
      const chosen = await vault.chooseBundles({ fleet, lane, store, ...(replica ? { replica } : {}), layered: true });
      return chosen.captured.map((one) => ({ ...one, lane, ms: now - Date.parse(one.capturedAt) }));
    }),
  );
  const all = captured.flat();
  return ([1, 2] as const).flatMap((dataClass) => {
    const ofClass = all.filter((one) => one.dataClass === dataClass).toSorted((a, b) => b.ms - a.ms);
    return ofClass.slice(0, 1);
  });
}

/** Is the nightly tier A not doing what day 1 enabled? */
export function rpoFault(rpo: GateState['rpo'], { lanes }: HostPicture): DayDone | undefined {
  const budgetMs = Math.min(...lanes.map(({ spec }) => spec.rpoMs)) + gateLimits.rpoGraceMs;
  const old = rpo.find(({ dataClass, ms }) => dataClass === 1 && ms > budgetMs);
  if (old === undefined) return undefined;
  const what = `class 1 of ${old.lane} is ${formatDuration(old.ms)} old, its RPO is ${formatDuration(budgetMs - gateLimits.rpoGraceMs)}`;
  return failed(
    'GateDayFailed',
    [{ what, advice: `see why its nightly tier A did not run; \`./clawback backup ${old.lane}\` makes one now` }],
    [],
  );
}
