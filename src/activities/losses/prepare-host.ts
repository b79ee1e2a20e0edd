// Makes a standby, or a Mac that was just provided, ready for the lanes of a lost host. What needs no root is looked at
// first, so that a host which cannot take them is refused with nothing changed on it.

import type { PreparedHost, PrepareHost } from '../../contract/losses.ts';
import type { HostSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { ensureAccount, hasAccount, machineOf, requireOwnHome } from '../../lane/accounts.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { surveyLane } from '../../lane/survey.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { requireProfile } from '../profiles.ts';
import { activity, reach, type Run } from '../step.ts';

export function prepareHostStep(deps: Deps): HostSteps['prepareHost'] {
  return activity((input, run) => {
    requireDigest(deps.fleet, input.fleetDigest, { host: input.host });
    return prepareHost(deps, input, run);
  });
}

export async function prepareHost(
  deps: Pick<Deps, 'fleet' | 'pool'>,
  { lanes, host, record, neededBytes, dryRun }: PrepareHost,
  run: Pick<Run, 'signal'>,
): Promise<PreparedHost> {
  const shells = await Promise.all(
    lanes.map((lane) => reach(deps, deps.fleet.laneSpec(lane, { host, record }).target, run)),
  );
  const [first] = shells;
  if (first === undefined) throw new Failure('InvalidInput', `no lanes were named for host ${host}`, { host });
  const { arch, freeBytes } = await machineOf(first);
  requireFit(host, { arch, freeBytes }, { arch: deps.fleet.hostFacts(host)?.arch ?? undefined, neededBytes });
  const created: string[] = [];
  const missing: string[] = [];
  for (const shell of shells) {
    if (dryRun) missing.push(...((await hasAccount(shell)) ? [] : [shell.target.user]));
    else if (await ensureAccount(shell)) created.push(shell.target.user);
  }
  const there = shells.filter(({ target }) => !missing.includes(target.user));
  for (const shell of there) await requireOwnHome(shell);
  const seen = await Promise.all(there.map(look));
  return {
    host,
    arch,
    freeBytes,
    os: seen[0]?.os ?? null,
    openclawVersion: seen[0]?.openclawVersion ?? null,
    created,
    present: there.map(({ target }) => target.user).filter((user) => !created.includes(user)),
    missing,
    warnings: [],
  };
}

async function look(shell: LaneShell): Promise<Pick<PreparedHost, 'os' | 'openclawVersion'>> {
  const { os, openclawVersion = null } = await surveyLane(shell, requireProfile(shell.target.profile));
  return { os: `${os.name} ${os.version}`, openclawVersion };
}

function requireFit(
  host: string,
  seen: { readonly arch: string; readonly freeBytes: number },
  wanted: { readonly arch: string | undefined; readonly neededBytes: number },
): void {
  if (wanted.arch !== undefined && wanted.arch !== seen.arch)
    throw new Failure('HostUnfit', `host ${host} is ${seen.arch}, fleet.yaml says ${wanted.arch}`, { host });
  if (seen.freeBytes < wanted.neededBytes) {
    const message = `host ${host} has ${seen.freeBytes} bytes free, the lanes need ${wanted.neededBytes}`;
    throw new Failure('HostUnfit', message, {
      host,
      expectedBytes: wanted.neededBytes,
      actualBytes: seen.freeBytes,
    });
  }
}
