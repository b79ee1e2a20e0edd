// The demo's last chapter: what the chapters before have signed, verified by the command that an auditor types, with
// nothing but the public key.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import type { Rig } from '../rig/rig.ts';

const clawback = resolve(import.meta.dirname, '../../clawback');

export interface ReceiptReport {
  readonly receipt: string;
  /** A restore, a drill, an incident, a gate. */
  readonly kind: string;
  /** Lane or host. */
  readonly subject: string;
  readonly outcome: string;
  readonly verified: boolean;
}

interface Verified {
  readonly file: string;
  readonly verified: boolean;
  readonly receipt?: { readonly kind: string; readonly lane: string; readonly outcome: string };
  readonly incident?: { readonly scenario: string; readonly subject: string; readonly outcome: string };
}

/** All that the store has, oldest first. */
export async function verifiedReceipts(rig: Rig): Promise<ReceiptReport[]> {
  const argv = ['--json', 'receipt', 'verify', ...receiptFiles(rig)];
  // one that is not good makes the command fail, which it says all the same
  const { stdout } = await promisify(execFile)(clawback, argv, { env: rig.env }).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  const { receipts } = JSON.parse(stdout) as { receipts: readonly Verified[] };
  return receipts.map(reportOf).toSorted((a, b) => (a.receipt < b.receipt ? -1 : 1));
}

function receiptFiles({ storePath }: Rig): string[] {
  const names = readdirSync(storePath, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.json') && name.split(sep).at(-2) === 'receipts')
    .map((name) => join(storePath, name));
}

function reportOf({ file, verified, receipt, incident }: Verified): ReceiptReport {
  return {
    receipt: basename(file, '.json').replace(/^incident-/, ''),
    kind: receipt?.kind ?? (incident ? `incident ${incident.scenario}` : 'unreadable'),
    subject: receipt?.lane ?? incident?.subject ?? '',
    outcome: receipt?.outcome ?? incident?.outcome ?? '',
    verified,
  };
}

/** Title and verdict of one, as `receipt show` prints them. */
export async function firstLines(rig: Rig, { receipt, lane }: { receipt: string; lane: string }): Promise<string[]> {
  const { stdout } = await promisify(execFile)(clawback, ['receipt', 'show', receipt, '--lane', lane], {
    env: rig.env,
  });
  return stdout.split('\n').filter(Boolean).slice(0, 2);
}
