// What `restore` may be asked, and which options exclude each other.

import { Failure } from '../domain/failure.ts';
import type { Component } from '../domain/terms.ts';
import type { FleetFlags } from './fleet-command.ts';

export interface RestoreOptions extends FleetFlags {
  readonly bundle?: string;
  readonly at?: string;
  readonly only?: Component;
  readonly fromArchive?: string;
  readonly acceptRunning?: true;
  readonly layered?: true;
  readonly sandbox?: true;
  readonly undo?: true;
  readonly dryRun?: true;
  readonly acceptVersion?: true;
  readonly pin?: true;
  readonly stopFirst?: true;
  readonly yes?: true;
}

export function refuseCombinations(options: RestoreOptions): void {
  const { bundle, at, only, layered, sandbox, undo, dryRun, fromArchive, pin, stopFirst } = options;
  if (fromArchive !== undefined && (bundle !== undefined || at !== undefined || layered || undo)) {
    throw new Failure('InvalidInput', '--from-archive goes without --bundle, --at, --layered and --undo', {
      field: '--from-archive',
    });
  }
  if (bundle !== undefined && at !== undefined)
    throw new Failure('InvalidInput', '--bundle and --at exclude each other: give one of them', { field: '--at' });
  if ((pin || stopFirst) && (undo || sandbox)) {
    const field = pin ? '--pin' : '--stop-first';
    throw new Failure('InvalidInput', `${field} is for a live restore: it goes without --undo and --sandbox`, {
      field,
    });
  }
  if (undo && (bundle !== undefined || at !== undefined || only !== undefined || layered || sandbox || dryRun)) {
    throw new Failure('InvalidInput', '--undo goes with --yes alone: what it goes back to is fixed', {
      field: '--undo',
    });
  }
}

/** A bundle, an archive, and what a restore replaced, are of one lane. */
export function refuseForMany({ bundle, undo, fromArchive, pin, stopFirst }: RestoreOptions): void {
  if (bundle === undefined && fromArchive === undefined && !undo && !pin && !stopFirst) return;
  const given: readonly (readonly [string, unknown])[] = [
    ['--undo', undo],
    ['--bundle', bundle],
    ['--from-archive', fromArchive],
    ['--pin', pin],
    ['--stop-first', stopFirst],
  ];
  const field = given.find(([, value]) => value !== undefined)?.[0] ?? '--bundle';
  throw new Failure(
    'InvalidInput',
    `${field} is for one lane: a bundle, an archive, and what a restore replaced, are a lane's own`,
    {
      field,
    },
  );
}

export function wantsAnswer({ yes, dryRun, sandbox }: RestoreOptions): boolean {
  return !yes && !dryRun && !sandbox;
}
