// The words of the field, as types. One noun for one thing; every other room takes them from here.

/** What a bundle is made of. Each can be restored alone. */
export const components = ['config', 'plists', 'secrets', 'transcripts', 'workspace', 'logs'] as const;
export type Component = (typeof components)[number];

/** Classes of the procedure: 1 identity, 2 operational; class 3 (rebuildable) is never saved. */
export type DataClass = 1 | 2;

export const tiers = ['A', 'B', 'C'] as const;
export type Tier = (typeof tiers)[number];

const classOne: readonly Component[] = ['config', 'plists', 'secrets'];

/** The class a component belongs to (procedure, "What is saved"). */
export function classOf(component: Component): DataClass {
  return classOne.includes(component) ? 1 : 2;
}

/**
 * What each tier holds (procedure, "Backup tiers"): A is class 1, B adds all of class 2, C is one lane
 * whole: B without the logs, which are the host's.
 */
export function componentsOf(tier: Tier): readonly Component[] {
  if (tier === 'A') return classOne;
  if (tier === 'B') return components;
  return components.filter((component) => component !== 'logs');
}

/** How a store or launchd domain names a lane: lower-case letters, digits, inner dashes; ≤ 40 characters. */
export const lanePattern = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/** Bundle ids: start time and the tail of the run id, so that they sort by time and repeat under retry. */
export const bundleIdPattern = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;

/**
 * The id of the bundle that a run makes.
 * @param startedAtMs the run's start, milliseconds since the epoch, from Temporal's clock
 * @param runId Temporal's run id: a UUID of version 7, whose head is the time again and whose tail is random
 */
export function bundleIdOf(startedAtMs: number, runId: string): string {
  const stamp = new Date(startedAtMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  return `${stamp}-${runId.replaceAll('-', '').slice(-8)}`;
}
