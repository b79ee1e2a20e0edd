// The watches under fault, each run as its schedule would start it.

import type { Client, WorkflowHandle } from '@temporalio/client';
import { queues, workflowNames } from '../../src/contract/names.ts';
import type { WatchRpoResult } from '../../src/contract/rpo.ts';
import type { WatchResult } from '../../src/contract/watch-types.ts';
import type { FaultRig } from './fault-rig.ts';
import { type Running, running, type Stage } from './stage.ts';

export function startWatch(client: Client): Promise<WorkflowHandle<() => Promise<WatchResult>>> {
  return start(client, workflowNames.watchFleet, 'watched');
}

function start<R>(client: Client, type: string, word: string): Promise<WorkflowHandle<() => Promise<R>>> {
  return client.workflow.start<() => Promise<R>>(type, {
    taskQueue: queues.host,
    workflowId: `${word}/${crypto.randomUUID()}`,
    args: [{}] as unknown as [],
    workflowTaskTimeout: '5s',
  });
}

/** What one run of the watch could not see, the next one must. */
export async function signals({ rig }: Stage): Promise<Running> {
  const { workflowId, outcome } = await seen(rig);
  return {
    workflowId,
    outcome: async () => {
      const first = await outcome();
      if (first === 'completed') return first;
      const second = await (await seen(rig)).outcome();
      return second === 'completed' ? first : `failed:the next run, too, is ${second}`;
    },
  };
}

function seen(rig: FaultRig): Promise<Running> {
  return running(rig, startWatch(rig.rig.client), ({ blind, away }) => {
    const unseen = blind ?? away[0];
    return unseen === undefined ? undefined : `told:${unseen}`;
  });
}

export function rpoWatch({ rig }: Stage): Promise<Running> {
  return running(
    rig,
    start<WatchRpoResult>(rig.rig.client, workflowNames.watchRpo, 'watched-rpo'),
    ({ unseen }) => unseen[0] && `told:${unseen[0].lane} ${unseen[0].code}`,
  );
}
