// The receipt of an incident: what is signed is what is read, and nothing else is believed.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  encodeIncidentReceipt,
  type IncidentReceipt,
  incidentReceiptKey,
  openIncidentReceipt,
} from '../../../src/receipt/incident-receipt.ts';
import { openReceipt } from '../../../src/receipt/receipt.ts';

const at = '2026-11-23T03:04:41.606Z';
const receipt: IncidentReceipt = {
  id: '20261123T030441Z-0e63a24f',
  kind: 'incident',
  fleet: 'demo',
  scenario: 'disk-full',
  subject: 'mac-1',
  workflow: { id: 'incident/demo/disk-full/mac-1', runId: '019aac4e-0000-7000-8000-000000000000' },
  openedBy: 'watch',
  rehearsal: false,
  signal: { code: 'disk-full', since: at, text: 'the disk of mac-1 is 97 % full' },
  since: at,
  startedAt: at,
  endedAt: at,
  clearedAt: null,
  plan: null,
  approval: null,
  hands: [],
  declined: null,
  hosts: [{ name: 'mac-1', region: 'tokyo', hostKey: `SHA256:${'A'.repeat(43)}` }],
  lanes: [],
  steps: [],
  rto: { ms: null, budgetMs: 5_400_000, over: false, waitingMs: 0, provisioningMs: 0 },
  pruned: [],
  outcome: 'closed',
  failure: null,
  escalation: null,
  versions: { clawback: '0.1.0' },
  clocks: { workerOffsetMs: 12 },
  warnings: [],
  disclaimers: [],
};

function keys(): { readonly privateKeyPem: string; readonly publicKeyPem: string } {
  const pair = generateKeyPairSync('ed25519');
  return {
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

const own = keys();
const subjects = [{ name: 'fleet.yaml', sha256: 'f'.repeat(64) }];
const bytes = encodeIncidentReceipt(receipt, subjects, own.privateKeyPem);

describe('the receipt of an incident', () => {
  it('is read as it was written', () => {
    expect(openIncidentReceipt(bytes, [own.publicKeyPem])).toMatchObject({ incident: receipt });
  });

  it('has the same bytes whenever it says the same', () => {
    expect(encodeIncidentReceipt(structuredClone(receipt), subjects, own.privateKeyPem)).toEqual(bytes);
  });

  it('is not believed with another key, or a changed byte', () => {
    expect(() => openIncidentReceipt(bytes, [keys().publicKeyPem])).toThrow(
      expect.objectContaining({ code: 'ReceiptSignatureBad' }),
    );
    const changed = Buffer.from(bytes.toString().replace(/"payload": ?"(.)/, (all) => `${all.slice(0, -1)}X`));
    expect(() => openIncidentReceipt(changed, [own.publicKeyPem])).toThrow(/./);
  });

  it('is refused when a field is not as it must be, by the name of the field', () => {
    const wrong = { ...receipt, rto: { ...receipt.rto, waitingMs: -1 } };
    expect(() => encodeIncidentReceipt(wrong, subjects, own.privateKeyPem)).toThrow(/rto\.waitingMs/);
  });

  it('is none of a restore, and lies beside those under a name that their readers pass over', () => {
    expect(() => openReceipt(bytes, { publicKeysPem: [own.publicKeyPem] })).toThrow(
      expect.objectContaining({ code: 'ReceiptFormatUnknown' }),
    );
    expect(incidentReceiptKey('mac-1', receipt.id)).toBe(`mac-1/receipts/incident-${receipt.id}.json`);
    expect(() => incidentReceiptKey('../mac-1', receipt.id)).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
  });
});
