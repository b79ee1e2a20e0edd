// After a failure: the one command that an operator types next. Pure.

import type { FailureCode, FailureContext } from '../domain/failure.ts';

export interface Failed {
  readonly code: FailureCode;
  readonly context: FailureContext;
  /** The lane at stake, if any. */
  readonly lane: string | undefined;
  /** The command that failed, as it was typed without its arguments: `bundles list`. */
  readonly command: string;
}

type Rule = (failed: Failed) => string;

const help: Rule = ({ command }) => `./clawback ${command === '' ? '' : `${command} `}--help`;
const status: Rule = ({ lane }) => `./clawback status${lane === undefined ? '' : ` ${lane}`}`;
const bundles: Rule = ({ lane }) => `./clawback bundles list${lane === undefined ? '' : ` ${lane}`}`;
const report: Rule = (failed) => (failed.lane === undefined ? status(failed) : `./clawback report ${failed.lane}`);
const check: Rule = () => './clawback config check';

const rules: Partial<Record<FailureCode, Rule>> = {
  InvalidInput: help,
  NodeVersion: () => 'npm ci',
  InvalidFleet: check,
  UnknownLane: () => './clawback status',
  SecretUnavailable: check,
  NoPollers: () => './clawback worker',
  LaneBusy: ({ context, ...failed }) =>
    context.workflowId === undefined ? status({ context, ...failed }) : `./clawback follow ${context.workflowId}`,
  Detached: ({ context }) => `./clawback follow ${context.workflowId ?? 'WORKFLOW'}`,
  HostCommandFailed: report,
  ListingFailed: report,
  TarFailed: report,
  FileNeverStill: report,
  DatabaseBackupFailed: report,
  NoRestorePoint: bundles,
  BundleForeign: bundles,
  ObjectMissing: bundles,
  BundleDamaged: bundles,
  BundleSignatureBad: bundles,
  ArchiveHostile: bundles,
  VersionUnsupported: ({ lane, ...failed }) =>
    lane === undefined ? help({ lane, ...failed }) : `./clawback restore ${lane} --accept-version`,
};

export function nextCommand(failed: Failed): string {
  return (rules[failed.code] ?? status)(failed);
}
