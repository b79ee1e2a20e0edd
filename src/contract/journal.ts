// The journal of a live restore, as it lies on the lane (`~/.clawback/journal/journal.json`, 0700, no secret):
// the memory from which settleLane puts a lane right. It is opened before the first thing is stopped; every
// rename stands in it before the first one is made, and which are done is seen from the names on disk.

import { z } from 'zod';

/** Paths are relative to the lane's home. Done when `to` is there and `from` is not. */
const Rename = z.strictObject({ from: z.string().min(1), to: z.string().min(1) });
export type Rename = z.infer<typeof Rename>;

const Item = z.strictObject({ service: z.string().min(1), account: z.string().min(1) });

export const Journal = z.strictObject({
  format: z.literal(1),
  restore: z.string().min(1),
  /** Seconds since the epoch at the stop: names the `.bak.<epoch>` trees, items and plist. */
  epoch: z.int().min(0),
  /** `open`: roll back. `committed`: go forward. `undo`: the operator wants the old tree back. */
  phase: z.enum(['open', 'committed', 'undo']),
  /** How the gateway was found. */
  before: z.strictObject({ loaded: z.boolean(), disabled: z.boolean(), healthy: z.boolean() }),
  renames: z.array(Rename),
  /** The plist that was installed: absolute on the Mac; `had`: one was there before and is kept as `.bak.<epoch>`. */
  plist: z.strictObject({ path: z.string().min(1), had: z.boolean() }).nullable(),
  /** Keychain items that will be written; `replaced` is set once the old values are kept, before the first write. */
  items: z.array(Item),
  replaced: z.array(Item.extend({ had: z.boolean() })).nullable(),
  /** Trees that were not there, into which the swap puts parts: a roll-back removes them whole. Relative to the home. */
  made: z.array(z.string().min(1)).optional(),
  /** There was no keychain: set before one is made, so that a roll-back removes it. */
  keychainMade: z.literal(true).optional(),
});
export type Journal = z.infer<typeof Journal>;

/** Does it say what will be replaced? Before that nothing of the lane was changed but that its gateway was stopped. */
export function isPrepared({ renames, plist, items }: Journal): boolean {
  return renames.length > 0 || plist !== null || items.length > 0;
}

/** How the old value of a replaced item, tree or plist is called while it is kept. */
export function bakName(name: string, epoch: number): string {
  return `${name}.bak.${epoch}`;
}

/** Where what was live goes when a restore is undone: a folder in the home. */
export function undoneName(epoch: number): string {
  return `openclaw-undone.${epoch}`;
}

/** How the value is called that an item had when its restore was undone: it may have been rotated since. */
export function undoneItemName(service: string, epoch: number): string {
  return `${service}.undone.${epoch}`;
}
