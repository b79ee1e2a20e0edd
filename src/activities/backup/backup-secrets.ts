// The Keychain items of the fleet file go from `security` straight into a sealed segment: never on a command
// line, on a disk, in a log or in history. What could not be written back is refused now (KeychainItemUnusable).

import { createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { encodeIndex } from '../../bundle/index-file.ts';
import { encodeSecrets } from '../../bundle/secrets-file.ts';
import type { DataSteps } from '../../contract/steps.ts';
import type { KeychainItem } from '../../domain/lane-target.ts';
import { findVerbatim } from '../../lane/verbatim.ts';
import { readItems as readFromKeychain } from '../../lane/keychain-items.ts';
import type { LaneShell } from '../../lane/lane-shell.ts';
import type { Deps } from '../deps.ts';
import { requireProfile } from '../profiles.ts';
import { requireFitsBeside, unlock } from '../restore/rehydrate-secrets.ts';
import { activity, reach } from '../step.ts';
import { putSealed } from './put-sealed.ts';

export function backupSecretsStep(deps: Deps): DataSteps['backupSecrets'] {
  return activity(async ({ target, store, segmentId, items, bundle }, run) => {
    const shell = await reach(deps, target, run);
    const read = await readItems(deps, shell, items);
    for (const { value, ...item } of read) requireFitsBeside(shell, item, value);
    const verbatim = await findVerbatim(
      shell,
      read.map(({ value }) => value),
      configurationFolders(shell),
    );
    const fingerprint = createHmac('sha256', await deps.keys.fingerprint())
      .update(`secrets\0${target.lane}\0${bundle}`)
      .digest('hex');
    const sealTarget = { fleet: target.fleet, lane: target.lane, store, fingerprint, signal: run.signal };
    const plain = encodeSecrets(read);
    const { stored, plainBytes } = await putSealed(deps, sealTarget, 'segment', Readable.from([plain]));
    const about = { segment: segmentId, component: 'secrets', kind: 'secrets', base: 'home' } as const;
    const index = await putSealed(
      deps,
      sealTarget,
      'index',
      Readable.from([encodeIndex({ ...about, entries: [], omissions: [] })]),
    );
    return {
      warnings:
        verbatim === 0
          ? []
          : [
              `${verbatim} configuration file(s) hold a Keychain value in the clear; \`./clawback report ${target.lane}\` names them`,
            ],
      plan: {
        id: segmentId,
        component: 'secrets',
        kind: 'secrets',
        base: 'home',
        fingerprint,
        reusable: false,
        supplement: false,
        sizeBytes: plainBytes,
        members: items.length,
        listSha256: '',
      },
      result: {
        id: segmentId,
        ...stored,
        plainBytes,
        members: items.length,
        index: index.stored,
        vanished: 0,
        torn: 0,
      },
    };
  });
}

/**
 * Every item, as it could be written back. KeychainMissing, KeychainLocked, KeychainPasswordWrong, KeychainItemMissing,
 * KeychainItemUnusable.
 */
export async function readItems(
  deps: Deps,
  shell: LaneShell,
  items: readonly KeychainItem[],
): Promise<(KeychainItem & { readonly value: Buffer })[]> {
  if (items.length === 0) return [];
  await unlock(deps, shell);
  const values = await readFromKeychain(shell, items);
  return values.map((value, at) => ({ ...(items[at] as KeychainItem), value }));
}

/** Where the profile keeps configuration: the roots, but what a rule gives to another component is data, and large. */
function configurationFolders(shell: LaneShell): string[] {
  const { roots, rules } = requireProfile(shell.target.profile);
  const own = rules.filter(({ component }) => component === 'config').map(({ prefix }) => prefix.replace(/\/$/, ''));
  const folders = own.length > 0 ? own : roots;
  return folders
    .flatMap((folder) => [
      `${folder}/config`,
      `${folder}/openclaw.json`,
      `${folder}/.env`,
      `${folder}/secrets.json`,
      `${folder}/credentials`,
    ])
    .map((path) => `${shell.target.home}/${path}`);
}
