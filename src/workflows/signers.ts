// What can be said at once of somebody's word, before an activity looks at its signature.

import { workflowFailure } from './failures.ts';

interface Word {
  readonly by: string;
  readonly signature?: string | undefined;
  readonly expires?: string | undefined;
}

/**
 * @param approvers names; none: anybody's word is taken
 * @param noun what his word is: `approval`
 * @throws ApprovalRefused for somebody else, without a signature, or too late
 */
export function requireSigner(approvers: readonly string[], { by, signature, expires }: Word, noun: string): void {
  if (approvers.length === 0) return;
  if (!approvers.includes(by))
    throw workflowFailure('ApprovalRefused', `${by} is none of the approvers: ${approvers.join(', ')}`);
  if (signature === undefined || expires === undefined)
    throw workflowFailure('ApprovalRefused', `the ${noun} of ${by} must bear an SSH signature and its expiry`);
  if (Date.parse(expires) <= Date.now())
    throw workflowFailure('ApprovalRefused', `the ${noun} of ${by} was good until ${expires}`);
}
