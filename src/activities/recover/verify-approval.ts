// Whose word something is: the approval of a plan, a step done by hand, a gate. With approvers in the fleet file it must be
// one of theirs, by SSH signature over just that, the run and an expiry; without, the name is recorded as the caller's own
// statement.

import type { IncidentSteps, StatementAbout } from '../../contract/incident-plan.ts';
import { Failure } from '../../domain/failure.ts';
import { approvalNamespace, approvalText } from '../../domain/incident.ts';
import { gateText, handText } from '../../domain/statements.ts';
import { canonicalSha256 } from '../../signing/canonical.ts';
import { isSignedBySsh } from '../../signing/ssh-signature.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { activity } from '../step.ts';

export function verifyApprovalStep({ fleet }: Deps): IncidentSteps['verifyApproval'] {
  return activity(async ({ fleetDigest, signature, expires, by, about }, { scheduledAtMs }) => {
    if (fleetDigest !== undefined) requireDigest(fleet, fleetDigest, { workflowId: workflowOf(about) });
    const { approvers } = fleet.playbooks;
    if (approvers.length === 0) return { how: 'stated' };
    const approver = approvers.find(({ name }) => name === by);
    if (approver === undefined) throw refused(`${by} is none of the approvers of the fleet file`);
    const { word, over } = nouns[about.kind];
    if (signature === undefined || expires === undefined) throw refused(`the ${word} of ${by} bears no signature`);
    if (Date.parse(expires) <= scheduledAtMs) throw refused(`the ${word} of ${by} was good until ${expires}`);
    const signed = await isSignedBySsh({ text: textOf(about, by, expires), namespace: approvalNamespace }, signature, {
      name: by,
      publicKey: approver.key,
    });
    if (!signed) throw refused(`the signature is not of the key of ${by}, or not over this ${over}, run and expiry`);
    return { how: 'signed' };
  });
}

const nouns = {
  plan: { word: 'approval', over: 'plan' },
  hand: { word: 'statement', over: 'step' },
  gate: { word: 'signature', over: 'gate with its days' },
} as const;

function workflowOf(about: StatementAbout): string {
  return about.kind === 'gate' ? about.shown.gate : about.workflowId;
}

function textOf(about: StatementAbout, by: string, expires: string): string {
  if (about.kind === 'plan') return approvalText({ ...about, by, expires });
  if (about.kind === 'hand') return handText({ ...about, by, expires });
  const { gate, runId, host } = about.shown;
  return gateText({ workflowId: gate, runId, host, digest: canonicalSha256(about.shown), by, expires });
}

function refused(why: string): Failure {
  return new Failure('ApprovalRefused', why);
}
