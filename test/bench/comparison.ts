// First backup and full restore, ours (directory and S3) against the operators' script and the raw floor: pairs in one
// run, medians of the rounds.

import { join } from 'node:path';
import { openStore } from '../../src/store/open-store.ts';
import { awsRegion, rootAccess, type S3Bed } from '../bed/s3.ts';
import type { Rig } from '../rig/rig.ts';
import { rigBucket } from '../rig/rig-store.ts';
import { withRig } from './bench-rig.ts';
import { laneOf, type Ours, type Run, runRound } from './compare.ts';
import { type Aim, aimsOf, type Median, mediansOf } from './medians.ts';
import { Peers, type Upload } from './peers.ts';
import { say } from './say.ts';

export interface ComparisonReport {
  readonly ok: boolean;
  readonly sizeBytes: number;
  readonly rounds: number;
  /** Before each run, of one minute: what it is above what the runs themselves cause belongs to others. */
  readonly loads: readonly number[];
  readonly medians: readonly Median[];
  readonly aims: readonly Aim[];
}

export function compareAll({
  bytes,
  rounds,
}: {
  readonly bytes: number;
  readonly rounds: number;
}): Promise<ComparisonReport> {
  return withRig({ bytes, store: 'directory' }, (local, dir) =>
    withRig({ bytes, store: 's3' }, async (remote) => {
      const s3 = s3Of(remote);
      const ours: readonly Ours[] = [
        { by: 'directory', rig: local, store: openStore('primary', { kind: 'directory', path: local.storePath }) },
        { by: 's3', rig: remote, store: openStore('primary', s3.describe(rigBucket)) },
      ];
      const peers = new Peers(local.bed, laneOf(local), join(dir, 'peers'), await uploadTo(s3));
      const runs: Run[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        say(`round ${round} of ${rounds}…`);
        runs.push(...(await runRound(ours, peers)));
      }
      const medians = mediansOf(runs, bytes);
      const aims = aimsOf(
        medians,
        ours.map(({ by }) => by),
      );
      const loads = runs.map(({ loadBefore }) => loadBefore);
      return { ok: aims.every(({ met }) => met), sizeBytes: bytes, rounds, loads, medians, aims };
    }),
  );
}

function s3Of({ s3 }: Rig): S3Bed {
  if (!s3) throw new Error('the rig has no S3 server');
  return s3;
}

/** A bucket of its own on the same server. */
async function uploadTo(s3: S3Bed): Promise<Upload> {
  const bucket = 'script';
  await s3.makeBucket(bucket);
  return {
    endpoint: s3.server.endpoint,
    bucket,
    env: {
      AWS_ACCESS_KEY_ID: rootAccess.accessKeyId,
      AWS_SECRET_ACCESS_KEY: rootAccess.secretAccessKey,
      AWS_DEFAULT_REGION: awsRegion,
    },
  };
}
