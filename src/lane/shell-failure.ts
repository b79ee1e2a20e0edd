// What a status and stderr of our own wrapping say: a lost fence, a missing program, sudo's refusals. The command's own
// status is not judged here. Our scripts' statuses count only together with their marker.

import { Failure } from '../domain/failure.ts';
import type { LaneTarget } from '../domain/lane-target.ts';
import { type RunAs, toolMissingMarker, toolMissingStatus, usesSudo } from './command-line.ts';
import { fenceLostMarker, fenceLostStatus } from './fence-script.ts';

/** sudo's words in locale C, 1.8 to 1.9 (plugins/sudoers/logging.c, src/sudo.c). */
const sudoSays = {
  refused:
    /^(?:sudo: (?:a password is required|a terminal is required|no tty present|sorry, you must have a tty|no password was provided|.* is not allowed)|Sorry, user .* (?:is not allowed|may not run)|.* is not in the sudoers file)/m,
  unknownUser: /^sudo: unknown (?:user|uid)/m,
  missing: /^sudo: .*: command not found$/m,
};

function sudoFailure(target: LaneTarget, tool: string, stderr: string): Failure | undefined {
  const { host, lane, user } = target;
  const context = { host: host.name, lane, tool };
  if (sudoSays.unknownUser.test(stderr))
    return new Failure('LaneUserMissing', `host ${host.name} has no user ${user}`, context);
  if (sudoSays.missing.test(stderr))
    return new Failure('ToolMissing', `host ${host.name} has no ${tool} where its tools say`, context);
  if (sudoSays.refused.test(stderr))
    return new Failure('SudoRefused', `sudo on ${host.name} lets ${host.user} not run ${tool}`, context);
  return undefined;
}

export interface EndedCommand {
  readonly as: RunAs;
  readonly tool: string;
  readonly exitStatus: number;
  readonly stderr: string;
}

/** The failure of our own wrapping, if it was one. */
export function shellFailure(target: LaneTarget, { as, tool, exitStatus, stderr }: EndedCommand): Failure | undefined {
  const { host, lane } = target;
  const context = { host: host.name, lane, tool };
  if (exitStatus === fenceLostStatus && stderr.includes(fenceLostMarker)) {
    return new Failure('FenceLost', `lane ${lane}: a newer attempt has taken the fence, ${tool} did nothing`, context);
  }
  if (exitStatus === toolMissingStatus && stderr.includes(toolMissingMarker)) {
    return new Failure('ToolMissing', `host ${host.name} has no ${tool} where its tools say`, context);
  }
  return exitStatus === 1 && (usesSudo(target, as) || usesSudo(target, 'lane'))
    ? sudoFailure(target, tool, stderr)
    : undefined;
}
