// Does the world outside a region answer? One TCP connection each, closed at once.

import { connect } from 'node:net';
import type { HostSteps } from '../../contract/steps.ts';
import type { Deps, WatchedFleet } from '../deps.ts';
import { activity } from '../step.ts';

const answerMs = 5_000;

export function probeControlsStep({ fleet }: Deps): HostSteps['probeControls'] {
  const probe = activity((_: undefined) =>
    Promise.all(
      fleet.watched.controls.map(async (control) => ({ region: control.region, answers: await accepts(control) })),
    ),
  );
  return () => probe(undefined);
}

function accepts({ address, port }: WatchedFleet['controls'][number]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: answerMs });
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
