// Whose word an approval is. With approvers in the fleet file it must be one of theirs, by SSH signature over the plan,
// the run and an expiry; without, the name is recorded as the caller's own statement.

import type { IncidentSteps } from '../../contract/incident-plan.ts';
import { Failure } from '../../domain/failure.ts';
import { approvalNamespace, approvalText } from '../../domain/incident.ts';
import { isSignedBySsh } from '../../signing/ssh-signature.ts';
import type { Deps } from '../deps.ts';
import { requireDigest } from '../host/lanes.ts';
import { activity } from '../step.ts';

export function verifyApprovalStep({ fleet }: Deps): IncidentSteps['verifyApproval'] {
  return activity(async ({ fleetDigest, signature, expires, ...statement }, { scheduledAtMs }) => {
    requireDigest(fleet, fleetDigest, { workflowId: statement.workflowId });
    const { approvers } = fleet.playbooks;
    if (approvers.length === 0) return { how: 'stated' };
    const { by } = statement;
    const approver = approvers.find(({ name }) => name === by);
    if (approver === undefined) throw refused(`${by} is none of the approvers of the fleet file`);
    if (signature === undefined || expires === undefined) throw refused(`the approval of ${by} bears no signature`);
    if (Date.parse(expires) <= scheduledAtMs) throw refused(`the approval of ${by} was good until ${expires}`);
    const text = approvalText({ ...statement, expires });
    const signed = await isSignedBySsh({ text, namespace: approvalNamespace }, signature, {
      name: by,
      publicKey: approver.key,
    });
    if (!signed) throw refused(`the signature is not of the key of ${by}, or not over this plan, run and expiry`);
    return { how: 'signed' };
  });
}

function refused(why: string): Failure {
  return new Failure('ApprovalRefused', why);
}
