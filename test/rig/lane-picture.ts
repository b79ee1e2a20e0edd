// What of a lane must be the same after a restore: every file of classes 1 and 2 by digest, and every row of its
// database. A running gateway goes on writing: its database files and the probe's own session are compared as rows.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { treeMatcher } from '../../src/bundle/globs.ts';
import { profileOf } from '../../src/domain/profile.ts';
import type { BedLane } from '../bed/bed.ts';
import { differences, digestTree, type TreeDigest, type TreeEntry } from '../bed/tree-digest.ts';

export interface LanePicture {
  readonly trees: ReadonlyMap<string, TreeDigest>;
  readonly turns: readonly string[];
}

/** Written by the running gateway, and folders whose times follow from that. */
const moving = /(?:\.sqlite(?:-wal|-shm|-journal)?$)|(?:agent_main_clawback-probe\.jsonl$)/;

export function pictureOf(lane: BedLane): LanePicture {
  const profile = profileOf(lane.profile);
  if (!profile) throw new Error(`no profile ${lane.profile}`);
  const skipped = treeMatcher([...profile.skip, ...profile.volatile]);
  const trees = profile.roots.map((root): [string, TreeDigest] => {
    const skip = (path: string): boolean => skipped(Buffer.from(`${root}/${path}`, 'latin1')) || moving.test(path);
    return [root, stillFolders(root, digestTree(join(lane.realHome, root), { skip }))];
  });
  return { trees: new Map(trees), turns: turnsOf(lane) };
}

/** A folder's time changes when something in it is skipped here but written there. */
function stillFolders(root: string, digest: TreeDigest): TreeDigest {
  const withoutTime = (entry: TreeEntry): TreeEntry =>
    entry.type === 'directory' && root === '.openclaw' ? { ...entry, mtimeNs: 0n } : entry;
  return { ...digest, entries: new Map([...digest.entries].map(([path, entry]) => [path, withoutTime(entry)])) };
}

function turnsOf(lane: BedLane): string[] {
  const path = join(
    lane.realHome,
    lane.profile === 'slimvps-legacy'
      ? '.openclaw/transcripts/sessions.sqlite'
      : '.openclaw/agents/main/agent/openclaw-agent.sqlite',
  );
  if (!existsSync(path)) return [];
  // the gateway may be mending its log just then, as after a power cut
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return database
      .prepare('SELECT * FROM turns')
      .all()
      .map((row) => JSON.stringify(row));
  } finally {
    database.close();
  }
}

/** What is not as it was, a line each. Turns may have been added. */
export function pictureDifferences(before: LanePicture, after: LanePicture): string[] {
  const lost = before.turns
    .filter((turn) => !after.turns.includes(turn))
    .map((turn) => `lost turn ${turn.slice(0, 80)}`);
  const trees = [...before.trees].flatMap(([root, tree]) => {
    const now = after.trees.get(root);
    return now ? differences(tree, now).map((line) => `${root}: ${line}`) : [`missing ${root}`];
  });
  return [...trees, ...lost];
}
