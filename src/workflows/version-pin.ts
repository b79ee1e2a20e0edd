// The version of OpenClaw goes back with the state: a gateway must not meet a tree of another version. The pin hook is
// called while the gateway is stopped; when the restore fails after it, the pin is put forward again before the old tree
// is started.

import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { HookKind } from '../contract/hooks.ts';
import type { ChosenBundles, Survey } from '../contract/step-types.ts';
import { andAlso, workflowFailure } from './failures.ts';
import type { Restore } from './restore-parts.ts';
import type { Section } from './section.ts';
import { hooks, hostDown } from './steps.ts';

/** HookMissing, naming the first that the fleet file has not. */
export async function requireHooks({ spec }: Section, kinds: readonly HookKind[]): Promise<void> {
  const configured = await hooks.describeHooks({ fleetDigest: spec.fleetDigest });
  const missing = kinds.find((kind) => !configured.kinds.includes(kind));
  if (missing === undefined) return;
  throw workflowFailure('HookMissing', `fleet.yaml has no hooks.${missing}`, { field: `hooks.${missing}` });
}

/** What a hook is told of the lane. */
export function placeOf({ spec }: Section) {
  const { host, user } = spec.target;
  return { lane: spec.lane, host: host.name, address: host.address, port: host.port, login: host.user, user };
}

/** The same for every attempt of one operation, and no other's. */
export function hookKey(operation: string, step: string): string {
  return `${workflowInfo().workflowId}/${operation}/${step}`;
}

/** What is refused is refused before anything is stopped. @returns what the plan says of it */
export async function requirePin(
  section: Section,
  { pin }: Restore,
  { bundle, openclawVersion }: ChosenBundles,
  survey: Survey,
): Promise<string[]> {
  if (!pin) return [];
  await requireHooks(section, ['pin']);
  if (openclawVersion === null) {
    const message = `bundle ${bundle} does not say of which OpenClaw it is, so that there is no version to go back to`;
    throw workflowFailure('VersionUnsupported', message, { bundle });
  }
  return [
    `OpenClaw is set back to ${openclawVersion} by the pin hook (it is ${survey.openclawVersion ?? 'unknown'} now)`,
  ];
}

/** Does the work with the version pin rolled back to the bundle's, where that was asked for. */
export async function withPin<T>(
  section: Section,
  { pin, restore }: Restore,
  { openclawVersion }: ChosenBundles,
  work: () => Promise<T>,
): Promise<T> {
  if (!pin || openclawVersion === null) return work();
  const { evidence } = section;
  const before = evidence.survey?.openclawVersion ?? null;
  try {
    const phase = `setting OpenClaw back to ${openclawVersion}`;
    await evidence.part({ step: 'pin', phase }, () => setPin(section, hookKey(restore, 'pin'), openclawVersion));
    return await work();
  } catch (error) {
    // once the commit was begun the restore may stand, and its version with it
    if (evidence.committing || before === null || before === openclawVersion) throw error;
    throw await putForward(section, hookKey(restore, 'pin-again'), before, error);
  }
}

async function putForward(section: Section, key: string, version: string, cause: unknown): Promise<unknown> {
  const phase = `setting OpenClaw to ${version} again`;
  try {
    await CancellationScope.nonCancellable(() =>
      section.evidence.part({ step: 'pin', phase }, () => setPin(section, key, version)),
    );
    return cause;
  } catch (error) {
    return andAlso(cause, `OpenClaw could not be set to ${version} again`, error);
  }
}

/** The hook's word is not taken for it: the host is asked. */
async function setPin(section: Section, key: string, version: string): Promise<void> {
  const { spec, progress } = section;
  progress.update({ phase: `setting OpenClaw to ${version}` });
  await hooks.runHook({
    hook: 'pin',
    fleetDigest: spec.fleetDigest,
    key,
    input: { ...placeOf(section), version },
  });
  const { openclawVersion } = await hostDown.surveyLane({ target: spec.target });
  if (openclawVersion === version) return;
  const message = `the hook pin ended well, but OpenClaw on lane ${spec.lane} is ${openclawVersion ?? 'of no version that it tells'}, not ${version}`;
  throw workflowFailure('HookFailed', message, { lane: spec.lane, field: 'hooks.pin' });
}
