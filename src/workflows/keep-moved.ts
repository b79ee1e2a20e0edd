// Where the lanes of a lost host are, until fleet.yaml says so: its memo is what every operation asks. It outlives the
// incident that started it, and waits for two things: the fleet file of the workers, and the lost host. When that answers
// again its gateways are stopped and disabled within a minute, for they have twins; another machine at its address is left
// alone.

import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import {
  GoneInput,
  KeepMovedInput,
  type LostHostState,
  movedMemo,
  movedMessages,
  type MovedState,
  WithdrawInput,
} from '../contract/placement.ts';
import { limits } from '../domain/limits.ts';
import { movedDetails } from './details.ts';
import { codeOf } from './failures.ts';
import { parseInput } from './input.ts';
import { host, hostKnocks } from './steps.ts';

const withdraw = defineSignal<[unknown]>(movedMessages.withdraw);
const gone = defineUpdate<MovedState, [unknown]>(movedMessages.gone);
const moved = defineQuery<MovedState>(movedMessages.moved);

const minuteMs = 60_000;
const soonMs = 60 * minuteMs;

export async function keepMoved(raw: unknown): Promise<MovedState> {
  const keeper = new Keeper(parseInput(KeepMovedInput, raw));
  await keeper.untilSettled();
  return keeper.state;
}

class Keeper {
  readonly #input: KeepMovedInput;
  #lanes: readonly string[];
  #lost: LostHostState = 'silent';
  #fleetLines: readonly string[] = [];
  #inFleetFile = false;

  constructor(input: KeepMovedInput) {
    this.#input = input;
    this.#lanes = input.placement.lanes;
    upsertMemo({ [movedMemo]: { ...input, lanes: this.#lanes } });
    setHandler(moved, () => this.state);
    setHandler(withdraw, (raw) => this.#withdraw(raw));
    setHandler(gone, () => this.#tell({ lost: 'gone' }), { validator: (raw) => void parseInput(GoneInput, raw) });
  }

  get state(): MovedState {
    const { lostHost, on, incident } = this.#input.placement;
    const [lanes, lost, inFleetFile, fleetLines] = [this.#lanes, this.#lost, this.#inFleetFile, this.#fleetLines];
    return { lostHost, lanes, on, incident, lost, inFleetFile, fleetLines };
  }

  /** Ends, too, when no lane is left there: then there is nothing to keep. */
  async untilSettled(): Promise<void> {
    const work = new CancellationScope();
    const loops = work.run(() => Promise.all([this.#guard(), this.#follow()]));
    loops.catch(() => undefined);
    await condition(() => this.#lanes.length === 0 || (this.#inFleetFile && this.#lost !== 'silent'));
    work.cancel();
    await loops.catch(() => undefined);
  }

  /** A lane that did not come back there is where the file says, and nothing of it is stopped there. */
  #withdraw(raw: unknown): void {
    const { lanes } = parseInput(WithdrawInput, raw);
    this.#lanes = this.#lanes.filter((lane) => !lanes.includes(lane));
    upsertMemo({ [movedMemo]: { ...this.#input, lanes: this.#lanes } });
    this.#tell({});
  }

  #tell({ lost }: { readonly lost?: LostHostState }): MovedState {
    if (lost !== undefined && this.#lost === 'silent') this.#lost = lost;
    setCurrentDetails(movedDetails(this.state));
    return this.state;
  }

  async #guard(): Promise<void> {
    while (this.#lost === 'silent') {
      const { state } = await this.#knock();
      if (state === 'foreign') this.#tell({ lost: 'foreign' });
      else if (state === 'answers' && (await this.#stopAll())) this.#tell({ lost: 'stopped' });
    }
  }

  async #knock(): ReturnType<typeof hostKnocks.awaitHost> {
    try {
      return await hostKnocks.awaitHost({ host: this.#input.placement.lostHost, waitMs: limits.lostHostKnockMs });
    } catch (error) {
      await unlessCancelled(error, 'the lost host could not be asked');
      return { state: 'silent' };
    }
  }

  /** It may go again while it is asked: then it is waited for anew. */
  async #stopAll(): Promise<boolean> {
    const { lostHost } = this.#input.placement;
    const startedMs = Date.now();
    try {
      await Promise.all(this.#lanes.map((lane) => host.stopLeft({ lane, host: lostHost, startedMs })));
      return true;
    } catch (error) {
      await unlessCancelled(error, 'a gateway on the lost host could not be stopped');
      return false;
    }
  }

  /** The file is edited soon after the incident, or forgotten: it is looked at each minute, after an hour each ten. */
  async #follow(): Promise<void> {
    const startedMs = workflowInfo().startTime.getTime();
    while (!this.#inFleetFile) {
      await this.#readFile();
      this.#tell({});
      const everyMs = Date.now() - startedMs < soonMs ? minuteMs : 10 * minuteMs;
      if (!this.#inFleetFile) await sleep(everyMs, { summary: 'until the fleet file is looked at again' });
    }
  }

  async #readFile(): Promise<void> {
    const { lostHost, on } = this.#input.placement;
    try {
      const { fleetLines } = await host.readMoved({ lostHost, lanes: this.#lanes, on });
      this.#fleetLines = fleetLines;
      this.#inFleetFile = fleetLines.length === 0;
    } catch (error) {
      await unlessCancelled(error, 'the fleet file could not be looked at');
    }
  }
}

/** It goes on until it is settled, whatever fails meanwhile. */
async function unlessCancelled(error: unknown, what: string): Promise<void> {
  if (isCancellation(error)) throw error;
  log.warn(what, { code: codeOf(error) ?? 'Unexpected' });
  await sleep(5_000);
}
