// Where one segment ends and the next begins. Cuts depend on names and sizes of the files around them, never on how
// many came before: a file more changes the segments near it and no other, so all others can be reused.
//
// 1. Items are sorted by name. An item whose hash, weighed against its size, falls below a threshold begins a run; on
//    average a run weighs one segment. A run's beginning depends on that item alone.
// 2. A run too heavy for one segment is split at the item of smallest weighed hash in its middle half, and so on.

export interface CutItem {
  /** Uniform in [0, 1), from the item's name alone. */
  readonly draw: number;
  readonly weight: number;
}

/**
 * @param items sorted by name
 * @param segmentWeight the most that one segment weighs; an item that alone weighs more is a segment of its own
 * @returns the items in order, cut into non-empty segments
 */
export function cutItems<Item extends CutItem>(items: readonly Item[], segmentWeight: number): Item[][] {
  const marked = items.map((item) => ({ item, priority: priorityOf(item) }));
  return runsOf(marked, 1 / segmentWeight)
    .flatMap((run) => splitRun(run, segmentWeight))
    .map((segment) => segment.map(({ item }) => item));
}

interface Marked<Item> {
  readonly item: Item;
  readonly priority: number;
}

/** P(priority < t) = t · weight, so cuts follow bytes, not counts. */
function priorityOf({ draw, weight }: CutItem): number {
  return draw / Math.max(weight, Number.MIN_VALUE);
}

function runsOf<Item>(marked: readonly Marked<Item>[], threshold: number): Marked<Item>[][] {
  const runs: Marked<Item>[][] = [];
  for (const mark of marked) {
    const run = runs.at(-1);
    if (run === undefined || mark.priority < threshold) runs.push([mark]);
    else run.push(mark);
  }
  return runs;
}

function splitRun<Item extends CutItem>(run: readonly Marked<Item>[], segmentWeight: number): Marked<Item>[][] {
  const done: Marked<Item>[][] = [];
  const open = [[...run]];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const at = part.length > 1 && weightOf(part) > segmentWeight ? splitPoint(part) : 0;
    if (at === 0) done.push(part);
    else open.push(part.slice(at), part.slice(0, at));
  }
  return done;
}

function weightOf(part: readonly Marked<CutItem>[]): number {
  return part.reduce((sum, { item }) => sum + item.weight, 0);
}

/** The item of smallest priority among those that begin in the middle half; where there is none, the one nearest to it. */
function splitPoint(part: readonly Marked<CutItem>[]): number {
  const total = weightOf(part);
  let before = 0;
  let best = { at: 1, distance: Number.POSITIVE_INFINITY, priority: Number.POSITIVE_INFINITY };
  for (const [at, { item, priority }] of part.entries()) {
    const distance = Math.max(0, Math.abs(before / total - 0.5) - 0.25);
    const better = distance < best.distance || (distance === best.distance && priority < best.priority);
    if (at > 0 && better) best = { at, distance, priority };
    before += item.weight;
  }
  return best.at;
}
