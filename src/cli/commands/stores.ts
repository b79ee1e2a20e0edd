// `stores init`: makes the folders of directory stores stores. Once and by hand: a folder that lies where a volume should
// be mounted looks like a new store, and only the operator knows which it is.

import { Command } from 'commander';
import { resolvePath } from '../../config/private-path.ts';
import { Failure } from '../../domain/failure.ts';
import { markDirectory } from '../../store/directory-marker.ts';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';

export function storesCommand(cli: Cli): Command {
  return new Command('stores').usage('COMMAND').description('where bundles rest').addCommand(initCommand(cli));
}

function initCommand(cli: Cli): Command {
  const command = new Command('init')
    .description('make the folder of each directory store a store, once; its volume must be mounted')
    .argument('[STORE]', 'one store, as fleet.yaml names it (default: all)')
    .action(cli.action((only: string | undefined) => init(cli, only)));
  return documented(command, {
    examples: ['./clawback stores init', './clawback stores init primary'],
    json: ['`stores`: a list of `store`, `path` and `made` (false: it was one already)'],
    notes: [
      'Writes the file `.clawback-store` into the folder, and makes the folder when only that is missing. Nothing is written into a folder without that file: it lies there when the volume is not mounted.',
    ],
  });
}

async function init(cli: Cli, only: string | undefined): Promise<Outcome> {
  const { fleet, baseDir } = await cli.loadFleet();
  const named = Object.entries(fleet.stores).filter(([store]) => only === undefined || store === only);
  if (named.length === 0)
    throw new Failure(
      'InvalidInput',
      `the fleet has no store ${only} (stores: ${Object.keys(fleet.stores).join(', ')})`,
      {
        field: 'STORE',
      },
    );
  const stores = [];
  for (const [store, description] of named) {
    if (description.kind !== 'directory') {
      if (only === undefined) continue;
      throw new Failure('InvalidInput', `store ${store} is a bucket, which its provider makes: docs/s3.md says how`, {
        field: 'STORE',
      });
    }
    const path = resolvePath(baseDir, description.path);
    stores.push({ store, path, made: await markDirectory(store, path) });
  }
  const lines = stores.map(
    ({ store, path, made }) => `store ${store}: ${path} ${made ? 'is a store now' : 'is one already'}`,
  );
  return { json: { stores }, text: lines.join('\n') };
}
