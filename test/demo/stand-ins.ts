// The demo's guard: it goes on only when every tool that could touch something real answers as a stand-in, and
// every home lies in the demo's own folder. On a laptop it must never reach the real launchd, Keychain or sudo.

import { Failure } from '../../src/domain/failure.ts';
import type { Bed } from '../bed/bed.ts';
import { onHost } from '../rig/wreck.ts';

const guarded = ['launchctl', 'security', 'sudo'] as const;

export async function requireStandIns(bed: Bed): Promise<void> {
  for (const host of bed.hosts) {
    for (const tool of guarded) {
      const path = host.tools[tool];
      const { output } = path ? await onHost(bed, host.name, `'${path}' --clawback-stand-in`) : { output: 'no path' };
      if (!output.startsWith(`clawback-bed ${tool}`))
        throw new Failure('Unexpected', `the demo's host ${host.name} would use a real ${tool}; nothing was started`, {
          host: host.name,
        });
    }
  }
  const outside = bed.lanes.find(({ realHome }) => !realHome.startsWith(`${bed.dir}/`));
  if (outside)
    throw new Failure('Unexpected', `the home of ${outside.lane} lies outside the demo's folder`, {
      lane: outside.lane,
    });
}
