// Receipts of incidents, as the workflows would have them written: a host loss by hand that took too long.

import type { IncidentReceipt } from '../../../src/receipt/incident-receipt.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 23, 3, minute)).toISOString();
const hostKey = `SHA256:${'A'.repeat(43)}`;
const bundles = [
  { bundle: '20261123T031500Z-0123abcd', manifestSha256: 'a'.repeat(64), tier: 'A' },
  { bundle: '20261122T040000Z-0123abcd', manifestSha256: 'b'.repeat(64), tier: 'B' },
] as const;

const lane = {
  lane: 'agent-1',
  host: 'mac-1',
  toHost: 'mac-1-new',
  workflowId: 'restore/agent-1/20261123T033800Z-9abcdef0',
  bundle: bundles[0].bundle,
  bundles: [...bundles],
  profile: 'slimvps-legacy',
  openclaw: '2026.11.1',
  tier: 'A',
  proven: true,
  store: 'primary',
  rpo: [
    { class: 1, bundle: bundles[0].bundle, capturedAt: '2026-11-22T18:15:00.000Z', ms: 31_500_000 },
    { class: 2, bundle: bundles[1].bundle, capturedAt: '2026-11-21T19:00:00.000Z', ms: 115_200_000 },
  ],
  lost: ['what came into class 2 after 2026-11-21T19:00:00.000Z (1 d 8 h before the first signal)'],
  outcome: 'recovered',
  answeredAt: at(106),
  failure: null,
} as const satisfies IncidentReceipt['lanes'][number];

function step(name: string, phase: string, [from, to]: readonly [number, number]): IncidentReceipt['steps'][number] {
  return {
    step: name,
    phase,
    startedAt: at(from),
    endedAt: at(to),
    budgetMs: null,
    activities: 2,
    attempts: 2,
    outcome: 'passed',
  };
}

export const hostLoss: IncidentReceipt = {
  id: '20261123T030500Z-13cc6fa5',
  kind: 'incident',
  fleet: 'demo',
  scenario: 'host-loss',
  subject: 'mac-1',
  workflow: { id: 'incident/demo/host-loss/mac-1', runId: '019aac4e-0000-7000-8000-000000000000' },
  openedBy: 'watch',
  rehearsal: false,
  signal: { code: 'host-silent', since: at(0), text: 'mac-1 has not answered for 10 min, its peers do' },
  since: at(0),
  startedAt: at(5),
  endedAt: at(110),
  clearedAt: null,
  plan: {
    digest: 'c'.repeat(64),
    fleetSha256: 'd'.repeat(64),
    estimatedRtoMs: 2_400_000,
    ask: null,
    steps: [
      { step: 'provision', what: 'a Mac is brought in the stead of mac-1, by hand', lane: null, host: 'mac-1' },
      {
        step: 'fence',
        what: 'mac-1 is powered off, by hand, before anything is started elsewhere',
        lane: null,
        host: 'mac-1',
      },
      {
        step: 'restore',
        what: 'restore agent-1 there, until a test message is answered',
        lane: 'agent-1',
        host: 'mac-1-new',
      },
    ],
  },
  approval: { by: 'ada', at: at(20), digest: 'c'.repeat(64), how: 'signed', waiveFence: false },
  hands: [
    {
      step: 'provision',
      what: 'provide a Mac in tokyo in the stead of mac-1',
      by: 'ada',
      at: at(60),
      how: 'signed',
      address: '192.0.2.9',
      port: 22,
      user: null,
      hostKey: 'ssh-ed25519 AAAA',
    },
  ],
  declined: null,
  hosts: [
    { name: 'mac-1', region: 'tokyo', hostKey },
    { name: 'mac-1-new', region: 'tokyo', hostKey },
  ],
  lanes: [
    lane,
    { ...lane, lane: 'agent-2', workflowId: null, outcome: 'failed', answeredAt: null, failure: 'MessageUnanswered' },
  ],
  steps: [
    step('plan', 'planning', [5, 6]),
    step('provision', 'a new Mac in the stead of mac-1', [20, 60]),
    step('fence', 'fencing mac-1', [60, 64]),
    { ...step('restore', 'restoring agent-1, agent-2 on mac-1-new', [64, 106]), attempts: 3, outcome: 'failed' },
  ],
  rto: { ms: null, budgetMs: 5_400_000, over: true, waitingMs: 3_300_000, provisioningMs: 2_400_000 },
  pruned: [],
  outcome: 'failed',
  failure: 'RecoveryFailed',
  escalation: 'order a 7-day rent and go through its gate',
  versions: { clawback: '0.1.0' },
  clocks: { workerOffsetMs: 12 },
  warnings: ['passed over: standby mac-9 is too small'],
  disclaimers: [],
};

/** The same, with everything as it should be. */
export const recovered: IncidentReceipt = {
  ...hostLoss,
  lanes: [lane],
  steps: hostLoss.steps.map((one) => ({ ...one, outcome: 'passed' })),
  rto: { ...hostLoss.rto, ms: 4_860_000, over: false },
  outcome: 'recovered',
  failure: null,
  escalation: null,
  warnings: [],
};
