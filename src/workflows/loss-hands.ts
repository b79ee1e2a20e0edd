// Hooks, and people where there are none: one question at a time, for an answer names the step and not the host.

import type { HookAnswer, HookKind, HookRequest } from '../contract/hooks.ts';
import type { HandDoneInput } from '../contract/incidents.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { hooks } from './steps.ts';

export class Hands {
  readonly #desk: IncidentDesk;
  readonly #fleetDigest: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(desk: IncidentDesk, fleetDigest: string) {
    this.#desk = desk;
    this.#fleetDigest = fleetDigest;
  }

  /** Waits until somebody says that it is done. */
  ask(step: string, what: string): Promise<HandDoneInput> {
    const asked = this.#last.catch(() => undefined).then(() => this.#desk.byHand(step, what));
    this.#last = asked;
    return asked;
  }

  runHook<K extends HookKind>(request: Omit<HookRequest<K>, 'fleetDigest'>): Promise<HookAnswer<K>> {
    return hooks.runHook({ ...request, fleetDigest: this.#fleetDigest });
  }
}
