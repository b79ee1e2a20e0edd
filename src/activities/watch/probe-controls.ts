// Does the world outside a region answer? One TCP connection each, closed at once. Where the fleet file names control
// addresses, they are asked; else the stores, and of those only what is not in our own network.

import { connect } from 'node:net';
import type { HostSteps } from '../../contract/steps.ts';
import type { WatchedPlace } from '../../contract/watch-types.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';
import { isPublicAddress } from './public-address.ts';

const answerMs = 5_000;

export function probeControlsStep({ fleet }: Pick<Deps, 'fleet'>): HostSteps['probeControls'] {
  const probe = activity(async (_: undefined) => {
    const { controls, stores } = fleet.watched;
    return {
      controls: await Promise.all(controls.map((place) => asked(place, () => true))),
      stores: controls.length > 0 ? [] : await Promise.all(stores.map((place) => asked(place, isPublicAddress))),
    };
  });
  return () => probe(undefined);
}

/** @param counts whether an answer from this address says anything */
async function asked(
  place: WatchedPlace,
  counts: (address: string) => boolean,
): Promise<{ readonly region: string; readonly answers: boolean }> {
  const from = await answeredFrom(place);
  return { region: place.region, answers: from !== undefined && counts(from) };
}

/** The address that accepted; undefined when none did. */
function answeredFrom({ address, port }: WatchedPlace): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: answerMs });
    const end = (from?: string) => {
      socket.destroy();
      resolve(from);
    };
    socket.once('connect', () => end(socket.remoteAddress));
    socket.once('timeout', () => end());
    socket.once('error', () => end());
  });
}
