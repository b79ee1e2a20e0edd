// What a rig is made of for its rows, and on which of its lanes they are made.

import type { BedOptions } from '../bed/bed.ts';
import { hostName } from './fault-rig.ts';
import { standbyOf } from './losses.ts';
import type { RigKind } from './points.ts';

interface RigParts {
  readonly hosts: BedOptions['hosts'];
  /** Rows are made on so many, one after the other: a row that breaks a promise uses its lane up. */
  readonly lanes: number;
}

/** A lost host and its standby each, whose account is made when it takes over. */
const losses = [1, 2, 3, 4].flatMap((number) => [
  { name: `mac-${number}`, lanes: 1 },
  { name: standbyOf(`mac-${number}`), lanes: 0, recruits: [number] },
]);

export const rigKinds: Readonly<Record<RigKind, RigParts>> = {
  lanes: { hosts: [{ name: hostName, lanes: 4 }], lanes: 4 },
  modern: { hosts: [{ name: hostName, lanes: 4, profile: 'openclaw-2026' }], lanes: 4 },
  host: { hosts: [{ name: hostName, lanes: 2 }], lanes: 1 },
  losses: { hosts: losses, lanes: 4 },
};
