// A lane's id outlives its host: a bundle may be of another one. What must be the same there is checked, what differs
// is told, and a gateway that still runs where the lane came from is not given a twin with the same tokens.

import type { OriginState } from '../contract/import-types.ts';
import type { ChosenBundles, Survey } from '../contract/step-types.ts';
import { macHome } from '../domain/lane-target.ts';
import { workflowFailure } from './failures.ts';
import type { Restore } from './restore-parts.ts';
import type { Section } from './section.ts';
import { host } from './steps.ts';

/**
 * @returns warnings: from where to where, what differs, and what is known of the old gateway
 * @throws HostDiffers: another user, home or port; HostNotFenced: the old gateway runs, and the operator did not accept that
 */
export async function checkOrigin(
  section: Section,
  operation: Restore,
  chosen: ChosenBundles,
  survey: Survey,
): Promise<string[]> {
  const { target } = section.spec;
  const { origin } = chosen;
  if (origin.host === target.host.name) return [];
  requireSameLane(section, chosen);
  const warnings = [
    `from host ${origin.host} to ${target.host.name}`,
    ...(origin.user === null
      ? [`bundle ${chosen.bundle} does not say its user, home and port: they are not compared`]
      : []),
    ...(origin.os === survey.os || origin.os === 'unknown'
      ? []
      : [`the bundle is of ${origin.os}, ${target.host.name} has ${survey.os}`]),
    ...versionWarning(chosen, survey),
  ];
  if (operation.into === 'sandbox') return warnings; // nothing runs there
  const { state } = await host.probeOrigin({ target, host: origin.host });
  if (state === 'running' && !operation.dryRun && !operation.acceptRunning) {
    throw workflowFailure(
      'HostNotFenced',
      `the gateway of lane ${section.spec.lane} still runs on host ${origin.host}: two with the same tokens would take each other's messages`,
      { lane: section.spec.lane, host: origin.host },
    );
  }
  return [...warnings, ...fencing(origin.host, state)];
}

function requireSameLane(section: Section, { bundle, origin }: ChosenBundles): void {
  const { target, lane } = section.spec;
  const now = { user: target.user, home: macHome(target), port: target.port };
  const differing = (['user', 'home', 'port'] as const).filter(
    (field) => origin[field] !== null && origin[field] !== now[field],
  );
  if (differing.length === 0) return;
  const told = differing.map((field) => `${field} ${origin[field]}, which is ${now[field]} in fleet.yaml`).join('; ');
  throw workflowFailure('HostDiffers', `bundle ${bundle} of lane ${lane}, from host ${origin.host}, has ${told}`, {
    lane,
    host: target.host.name,
    bundle,
  });
}

function versionWarning({ openclawVersion }: ChosenBundles, survey: Survey): string[] {
  if (openclawVersion === null || openclawVersion === survey.openclawVersion) return [];
  return [
    `the bundle is of OpenClaw ${openclawVersion}, the new host has ${survey.openclawVersion ?? 'none that answers'}`,
  ];
}

/** What an operator has to see to, so that the old gateway does not come back. */
function fencing(name: string, state: OriginState): string[] {
  switch (state) {
    case 'down':
      return [];
    case 'running':
      return [`the gateway still RUNS on host ${name}: stop it there, and disable its job, before this one starts`];
    case 'loadable':
      return [`the gateway on host ${name} is stopped, but starts again at its next boot: disable its job there`];
    case 'unreachable':
      return [`host ${name} does not answer: see to it that it never comes back with its gateway`];
    case 'unknown':
      return [`host ${name} is no longer in fleet.yaml: whether its gateway still runs is not known`];
    default:
      return state satisfies never;
  }
}
