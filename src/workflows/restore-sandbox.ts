// A sandbox restore: into a private directory beside the lane. It touches nothing live, and is removed in the end:
// here when all went well, by the section when not.

import type { SandboxCheck } from '../contract/step-types.ts';
import type { Planned, Restore } from './restore-parts.ts';
import type { RestoreClock } from './restore-clock.ts';
import type { Section } from './section.ts';
import { dropStage, fillStage } from './stage.ts';
import { vaultStream } from './steps.ts';

/** What the check found; throws when the bundle cannot be staged, its configuration does not parse, or a secret does not open. */
export async function restoreSandbox(
  section: Section,
  operation: Restore,
  planned: Planned,
  clock: RestoreClock,
): Promise<SandboxCheck> {
  const { spec } = section;
  const restore = operation.restore;
  const under = await clock.step('tree', 'fetching and staging', () => fillStage(section, restore, planned));
  const secrets = planned.chosen.segments.filter((segment) => segment.kind === 'secrets');
  const checked = await clock.step('secrets', 'checking configuration and secrets', () =>
    vaultStream(0).checkSandbox({ target: spec.target, under, ...planned.sources.copies, restore, segments: secrets }),
  );
  await dropStage(section);
  return checked;
}
