// First signals of the five disasters: what the watch sees of a fleet, what it remembers from run to run, and when that
// is a signal (issue 5, "Signals"). Pure. What cannot be seen just now is neither there nor gone: a signal is held.

import type { Scenario } from './incident.ts';

/** When something is a signal: `signals` of the fleet file. Times in milliseconds. */
export interface SignalRules {
  readonly exitLoop: { readonly restarts: number; readonly withinMs: number };
  /** Percent of a volume; raised after so many samples in a row, gone below `clear`. */
  readonly disk: { readonly full: number; readonly clear: number; readonly samples: number };
  readonly crossWrite: { readonly silentMs: number; readonly filesEveryMs: number };
  /** A region of fewer hosts than this is never lost: one host alone is a lost host. */
  readonly region: { readonly silentMs: number; readonly hosts: number };
  readonly host: { readonly silentMs: number };
  /** A signal that has been gone for so long has cleared. */
  readonly clearMs: number;
  /** An incident is opened again for a signal that is still, or again, there so long after the last one has ended. */
  readonly againMs: number;
}

/**
 * How a host took to being asked: `odd`, it let us in and then did not answer as it should; `key-changed`, another machine
 * shows there; `refused`, nobody listens; `timeout`, nothing comes back; `unknown`, it was not asked at all.
 */
export type Reach = 'answers' | 'odd' | 'key-changed' | 'login-refused' | 'refused' | 'timeout' | 'unknown';

/** How many files in a lane's trees belong to the user of another lane of its host. */
export interface ForeignFiles {
  readonly lane: string;
  readonly count: number;
}

export interface LaneSample {
  readonly lane: string;
  /** Its own section has stopped it, or its job is disabled. */
  readonly planned: boolean;
  /** Of launchd, while the job is loaded. */
  readonly runs: number | null;
  readonly pid: number | null;
  /** Did the gateway answer its probe? */
  readonly answered: boolean;
  /** Of the volume of its home, percent. */
  readonly diskUsed: number | null;
  /** By whose they are; null: not looked. */
  readonly foreign: readonly ForeignFiles[] | null;
  /** Stopped by a playbook that waits for its restore. */
  readonly held: boolean;
}

export interface HostSample {
  readonly host: string;
  readonly reach: Reach;
  /** Host minus worker. */
  readonly clockOffsetMs: number | null;
  /** None unless the host answers. */
  readonly lanes: readonly LaneSample[];
}

export interface SampledHost extends HostSample {
  readonly region: string;
  /** All that the fleet file has on it, also when it does not answer. */
  readonly laneNames: readonly string[];
}

/** One look at the fleet. */
export interface FleetSample {
  readonly atMs: number;
  readonly hosts: readonly SampledHost[];
  /** Does the control address of a region answer? Regions without one are not here. */
  readonly controls: readonly Outside[];
  /** Where no control address is named: does what is a store, and out in the world, answer? */
  readonly stores: readonly Outside[];
}

/** What stands outside our own network. */
export interface Outside {
  readonly region: string;
  readonly answers: boolean;
}

/** What of a lane is kept: its last count of processes, restarts by when they were seen, since when it is silent. */
export interface LaneMemory {
  readonly runs?: number | undefined;
  readonly pid?: number | undefined;
  readonly restarts?: readonly (readonly [atMs: number, count: number])[] | undefined;
  readonly silentSinceMs?: number | undefined;
  readonly foreign?: readonly ForeignFiles[] | undefined;
}

export interface HostMemory {
  readonly awaySinceMs?: number | undefined;
  /** Samples in a row in which a volume was full. */
  readonly full?: number | undefined;
  readonly filesAtMs?: number | undefined;
}

/** A signal that is there, or whose incident was opened not long ago. */
export interface SignalMemory {
  readonly scenario: Scenario;
  readonly subject: string;
  readonly sinceMs: number;
  /** Since when it is not seen any more; absent: it is there. */
  readonly goneSinceMs?: number | undefined;
  /** It has been told that it cleared; kept only so that it does not open again at once. */
  readonly cleared?: boolean | undefined;
  /** When its incident was opened, or seen open, last. */
  readonly openedAtMs?: number | undefined;
}

export interface WatchMemory {
  readonly format: 1;
  readonly atMs: number;
  readonly lanes: Readonly<Record<string, LaneMemory>>;
  readonly hosts: Readonly<Record<string, HostMemory>>;
  /** Since when all hosts of a region are silent while its control address answers. */
  readonly regions: Readonly<Record<string, number>>;
  readonly signals: readonly SignalMemory[];
}

/** What is seen of one subject now. */
export interface Finding {
  readonly scenario: Scenario;
  readonly subject: string;
  /** `held`: it cannot be told. */
  readonly state: 'on' | 'off' | 'held';
  readonly code: string;
  readonly sinceMs: number;
  /** In words, with numbers. */
  readonly text: string;
  /** Cross-write: which lanes. */
  readonly lanes?: readonly string[];
}

export interface Verdict {
  readonly memory: WatchMemory;
  /** Signals that are there. */
  readonly present: readonly Finding[];
  /** Of these, those whose incident is to be opened now. */
  readonly open: readonly Finding[];
  readonly cleared: readonly Pick<SignalMemory, 'scenario' | 'subject' | 'sinceMs'>[];
  /** Nothing at all answered: the worker's own network is down, and nothing is judged. */
  readonly cutOff: boolean;
}

/** Is a machine there, whatever it says? */
export function isThere(reach: Reach): boolean {
  return !isAway(reach) && reach !== 'unknown';
}

export function isAway(reach: Reach): boolean {
  return reach === 'timeout' || reach === 'refused';
}

/** Hosts of which somebody can be asked, and none is there, nor anything outside: we are the ones who are away. */
export function isCutOff(sample: FleetSample): boolean {
  return !sample.hosts.some(({ reach }) => isThere(reach)) && !outsideOf(sample).some(({ answers }) => answers);
}

/** Who vouches beside hosts: control addresses are the operator's word; without one the stores are. */
export function outsideOf({ controls, stores }: Pick<FleetSample, 'controls' | 'stores'>): readonly Outside[] {
  return controls.length > 0 ? controls : stores;
}

const minuteMs = 60_000;

/** As it is said in the text of a signal. */
export function spoken(ms: number): string {
  return ms < 2 * minuteMs ? `${Math.round(ms / 1000)} s` : `${Math.floor(ms / minuteMs)} min`;
}
