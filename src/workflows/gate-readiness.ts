// Before day 1: OpenClaw is there and answers, memory and disk are inside their budgets, workers and keys are there.

import { queues } from '../contract/names.ts';
import { failureTable } from '../domain/failure.ts';
import { gateLimits } from '../domain/gate-limits.ts';
import { limits } from '../domain/limits.ts';
import { formatBytes } from '../domain/quantity.ts';
import { type DayDone, failed, passed, type Problem } from './gate-done.ts';
import type { GateLane, HostPicture } from './gate-host.ts';
import { host, vault } from './steps.ts';

const percentOf = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;

export async function readiness(picture: HostPicture): Promise<DayDone> {
  await host.requirePollers({ queues: Object.values(queues) });
  const { lanes } = picture;
  const stores = [...new Set(lanes.flatMap(({ spec }) => [spec.store, ...(spec.replica ? [spec.replica] : [])]))];
  const keys = await vault.checkKeys({
    stores,
    lanes: lanes.map(({ spec }) => ({ lane: spec.lane, secrets: spec.secrets })),
  });
  const look = await host.lookAtHost({ host: picture.host });
  const asked = await Promise.all(lanes.map(readyLane));
  const problems = [
    ...keys.problems.map((what) => ({ what, advice: 'mend what it names in fleet.yaml; `./clawback config check`' })),
    ...tooFull('disk', look.diskUsedRatio, limits.diskFullRatio, look.diskTotalBytes),
    ...tooFull('memory', look.memoryUsedRatio, gateLimits.memoryRatio, look.memoryTotalBytes),
    ...asked.flatMap((lane) => lane.problems),
  ];
  const evidence = [
    ...asked.map(({ text }) => text),
    `disk ${percentOf(look.diskUsedRatio)} of ${formatBytes(look.diskTotalBytes)} used, memory ${percentOf(look.memoryUsedRatio)} of ${formatBytes(look.memoryTotalBytes)}`,
    `a worker on each of ${Object.values(queues).length} queues; keys and ${stores.length === 1 ? 'the store' : `${stores.length} stores`} answer`,
  ];
  return problems.length > 0 ? failed('GateDayFailed', problems, evidence) : passed(evidence);
}

function tooFull(what: string, used: number, budget: number, totalBytes: number): Problem[] {
  if (used < budget) return [];
  const over = formatBytes(Math.ceil((used - budget) * totalBytes));
  const add = what === 'disk' ? 'add NVMe' : 'run fewer lanes';
  return [
    {
      what: `${what} is ${percentOf(used)} used, under ${percentOf(budget)} is asked`,
      advice: `free ${over} of ${what}, or ${add}`,
    },
  ];
}

async function readyLane({ spec, survey }: GateLane): Promise<{ readonly text: string; readonly problems: Problem[] }> {
  const { lane, target, messageToken = null } = spec;
  const smoke = await vault.smokeTest({ target, messageToken });
  const version = survey.openclawVersion ?? 'of unknown version';
  const problems = [
    ...(survey.openclawVersion === null
      ? [{ what: `OpenClaw of ${lane} tells no version`, advice: `install OpenClaw for lane ${lane}` }]
      : []),
    ...(survey.versionKnown
      ? []
      : [
          { what: `OpenClaw ${version} of ${lane} is of no profile's range`, advice: 'install a version of the range' },
        ]),
    ...(smoke.healthy && smoke.answered
      ? []
      : [
          {
            what: `${lane} ${smoke.healthy ? 'answers no message' : 'is not healthy'}`,
            advice: smoke.healthy ? failureTable.MessageUnanswered.hint : `look at the gateway's log of ${lane}`,
          },
        ]),
  ];
  return {
    text: `${lane}: OpenClaw ${version}, ${problems.length === 0 ? 'answers a message' : 'NOT READY'}`,
    problems,
  };
}
