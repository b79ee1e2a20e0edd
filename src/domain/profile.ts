// Where a range of OpenClaw versions keeps what. Profiles are data: a new layout is a new value, not new code.

import type { Component } from './terms.ts';

/** A path below the home belongs to the component of the first rule whose prefix it starts with. */
export interface PathRule {
  /** Relative to the lane's home; a directory ends in `/`. */
  readonly prefix: string;
  readonly component: Component;
}

export interface MessageProbe {
  readonly path: string;
  /** Header by which the probe keeps to a session of its own. */
  readonly sessionHeader: string;
  readonly sessionKey: string;
  readonly model: string;
}

/** A place of class 3 that may be removed under a running gateway. */
export interface PruneRule {
  readonly kind: 'npm-cache' | 'embedding-cache' | 'caches' | 'scratch' | 'node-modules';
  /** `content`: all in this folder, which stays; `packages`: folders `node_modules` below it, beside a lockfile. */
  readonly how: 'content' | 'packages';
  /** A folder below the home: no glob. */
  readonly path: string;
}

export interface Profile {
  readonly id: 'slimvps-legacy' | 'openclaw-2026';
  /** Versions it was made for: `from` ≤ version < `below`, dotted numbers. */
  readonly versions: { readonly from: string; readonly below: string };
  /** Trees below the home that a restore swaps, as a whole. None lies inside another. */
  readonly roots: readonly string[];
  /** First match wins; what is in a root and matches none is `config`. */
  readonly rules: readonly PathRule[];
  /** Class 3: rebuilt from a lockfile or at first run. Globs: `**`, `*`, `?` below the home. */
  readonly skip: readonly string[];
  /** Of class 3, what is removed when the disk is full (procedure, "Five disasters"). In `skip` too: no bundle has it. */
  readonly prunes: readonly PruneRule[];
  /** SQLite databases, by glob: taken with the online backup, never as files; -wal and -shm are left out. */
  readonly databases: readonly string[];
  /** Lock databases and the like: neither taken nor restored. */
  readonly volatile: readonly string[];
  /** Append-only files: may be cut at a recorded length and a whole line. */
  readonly appendOnly: readonly string[];
  /** Logs of the lane on the host, absolute globs on a Mac; the gateway's own home logs too. */
  readonly logs: readonly string[];
  /** launchd plists, absolute globs on a Mac; `~` is the lane's home. Absence of one is no error. */
  readonly plists: readonly string[];
  /** How launchd is spoken to: `load`/`unload` of old, or `bootstrap`/`bootout`. */
  readonly launchctl: 'legacy' | 'modern';
  readonly health: { readonly live: string; readonly ready?: string };
  readonly message: MessageProbe;
  /** A configuration file below the home that holds the version pin or names it, for the survey. */
  readonly versionCommand: readonly string[];
  /**
   * How a running gateway is asked to hold still for a backup, by a lease that ends by itself; absent where it cannot
   * be. Each command is given one more word: `suspend` an id of ours (asked again with it, the lease is renewed),
   * `resume` the `suspensionId` of the JSON that `suspend` printed.
   */
  readonly suspension?: { readonly suspend: readonly string[]; readonly resume: readonly string[] };
  readonly defaultPort: number;
  /**
   * Tables that mean nothing on another day or host, emptied in the staged databases before they become live: leases
   * that would keep the gateway from starting, deliveries that would be made a second time. Absent ones are no error.
   */
  readonly emptiedTables: readonly string[];
}

const skipAlways = ['**/node_modules/**', '**/.npm/**', '**/embedding-cache/**', '**/.cache/**'];

/** Sandboxes, skills and logs are skipped by backups too, but may be wanted: they stay. */
const prunesAlways: readonly PruneRule[] = [
  { kind: 'npm-cache', how: 'content', path: '.npm' },
  { kind: 'caches', how: 'content', path: '.cache' },
  { kind: 'embedding-cache', how: 'content', path: '.openclaw/embedding-cache' },
];

const chatCompletions: MessageProbe = {
  path: '/v1/chat/completions',
  sessionHeader: 'x-openclaw-session-key',
  sessionKey: 'agent:main:clawback-probe',
  model: 'openclaw/default',
};

/** The procedure's layout. */
const slimvpsLegacy: Profile = {
  id: 'slimvps-legacy',
  versions: { from: '2025.1.0', below: '2026.1.0' },
  roots: ['.openclaw', 'workspace'],
  rules: [
    { prefix: '.openclaw/transcripts/', component: 'transcripts' },
    { prefix: '.openclaw/', component: 'config' },
    { prefix: 'workspace/', component: 'workspace' },
  ],
  skip: [...skipAlways, '.openclaw/tmp/**'],
  prunes: [
    ...prunesAlways,
    { kind: 'scratch', how: 'content', path: '.openclaw/tmp' },
    { kind: 'node-modules', how: 'packages', path: 'workspace' },
  ],
  databases: ['.openclaw/**/*.sqlite', '.openclaw/**/*.db'],
  volatile: ['.openclaw/**/*.lock', '.openclaw/**/*.pid'],
  appendOnly: ['.openclaw/transcripts/**/*.jsonl', '.openclaw/transcripts/**/*.log'],
  logs: ['/var/log/openclaw*.log'],
  plists: ['/Library/LaunchDaemons/com.*.openclaw*.plist', '~/Library/LaunchDaemons/com.*.openclaw*.plist'],
  launchctl: 'legacy',
  health: { live: '/health' },
  message: chatCompletions,
  versionCommand: ['openclaw', '--version'],
  defaultPort: 11430,
  emptiedTables: [],
};

/** The layout of OpenClaw 2026 (openclaw-notes, 4 and 6). */
const openclaw2026: Profile = {
  id: 'openclaw-2026',
  versions: { from: '2026.1.0', below: '2027.1.0' },
  roots: ['.openclaw'],
  rules: [
    { prefix: '.openclaw/workspace/', component: 'workspace' },
    { prefix: '.openclaw/media/', component: 'transcripts' },
    { prefix: '.openclaw/', component: 'config' },
  ],
  skip: [
    ...skipAlways,
    '.openclaw/cache/**',
    '.openclaw/plugin-skills/**',
    '.openclaw/tmp/**',
    '.openclaw/logs/**',
    '.openclaw/sandboxes/**',
  ],
  prunes: [
    ...prunesAlways,
    { kind: 'caches', how: 'content', path: '.openclaw/cache' },
    { kind: 'scratch', how: 'content', path: '.openclaw/tmp' },
    { kind: 'node-modules', how: 'packages', path: '.openclaw/workspace' },
  ],
  databases: [
    '.openclaw/state/openclaw.sqlite',
    '.openclaw/state/openclaw-quarantine.sqlite',
    '.openclaw/agents/*/agent/openclaw-agent.sqlite',
  ],
  volatile: [
    '.openclaw/**/*.generation-lock.sqlite',
    '.openclaw/**/*.generation-writer.sqlite',
    '.openclaw/**/*.reindex-lock.sqlite',
    '.openclaw/**/*.lock',
  ],
  appendOnly: ['.openclaw/**/*.jsonl'],
  logs: ['~/Library/Logs/openclaw/gateway*.log'],
  plists: ['~/Library/LaunchAgents/ai.openclaw.*.plist', '/Library/LaunchDaemons/ai.openclaw.*.plist'],
  launchctl: 'modern',
  health: { live: '/health', ready: '/readyz' },
  message: chatCompletions,
  versionCommand: ['openclaw', '--version'],
  // openclaw-notes, 8; OpenClaw's docs/cli/gateway/query.md: exit status 1 while work is under way after the wait
  suspension: {
    suspend: ['openclaw', 'gateway', 'suspend', '--wait', '30', '--json', '--request-id'],
    resume: ['openclaw', 'gateway', 'resume'],
  },
  defaultPort: 18789,
  // openclaw-notes, 5 and 8: an owner lease blocks the start for 300 s; OpenClaw's own archives drop the same
  emptiedTables: ['state_leases', 'agent_database_leases', 'delivery_queue'],
};

export const profiles: readonly Profile[] = [slimvpsLegacy, openclaw2026];

export function profileOf(id: string): Profile | undefined {
  return profiles.find((profile) => profile.id === id);
}
