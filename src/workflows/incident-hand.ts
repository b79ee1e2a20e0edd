// A step that somebody did by hand: whose word that is, and what of it is recorded.

import type { IncidentState, RecordedHand } from '../contract/incident-state.ts';
import type { HandDoneInput } from '../contract/incidents.ts';
import { vault } from './steps.ts';

/** Approvers are those of the file that the worker holds by now. ApprovalRefused */
export async function recordHand(
  { incident: workflowId, runId, hand }: IncidentState,
  { by, expires, signature, ...told }: HandDoneInput,
): Promise<RecordedHand> {
  const what = hand?.what ?? '';
  const about = { kind: 'hand', workflowId, runId, what, ...told } as const;
  const { how } = await vault.verifyApproval({ by, expires, signature, about });
  return { ...told, what, by, at: new Date(Date.now()).toISOString(), how };
}
