// launchd as it behaves, not as it reports (macos-notes, 1): load and unload exit 0 even when they failed, bootout is
// asynchronous, 5 stands for nearly everything, a disable persists across reboots. So every verb is followed by `print`
// until the job is in the wanted state.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { Fence } from './fence-script.ts';
import { type JobState, parseDisabled, parseJob } from './job-state.ts';
import type { LaneShell, RunAs, RunResult } from './lane-shell.ts';
import { nextLookMs, pause } from './pause.ts';

export type { JobState } from './job-state.ts';
export { laneProcesses } from './lane-processes.ts';

export interface JobOptions {
  readonly fence?: Fence | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly verbs: 'legacy' | 'modern';
  /** How long is tried, ms; default `limits.bootoutMs` to stop, `limits.bootstrapMs` to start. */
  readonly withinMs?: number;
}

/** launchctl's exit statuses (macos-notes, 1). */
const codes = {
  noSuchProcess: 3,
  inputOutput: 5,
  inProgress: 36,
  alreadyInProgress: 37,
  notFound: 113,
  disabled: 119,
  noDomain: 125,
} as const;

export interface CallOptions {
  readonly fence?: Fence | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Root changes the system domain; a gui domain belongs to its user. */
function accountOf(shell: LaneShell): RunAs {
  return shell.target.domain === 'system' ? 'root' : 'lane';
}

const anyStatus = Array.from({ length: 256 }, (_, status) => status);

async function launchctl(shell: LaneShell, words: readonly string[], options: CallOptions = {}): Promise<RunResult> {
  const result = await shell.run([shell.tool('launchctl'), ...words], {
    as: accountOf(shell),
    ...options,
    okStatuses: anyStatus,
    tool: 'launchctl',
  });
  const { domain, lane, host } = shell.target;
  if (result.exitStatus === codes.noDomain || /Could not find domain/.test(result.stderr)) {
    throw new Failure('LaunchdDomainMissing', `launchd on ${host.name} has no domain ${domain} now`, {
      lane,
      host: host.name,
      exitStatus: result.exitStatus,
    });
  }
  return result;
}

function target(shell: LaneShell): string {
  return `${shell.target.domain}/${shell.target.label}`;
}

function unexpected(shell: LaneShell, verb: string, exitStatus: number): Failure {
  const { lane, host } = shell.target;
  return new Failure('LaunchdFailed', `launchctl ${verb} ${target(shell)} on ${host.name} ended with ${exitStatus}`, {
    lane,
    host: host.name,
    exitStatus,
  });
}

/** The loaded part alone: one command. */
async function printJob(shell: LaneShell, signal?: AbortSignal): Promise<Omit<JobState, 'disabled'>> {
  const { exitStatus, stdout } = await launchctl(shell, ['print', target(shell)], { signal });
  if (exitStatus === codes.notFound) return { loaded: false };
  if (exitStatus !== 0) throw unexpected(shell, 'print', exitStatus);
  return { loaded: true, ...parseJob(stdout.toString()) };
}

/**
 * The lane's job as launchd has it. Changes nothing.
 * @throws LaunchdDomainMissing, LaunchdFailed, and what {@link LaneShell.run} throws
 */
export async function readJob(shell: LaneShell, signal?: AbortSignal): Promise<JobState> {
  const [job, { exitStatus, stdout }] = await Promise.all([
    printJob(shell, signal),
    launchctl(shell, ['print-disabled', shell.target.domain], { signal }),
  ]);
  if (exitStatus !== 0) throw unexpected(shell, 'print-disabled', exitStatus);
  return { ...job, disabled: parseDisabled(stdout.toString(), shell.target.label) };
}

/** Lets launchd load the job again, at boot too; it is not started now. May be repeated. @throws LaunchdFailed, LaunchdDomainMissing, FenceLost */
export async function allowJob(shell: LaneShell, options: CallOptions): Promise<void> {
  await override(shell, 'enable', options);
}

/** enable and disable exit 0 or say why not (1: not permitted). */
async function override(shell: LaneShell, verb: 'enable' | 'disable', options: CallOptions): Promise<void> {
  const { exitStatus } = await launchctl(shell, [verb, target(shell)], options);
  if (exitStatus !== 0) throw unexpected(shell, verb, exitStatus);
}

async function unload(shell: LaneShell, job: Omit<JobState, 'disabled'>, options: JobOptions): Promise<void> {
  const call = { fence: options.fence, signal: options.signal };
  if (options.verbs === 'legacy' && job.plistPath !== undefined) {
    await launchctl(shell, ['unload', job.plistPath], call);
    return;
  }
  const harmless: readonly number[] = [
    0,
    codes.noSuchProcess,
    codes.inputOutput,
    codes.inProgress,
    codes.alreadyInProgress,
    codes.notFound,
  ];
  const { exitStatus } = await launchctl(shell, ['bootout', target(shell)], call);
  if (!harmless.includes(exitStatus)) throw unexpected(shell, 'bootout', exitStatus);
}

/**
 * Disables the job, so that no reboot starts it, and unloads it; returns when launchd no longer knows it. May be
 * repeated: a job that is not loaded is only disabled.
 * @throws GatewayWouldNotStop when it is still there after `limits.bootoutMs`; LaunchdDomainMissing, LaunchdFailed, FenceLost
 */
export async function stopJob(shell: LaneShell, options: JobOptions): Promise<void> {
  await override(shell, 'disable', { fence: options.fence, signal: options.signal });
  const withinMs = options.withinMs ?? limits.bootoutMs;
  const deadlineMs = performance.now() + withinMs;
  let asked = false;
  for (let looks = 0; ; looks += 1) {
    const job = await printJob(shell, options.signal);
    if (!job.loaded) return;
    if (performance.now() > deadlineMs) {
      const { lane, host } = shell.target;
      throw new Failure(
        'GatewayWouldNotStop',
        `job ${target(shell)} on ${host.name} is still ${job.state ?? 'loaded'}${job.pid === undefined ? '' : ` with pid ${job.pid}`} after ${withinMs} ms`,
        { lane, host: host.name },
      );
    }
    if (!asked || job.state !== 'SIGTERMed') await unload(shell, job, options);
    asked = true;
    await pause(nextLookMs(looks), options.signal);
  }
}

async function load(shell: LaneShell, options: JobOptions & { readonly plistPath: string }): Promise<void> {
  const call = { fence: options.fence, signal: options.signal };
  if (options.verbs === 'legacy') {
    await launchctl(shell, ['load', options.plistPath], call);
    return;
  }
  const { exitStatus } = await launchctl(shell, ['bootstrap', shell.target.domain, options.plistPath], call);
  if (exitStatus === codes.disabled) await override(shell, 'enable', call);
  const expected: readonly number[] = [0, codes.inputOutput, codes.inProgress, codes.alreadyInProgress, codes.disabled];
  if (!expected.includes(exitStatus)) throw unexpected(shell, 'bootstrap', exitStatus);
}

/** Follows a job from print to print: which pid runs and since when, how many ended. */
class Watch {
  #pid: number | undefined;
  #sinceMs = 0;
  #ended = 0;

  /** @returns for how long the present process has been seen running, ms */
  note(job: Omit<JobState, 'disabled'>): number {
    const pid = job.state === 'running' ? job.pid : undefined;
    if (pid === this.#pid) return pid === undefined ? 0 : performance.now() - this.#sinceMs;
    if (this.#pid !== undefined) this.#ended += 1;
    this.#pid = pid;
    this.#sinceMs = performance.now();
    return 0;
  }

  /** Of the process that was running at the last look. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Processes that ended under our eyes. */
  get ended(): number {
    return this.#ended;
  }
}

function wouldNotStart(shell: LaneShell, job: Omit<JobState, 'disabled'>): Failure {
  const { lane, host } = shell.target;
  const how = job.loaded
    ? `is ${job.state ?? 'loaded'}, its last exit status is ${job.lastExit ?? 'unknown'}`
    : 'does not load';
  const context = { lane, host: host.name, ...(job.lastExit === undefined ? {} : { exitStatus: job.lastExit }) };
  return new Failure(
    job.loaded ? 'GatewayWouldNotStart' : 'LaunchdFailed',
    `job ${target(shell)} on ${host.name} ${how}`,
    context,
  );
}

interface StartOptions extends JobOptions {
  /** Absolute, on the host. */
  readonly plistPath: string;
  /** Does the gateway answer? A process that ran before and after it did is up; absent: only time tells. */
  readonly answers?: () => Promise<boolean>;
}

/**
 * Enables the job and loads it until one process of it answers, or has run for `limits.launchdStableMs`. May be
 * repeated: one that runs already is left alone; one that is loaded without a process is kicked off.
 * @throws GatewayWouldNotStart when it exits again and again; LaunchdFailed when it does not load within `limits.bootstrapMs`;
 * LaunchdDomainMissing, FenceLost
 */
export async function startJob(shell: LaneShell, options: StartOptions): Promise<void> {
  const call = { fence: options.fence, signal: options.signal };
  await override(shell, 'enable', call);
  const deadlineMs = performance.now() + (options.withinMs ?? limits.bootstrapMs);
  const watch = new Watch();
  let kicked = false;
  let answered = false;
  for (let looks = 0; ; looks += 1) {
    const job = await printJob(shell, options.signal);
    const before = watch.pid;
    const ranMs = watch.note(job);
    if (ranMs >= limits.launchdStableMs || (answered && watch.pid !== undefined && watch.pid === before)) return;
    if (watch.ended >= 2 || performance.now() > deadlineMs) throw wouldNotStart(shell, job);
    if (!job.loaded) await load(shell, options);
    else if (job.state !== 'running' && job.runs === 0 && !kicked) {
      await launchctl(shell, ['kickstart', target(shell)], call);
      kicked = true;
    }
    answered = watch.pid !== undefined && (await options.answers?.()) === true;
    if (answered) continue;
    await pause(nextLookMs(looks), options.signal);
  }
}
