// Step 4 of a restore, its second half: health, then one test message that must be answered, then the disk.
// Health alone proves nothing: a gateway answers 200 while every turn fails with 401.

import type { SmokeResult } from '../../contract/step-types.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import type { KeychainItem } from '../../domain/lane-target.ts';
import type { Profile } from '../../domain/profile.ts';
import { usedRatioOf } from '../../domain/quantity.ts';
import { checkHealth, sendTestMessage } from '../../lane/gateway.ts';
import { readItem } from '../../lane/keychain-items.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import { nextLookMs, pause } from '../../lane/pause.ts';
import { diskOf } from '../../lane/survey.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { activity, reach, type Run } from '../step.ts';
import { unlock } from './rehydrate-secrets.ts';

/** A real gateway was seen to need 20 to 78 s to be ready (openclaw-notes, 2); three times the longest. */
const healthWaitMs = 240_000;

export function smokeTestStep(deps: Deps): VaultSteps['smokeTest'] {
  return activity(async ({ target, messageToken }, run) => {
    const shell = await reach(deps, target, run);
    const profile = requireProfile(target.profile);
    const healthy = await waitForHealth(shell, profile, run);
    const message = healthy ? await ask(deps, shell, messageToken, run) : { answered: false, httpStatus: 0 };
    return { healthy, ...message, diskUsedRatio: usedRatioOf(await diskOf(shell, target.home)) };
  });
}

async function waitForHealth(shell: LaneShell, profile: Profile, run: Run): Promise<boolean> {
  const deadlineMs = Date.now() + healthWaitMs;
  for (let looks = 0; !run.signal.aborted; looks += 1) {
    if (await checkHealth(shell, profile)) return true;
    if (Date.now() > deadlineMs) return false;
    await pause(nextLookMs(looks), run.signal);
  }
  return false;
}

async function ask(
  deps: Deps,
  shell: LaneShell,
  item: KeychainItem | null,
  run: Run,
): Promise<Pick<SmokeResult, 'answered' | 'httpStatus'>> {
  if (item) await unlock(deps, shell);
  const token = item ? (await readItem(shell, item)).toString('utf8') : '';
  return sendTestMessage(shell, requireProfile(shell.target.profile), token, { signal: run.signal });
}
