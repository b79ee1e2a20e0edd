// Checks a staged tree without starting a gateway, while `/tmp/restore-test` leads to it for whoever wants to look: every
// JSON file of the configuration's top parses, and each secret of the bundle goes into a keychain and comes back as it
// was. A gateway would refuse a broken configuration at its start, on the bad day.

import { randomBytes } from 'node:crypto';
import { decodeSecrets, type SecretItem } from '../../bundle/secrets-file.ts';
import type { VaultDataSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { clawbackFile, readLaneFile } from '../../lane/lane-files.ts';
import { type Fence, takeTurn } from '../../lane/fence.ts';
import { createKeychain, deleteKeychain } from '../../lane/keychain.ts';
import { writeItem } from '../../lane/keychain-items.ts';
import { LaneShell } from '../../lane/lane-shell.ts';
import { listFiles } from '../../lane/listing.ts';
import { linkSandbox } from '../../lane/sandbox-link.ts';
import { fromCopies } from '../copied-store.ts';
import type { Deps } from '../deps.ts';
import { clawbackDirectory, stageDirectory } from '../lane-paths.ts';
import { readWhole } from '../read-whole.ts';
import { activity, reach, type Run } from '../step.ts';
import { openStored } from './open-stored.ts';

export function checkSandboxStep(deps: Deps): VaultDataSteps['checkSandbox'] {
  return activity(async ({ target, under, store, replica, restore, segments }, run) => {
    const shell = await reach(deps, target, run);
    const fence = await takeTurn(shell, under, { name: 'sandbox', attempt: run.attempt }, run.signal);
    const link = await linkSandbox(shell, { folder: clawbackFile(shell, stageDirectory(restore)), fence });
    const parsed = await parseConfigurations(shell, restore, run);
    const items: SecretItem[] = [];
    for (const segment of segments) {
      const opened = await fromCopies(deps, { store, replica }, async (reading) => {
        const { fleet, lane } = target;
        const stored = await openStored(reading, { fleet, lane, store, segment, signal: run.signal });
        return decodeSecrets(await readWhole(await stored.plain()));
      });
      items.push(...opened);
    }
    if (items.length > 0) await tryInKeychain(shell, restore, items, fence);
    return {
      warnings: [
        ...(parsed === 0 ? ['the bundle holds no JSON configuration file'] : []),
        ...(link === undefined ? ['the sandbox had no name in /tmp: both are taken'] : []),
      ],
      configurations: parsed,
      secrets: items.length,
    };
  });
}

/** Short, for a line of `security` holds 4 KiB with the path in it; the ending keeps macOS from adding one. */
const sandboxKeychain = 's.keychain-db';

/**
 * Writes every item and reads it back, in a keychain of its own inside the sandbox, whose password nobody else knows;
 * it goes with this step, or with the sandbox. KeychainItemUnusable.
 */
async function tryInKeychain(
  shell: LaneShell,
  restore: string,
  items: readonly SecretItem[],
  fence: Fence,
): Promise<void> {
  const keychain = clawbackFile(shell, `${stageDirectory(restore)}/${sandboxKeychain}`);
  const inside = new LaneShell(shell.connection, { ...shell.target, keychain });
  await createKeychain(inside, randomBytes(24).toString('hex'), { fence });
  for (const { value, ...item } of items) await writeItem(inside, item, value, { fence });
  await deleteKeychain(inside, { fence });
}

/** Where gateways keep what they read at their start: `.openclaw/*.json` and `.openclaw/config/*.json`. */
const configuration = /^\.openclaw\/(?:config\/)?[^/]+\.json$/;

async function parseConfigurations(shell: LaneShell, restore: string, run: Run): Promise<number> {
  const base = `${stageDirectory(restore)}/home`;
  let parsed = 0;
  for await (const { path, type } of listFiles(shell, {
    base: `${shell.target.home}/${clawbackDirectory}/${base}`,
    paths: ['.openclaw'],
    signal: run.signal,
  })) {
    const name = path.toString('utf8');
    if (type !== 'file' || !configuration.test(name)) continue;
    const bytes = await readLaneFile(shell, `${base}/${name}`);
    if (!isJson(bytes)) throw new Failure('BundleDamaged', `a configuration file of restore ${restore} is no JSON`);
    parsed += 1;
  }
  return parsed;
}

function isJson(bytes: Buffer | undefined): boolean {
  try {
    JSON.parse(bytes?.toString('utf8') ?? '');
    return true;
  } catch {
    return false;
  }
}
