// `npm run gate:soak -- --day-length 10s --kill every-day --json`: the whole gate on the real server with short days, while
// worker and server are killed (SIGKILL) on every day. It begins with a day that fails, and tries to sign on each.

import { mkdtempSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../src/cli/parse.ts';
import { readGate, retryGateDay, signGate, startGate } from '../../src/client/gate.ts';
import type { GateState } from '../../src/contract/gate.ts';
import { lastGateDay } from '../../src/domain/gate.ts';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import { bestBedKind } from '../bed/bed.ts';
import { Rig } from '../rig/rig.ts';

const { values } = parseArgs({
  options: {
    'day-length': { type: 'string', default: '10s' },
    kill: { type: 'string', default: 'every-day' },
    json: { type: 'boolean', default: false },
  },
});

const host = 'mac-1';
/** Ten times what a machine with two busy cores needed for a day. */
const longestMs = 300_000;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

class Soak {
  readonly #rig: Rig;
  readonly #kills: boolean;
  kills = 0;
  /** Signatures that were refused, by what stood in the way. */
  readonly refused: string[] = [];
  /** Signatures that were taken while a day had failed: there must be none. */
  signedOverFailedDay = 0;

  constructor(rig: Rig, kills: boolean) {
    this.#rig = rig;
    this.#kills = kills;
  }

  get #of() {
    return { fleet: 'bed', host };
  }

  async whole(dayLengthMs: number): Promise<GateState> {
    const away = `${this.#rig.storePath}.away`;
    await rename(this.#rig.storePath, away);
    await startGate(this.#rig.client, this.#of, dayLengthMs);
    await this.#until('day 0 failed', ({ rows }) => rows[0]?.state === 'failed');
    await this.#signInVain();
    await this.#killAll();
    await rename(away, this.#rig.storePath);
    await this.#retry(0);
    for (let day = 1; day <= lastGateDay; day += 1) {
      await this.#until(`day ${day}`, (state) => state.day >= day);
      if (day < lastGateDay) await this.#signInVain();
      await this.#killAll();
    }
    await this.#until('it can be signed', ({ next }) => next?.includes('gate sign') ?? false);
    await signGate(this.#rig.client, this.#of, { by: 'soak' });
    return readGate(this.#rig.client, this.#of);
  }

  async runs(): Promise<{ readonly workflowIds: string[]; readonly runs: number }> {
    const ids: string[] = [];
    // the list lags behind by a second or two
    await sleep(3_000);
    for await (const { workflowId } of this.#rig.client.workflow.list({ query: "WorkflowType = 'qualifyHost'" }))
      ids.push(workflowId);
    return { workflowIds: [...new Set(ids)], runs: ids.length };
  }

  /** A day that the kills made fail is tried again, after a signature over it was refused. */
  async #until(what: string, is: (state: GateState) => boolean): Promise<void> {
    const deadlineMs = Date.now() + longestMs;
    for (;;) {
      const state = await this.#look();
      if (state !== undefined && is(state)) return;
      const failed = state?.rows.find((row) => row.state === 'failed');
      if (failed && failed.day > 0) {
        say(`day ${failed.day} failed: ${failed.message}`);
        await this.#signInVain();
        await this.#retry(failed.day);
      }
      if (Date.now() > deadlineMs)
        throw new Failure('Unexpected', `waited in vain for: ${what}; ${state?.doing ?? 'no answer'}`);
      await sleep(500);
    }
  }

  /** Undefined while nobody answers. */
  async #look(): Promise<GateState | undefined> {
    try {
      return await readGate(this.#rig.client, this.#of);
    } catch (error) {
      if (isFailure(error)) return undefined;
      throw error;
    }
  }

  async #signInVain(): Promise<void> {
    const before = await this.#look();
    try {
      await signGate(this.#rig.client, this.#of, { by: 'too early' });
    } catch (error) {
      if (!isFailure(error, 'GateRefused')) throw error;
      this.refused.push(error.message);
      return;
    }
    if (before?.rows.some(({ state }) => state === 'failed')) this.signedOverFailedDay += 1;
    throw new Failure('Unexpected', 'the gate was signed before its time');
  }

  async #retry(day: number): Promise<void> {
    await retryGateDay(this.#rig.client, this.#of, { day, by: 'soak' });
  }

  async #killAll(): Promise<void> {
    if (!this.#kills) return;
    for (const worker of this.#rig.workers) worker.kill();
    this.#rig.server.kill();
    this.kills += 1;
    say(`killed worker and server (${this.kills})`);
    await sleep(1_000);
    await this.#rig.startServer();
    await this.#rig.startWorker();
  }
}

async function main(): Promise<boolean> {
  const dayLengthMs = parseDuration('--day-length')(values['day-length']);
  if (!['every-day', 'never'].includes(values.kill))
    throw new Failure('InvalidInput', '--kill is every-day or never', { field: '--kill' });
  const dir = mkdtempSync(join(tmpdir(), 'clawback-soak-'));
  const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
  const startedMs = Date.now();
  const rig = await Rig.start({ dir, kind, durableServer: true, hosts: [{ name: host, lanes: 2 }], dataBytes: 2e6 });
  try {
    await rig.startWorker();
    const soak = new Soak(rig, values.kill === 'every-day');
    const state = await soak.whole(dayLengthMs);
    const { kills, refused, signedOverFailedDay } = soak;
    const { workflowIds, runs } = await soak.runs();
    const rows = state.rows.map(({ day, state: standing, attempts, evidence }) => ({
      day,
      state: standing,
      attempts,
      evidence,
    }));
    const ok = state.phase === 'signed' && signedOverFailedDay === 0 && workflowIds.length === 1;
    const report = {
      ok,
      workflowIds,
      runs,
      phase: state.phase,
      receipt: state.receipt,
      rows,
      kills,
      refused,
      signedOverFailedDay,
    };
    const elapsedMs = Date.now() - startedMs;
    if (values.json) process.stdout.write(`${JSON.stringify({ ...report, elapsedMs })}\n`);
    else say(JSON.stringify({ ...report, elapsedMs }, null, 2));
    return ok;
  } finally {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

process.exitCode = (await main()) ? 0 : 1;
process.exit();
