// A lane that cannot be asked: for steps whose answer may be that there is none.

import { Failure, isRetryable } from '../../domain/failure.ts';

/** Its user may be gone, its sudoers file too, and another machine may have taken its address. */
const closed: ReadonlySet<Failure['code']> = new Set([
  'HostKeyChanged',
  'HostLoginRefused',
  'SudoRefused',
  'LaneUserMissing',
  'LaunchdDomainMissing',
  'ToolMissing',
]);

export function isNoAnswer(error: unknown): error is Failure {
  return error instanceof Failure && (isRetryable(error.code) || closed.has(error.code));
}
