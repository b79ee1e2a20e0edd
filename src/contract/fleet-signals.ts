// `signals` and `regions` of fleet.yaml: when the watch calls something a signal. Presets are those of the procedure and of
// issue 5; each can be set, for a small Mac restarts slower than a large one.

import { z } from 'zod';
import type { SignalRules } from '../domain/signals.ts';
import { address, port } from './fleet-fields.ts';
import { durationSchema } from './fleet-units.ts';

const count = (least: number, most: number) =>
  z.int('a whole number').min(least, `at least ${least}`).max(most, `at most ${most}`);
const time = (text: string, most = '1d') => durationSchema({ from: '1s', to: most }).prefault(text);

export const regionsSchema = z.strictObject({
  control: z
    .strictObject({
      address: address.describe('host name or IP address of that machine'),
      port: port.describe('TCP port that it accepts connections on'),
    })
    .optional()
    .describe(
      'a machine that is not in the region and accepts TCP connections there: while it answers, silent hosts are not our own network',
    ),
});

const exitLoop = z.strictObject({
  restarts: count(1, 20).default(3).describe('restarts of a gateway, 1 to 20'),
  within: time('5m').describe('the time in which they count'),
});

const disk = z
  .strictObject({
    full: count(50, 100).default(90).describe("percent of the homes' volume, 50 to 100"),
    clear: count(1, 99).default(85).describe('below so many percent it is not full any more'),
    samples: count(1, 100).default(2).describe('samples in a row, 1 to 100'),
  })
  .refine(({ full, clear }) => clear < full, { path: ['clear'], message: 'it must be below full' });

const crossWrite = z.strictObject({
  silent: time('10m').describe('how long two lanes of a host answer no probe'),
  files: time('10m').describe("how often files in a lane's trees are counted that belong to another lane's user"),
});

const region = z.strictObject({
  silent: time('2m').describe('how long all hosts of a region time out'),
  hosts: count(1, 100)
    .default(2)
    .describe('a region of fewer hosts is never lost: one host alone cannot be told from a lost host'),
});

export const signalsSchema = z.strictObject({
  exitLoop: exitLoop.prefault({}).describe('bad upgrade: a gateway that exits again and again'),
  disk: disk.prefault({}).describe('disk full'),
  crossWrite: crossWrite.prefault({}).describe('lanes that write into one another'),
  region: region.prefault({}).describe('a region is lost'),
  host: z
    .strictObject({ silent: time('10m').describe('how long one host does not answer while its peers do') })
    .prefault({})
    .describe('a host is lost'),
  clear: time('2m').describe('a signal that has been gone for so long has cleared'),
  again: time('1h', '30d').describe(
    'so long after its incident has ended (declined, failed) a new one is opened for a signal that is still, or again, there',
  ),
});

export function signalRulesOf({
  exitLoop: loop,
  disk: volume,
  crossWrite: mixed,
  ...rest
}: z.infer<typeof signalsSchema>): SignalRules {
  return {
    exitLoop: { restarts: loop.restarts, withinMs: loop.within },
    disk: volume,
    crossWrite: { silentMs: mixed.silent, filesEveryMs: mixed.files },
    region: { silentMs: rest.region.silent, hosts: rest.region.hosts },
    host: { silentMs: rest.host.silent },
    clearMs: rest.clear,
    againMs: rest.again,
  };
}
