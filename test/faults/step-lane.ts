// The steps of a live restore run one by one on a bed's lane, in the order in which the workflow calls them, but in this
// process and without Temporal: so that the way to the host, or its power, can be cut after any single command.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { type Activities, createActivities, type Deps } from '../../src/activities/index.ts';
import type { FleetFile } from '../../src/config/fleet-file.ts';
import {
  resolveFingerprintKey,
  resolveKeychainPassword,
  resolveManifestKey,
  resolveOpeningKey,
} from '../../src/config/fleet-secrets.ts';
import type { LaneSpec } from '../../src/contract/lane-spec.ts';
import type { SettleResult } from '../../src/contract/results.ts';
import type { ChosenSegment } from '../../src/contract/step-types.ts';
import { bundleIdOf } from '../../src/domain/terms.ts';
import { profileOf } from '../../src/domain/profile.ts';
import type { HostPool } from '../../src/lane/host-pool.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Bed, BedLane } from '../bed/bed.ts';
import { plistPath } from './lane-look.ts';
import { Wire } from './wire.ts';

export interface StepLaneParts {
  readonly bed: Bed;
  readonly lane: BedLane;
  readonly fleet: FleetFile;
  readonly pool: HostPool;
  readonly storePath: string;
}

type Steps = Activities['host'] & Activities['data'] & Activities['vault'] & Activities['vaultData'];
type StepName = keyof Steps;
interface Call {
  readonly step: StepName;
  readonly input: object;
}

/** Sections start one after the other, on every lane. */
let lastSectionMs = Date.now();
let restores = 0;

export class StepLane {
  readonly bed: Bed;
  readonly lane: BedLane;
  readonly spec: LaneSpec;
  readonly wire: Wire;
  readonly #steps: Steps;
  #secrets: ChosenSegment | undefined;
  #section = { sectionStartMs: 0, order: 0 };
  #restore = '';

  constructor({ bed, lane, fleet, pool, storePath }: StepLaneParts) {
    this.bed = bed;
    this.lane = lane;
    this.spec = fleet.laneSpec(lane.lane);
    this.wire = new Wire(pool);
    // what these steps ask for, and no more
    const deps = {
      keys: {
        fingerprint: () => resolveFingerprintKey(fleet),
        manifestSigner: () => resolveManifestKey(fleet),
        opening: () => resolveOpeningKey(fleet),
        manifestPublicKeysPem: async () => fleet.keys.manifest,
        recipients: async () => fleet.keys.recipients,
      },
      pool: this.wire,
      store: (name: string) => openStore(name, { kind: 'directory', path: storePath }),
      keychainPassword: (name: string) => resolveKeychainPassword(fleet, name),
    } as unknown as Deps;
    const { host, data, vault, vaultData } = createActivities(deps);
    this.#steps = { ...host, ...data, ...vault, ...vaultData };
  }

  /** A bundle with the lane's Keychain items as they are; its trees and plist are kept beside, to be staged. */
  async save(): Promise<void> {
    const { spec } = this;
    const now = new Date().toISOString();
    const bundle = bundleIdOf(Date.parse(now), crypto.randomUUID());
    const on = { target: spec.target, store: spec.store, bundle };
    const survey = await this.#run({ step: 'surveyLane', input: on });
    const { plan, result } = await this.#run({
      step: 'backupSecrets',
      input: { ...on, segmentId: 's-0001', items: spec.secrets },
    });
    await this.#run({
      step: 'commitManifest',
      input: {
        ...on,
        tier: 'A',
        region: 'hk',
        startedAt: now,
        createdAt: now,
        plan: {
          segments: [plan],
          omissions: [],
          capturedAt: now,
          consistency: 'compared',
          warnings: [],
        },
        results: [result],
        survey,
        predecessor: null,
      },
    });
    const { id, component, kind, supplement, sizeBytes } = plan;
    this.#secrets = { bundle, id, component, kind, supplement, plainBytes: sizeBytes };
    for (const root of this.#roots) copy(join(this.lane.realHome, root), join(this.#saved, 'home', root));
    for (const path of databasesIn(this.#saved)) wholeWithoutLog(path);
    copy(plistPath(this.bed, this.lane), join(this.#saved, 'plists/Library/LaunchDaemons', `${this.lane.label}.plist`));
    mkdirSync(join(this.#saved, 'logs'));
  }

  /** Puts what was saved into the staging tree of a new restore. `without` is in no bundle. */
  stage(without: readonly string[] = []): void {
    restores += 1;
    this.#restore = `restore-${restores}`;
    const claw = join(this.lane.realHome, '.clawback');
    copy(this.#saved, join(claw, 'stage', this.#restore));
    for (const path of without) rmSync(join(claw, 'stage', this.#restore, 'home', path), { recursive: true });
    const { uid, gid } = statSync(this.lane.realHome);
    execFileSync('chown', ['-Rh', `${uid}:${gid}`, claw]);
    execFileSync('chmod', ['700', claw]);
  }

  /** What restore-live.ts calls from the first thing that is stopped on. */
  restoreCalls(exclude: readonly string[] = []): Call[] {
    const { spec } = this;
    const restore = this.#restore;
    const swap = { restore, components: ['config', 'transcripts', 'workspace'], plists: true, secrets: spec.secrets };
    return [
      { step: 'stopWriters', input: { restore } },
      { step: 'prepareSwap', input: { ...swap, exclude } },
      { step: 'swapTrees', input: {} },
      { step: 'rehydrateSecrets', input: { store: spec.store, segment: this.#secrets } },
      { step: 'startGateway', input: {} },
      { step: 'smokeTest', input: { messageToken: spec.messageToken ?? null } },
      { step: 'commitRestore', input: { restore } },
    ];
  }

  /** A section of its own runs these. False: the way was cut before they had ended. */
  async run(calls: readonly Call[]): Promise<boolean> {
    this.#section = { sectionStartMs: (lastSectionMs += 1), order: 0 };
    for (const call of calls) {
      this.#section.order += 1;
      if (!(await this.#runUnlessCut(call, 1))) return false;
    }
    return true;
  }

  /**
   * The same, but the way is cut in every attempt of every step: after its first command in the first attempt, after its
   * second in the second. @returns how often
   */
  async runCutOften(calls: readonly Call[]): Promise<number> {
    this.#section = { sectionStartMs: (lastSectionMs += 1), order: 0 };
    let cuts = 0;
    for (const call of calls) {
      this.#section.order += 1;
      for (let attempt = 1; ; attempt += 1) {
        this.wire.mend(attempt);
        if (await this.#runUnlessCut(call, attempt)) break;
        cuts += 1;
      }
      this.wire.mend();
    }
    return cuts;
  }

  /** As the next section of the lane begins; its `attempt` alone. */
  async settle(attempt = 1): Promise<SettleResult> {
    this.#section = { sectionStartMs: (lastSectionMs += 1), order: 1 };
    return this.#run({ step: 'settleLane', input: {} }, attempt);
  }

  async #runUnlessCut(call: Call, attempt: number): Promise<boolean> {
    try {
      await this.#run(call, attempt);
      return true;
    } catch (error) {
      if (this.wire.isCut) return false;
      throw error;
    }
  }

  /** Inputs are put together by the step's name: their types are the workflow's affair. */
  async #run<N extends StepName>(
    call: { step: N; input: object },
    attempt = 1,
  ): Promise<Awaited<ReturnType<Steps[N]>>> {
    const step = this.#steps[call.step] as (input: object) => Promise<unknown>;
    const input = { target: this.spec.target, fence: this.#section, ...call.input };
    const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
    return (await environment.run<[object], unknown, typeof step>(step, input)) as Awaited<ReturnType<Steps[N]>>;
  }

  get #roots(): readonly string[] {
    return profileOf(this.lane.profile)?.roots ?? [];
  }

  get #saved(): string {
    return join(this.bed.dir, 'saved', this.lane.lane);
  }
}

/** With times, modes, owners. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('cp', ['-a', from, to]);
}

function databasesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.sqlite')).map((name) => join(folder, name));
}

/** As the online backup gives it. */
function wholeWithoutLog(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = DELETE');
  database.close();
}
