// Each kind of restore: one component, class 1 alone, layered, at an instant, into a sandbox, undone; and restores whose
// gateway does not start or answer, which lead back to the old tree.

import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/domain/limits.ts';
import { type Component, components } from '../../src/domain/terms.ts';
import { addCommand } from '../../src/lane/keychain-line.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { say } from '../bed/bed-shell.ts';
import { pictureDifferences, pictureOf } from '../rig/lane-picture.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids, wreckLane } from '../rig/wreck.ts';
import {
  asLane,
  backUp,
  editFleet,
  failureOf,
  itemsOf,
  leftOn,
  overwrite,
  realPlist,
  refusalOf,
  restore,
  setItem,
  startRig,
  stateDifferences,
  stateOf,
  stopRig,
} from './kit.ts';

let rig: Rig;
/** One for whole restores and their undoing, one for parts, one for what goes wrong. */
let whole: BedLane;
let parts: BedLane;
let wrong: BedLane;

beforeAll(async () => {
  rig = await startRig({ kind: bestBedKind(), hosts: [{ name: 'mac-1', lanes: 3 }], dataBytes: 1e6 });
  [whole, parts, wrong] = rig.bed.lanes as [BedLane, BedLane, BedLane];
  editFleet(rig, (fleet) => void ((fleet.lanes[whole.lane] ?? {})['exclude'] = ['workspace/scratch/**']));
  await rig.startWorker();
});

afterAll(() => stopRig(rig));

// --- one thing of each component, in one of two states -----------------------------------------------------------

type Mark = 'old' | 'new';
const marked = components.filter((component) => component !== 'logs');

const files: Partial<Record<Component, string>> = {
  config: '.openclaw/config/routes.json',
  transcripts: '.openclaw/transcripts/agent_main_s0000.jsonl',
  workspace: 'workspace/AGENTS.md',
};

async function mark(lane: BedLane, to: Mark, which: readonly Component[] = marked): Promise<void> {
  for (const component of which) {
    const file = files[component];
    if (file !== undefined) overwrite(join(lane.realHome, file), `{"mark":"${to}"}\n`);
    if (component === 'secrets') await setItem(rig, lane, 'openclaw-webhook', `webhook-${to}`);
    if (component === 'plists') writeFileSync(realPlist(rig, lane), plistText(lane, to));
  }
}

/** A comment is no part of what launchd reads. */
function plistText(lane: BedLane, to: Mark): string {
  const text = readFileSync(realPlist(rig, lane), 'utf8').replace(/\n<!-- mark \w+ -->/, '');
  return `${text.trimEnd()}\n<!-- mark ${to} -->\n`;
}

async function marksOf(lane: BedLane): Promise<Partial<Record<Component, Mark | undefined>>> {
  const found = (text: string): Mark | undefined => /(?:mark\W+|webhook-)(old|new)/.exec(text)?.[1] as Mark | undefined;
  const { 'openclaw-webhook': item = '' } = await itemsOf(rig, lane);
  return {
    ...Object.fromEntries(
      Object.entries(files).map(([component, path]) => [
        component,
        found(readFileSync(join(lane.realHome, path), 'utf8')),
      ]),
    ),
    secrets: found(item),
    plists: found(readFileSync(realPlist(rig, lane), 'utf8')),
  };
}

function all(to: Mark): Partial<Record<Component, Mark>> {
  return Object.fromEntries(marked.map((component) => [component, to]));
}

async function answers(lane: BedLane): Promise<number> {
  return (await say(rig.bed, lane.lane, 'are you there?')).status;
}

/** Without the gateway's own process, and the journal of a roll-back, which is kept. */
async function standing(lane: BedLane): Promise<Awaited<ReturnType<typeof stateOf>>> {
  const state = await stateOf(rig, lane);
  return { ...state, pids: [], job: '', left: state.left.filter((name) => name !== 'journal/rolled-back.json') };
}

// -----------------------------------------------------------------------------------------------------------------

describe('a part', () => {
  let bundle: string;

  beforeAll(async () => {
    await mark(parts, 'old');
    ({ bundle } = await backUp(rig, parts));
  });

  beforeEach(() => mark(parts, 'new'));

  it.each(marked)('is restored alone: %s', async (component) => {
    const [pid] = gatewayPids(parts);
    const result = await restore(rig, parts, { only: component, bundle });
    expect(result.messageAnswered).toBe(true);
    expect(result.plan?.sources).toEqual([{ bundle, components: [component] }]);
    expect(await marksOf(parts)).toEqual({ ...all('new'), [component]: 'old' });
    // the gateway was stopped for it, and is another now
    expect(gatewayPids(parts)).not.toEqual([pid]);
    expect(gatewayPids(parts)).toHaveLength(1);
  });

  it('that is the plist keeps the old one beside it, both root’s', async () => {
    const { bakEpoch } = await restore(rig, parts, { only: 'plists', bundle });
    expect(readFileSync(`${realPlist(rig, parts)}.bak.${bakEpoch}`, 'utf8')).toContain('<!-- mark new -->');
    expect(readFileSync(realPlist(rig, parts), 'utf8')).toContain('<!-- mark old -->');
  });

  it('that is the logs comes back beside the live ones', async () => {
    const { bakEpoch } = await restore(rig, parts, { only: 'logs', bundle });
    expect(await marksOf(parts)).toEqual(all('new'));
    const folder = join(parts.realHome, `openclaw-logs.${bakEpoch}`);
    const logs = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(logs.map(({ name }) => name)).toContain(`openclaw-${parts.lane}.log`);
  });

  it('that no bundle holds is refused', async () => {
    const { bundle: tierA } = await backUp(rig, parts, { tier: 'A' });
    expect(await refusalOf(rig, parts, () => restore(rig, parts, { only: 'workspace', bundle: tierA }))).toMatchObject({
      code: 'NoRestorePoint',
      changed: [],
    });
  });
});

describe('a restore', () => {
  let tierB: string;
  let betweenAt: string;
  let tierA: string;

  const scratch = (): string => join(whole.realHome, 'workspace/scratch');

  beforeAll(async () => {
    await mark(whole, 'old');
    await asLane(
      rig,
      whole,
      `mkdir ${whole.home}/workspace/scratch && echo first > ${whole.home}/workspace/scratch/notes`,
    );
    ({ bundle: tierB } = await backUp(rig, whole));
    betweenAt = new Date().toISOString();
    await sleep(1_100);
    await mark(whole, 'new', ['config', 'secrets', 'plists']);
    ({ bundle: tierA } = await backUp(rig, whole, { tier: 'A' }));
  });

  it('that is only planned changes nothing', async () => {
    const before = await stateOf(rig, whole);
    const result = await restore(rig, whole, { dryRun: true });
    expect(result).toMatchObject({ into: 'plan', bundle: tierA, bakEpoch: null, messageAnswered: false });
    expect(result.plan?.segments).toBeGreaterThan(0);
    expect(stateDifferences(before, await stateOf(rig, whole))).toEqual([]);
  });

  it('takes the newest bundle of an instant', async () => {
    expect((await restore(rig, whole, { dryRun: true, at: betweenAt })).bundle).toBe(tierB);
    expect((await failureOf(restore(rig, whole, { dryRun: true, at: '2020-01-01T00:00:00Z' }))).code).toBe(
      'NoRestorePoint',
    );
  });

  it('of class 1 alone carries class 2 over untouched', async () => {
    await mark(whole, 'old', ['config', 'secrets', 'plists']);
    await mark(whole, 'new', ['transcripts', 'workspace']);
    const before = pictureOf(whole);
    const result = await restore(rig, whole, { bundle: tierA });
    expect(result.messageAnswered).toBe(true);
    expect(await marksOf(whole)).toEqual(all('new'));
    const changed = pictureDifferences(before, pictureOf(whole));
    expect(changed.filter((line) => !line.includes('config/routes.json'))).toEqual([]);
  });

  it('that is layered takes class 2 from the newest bundle that has it', async () => {
    await wreckLane(rig.bed, whole);
    const result = await restore(rig, whole, { layered: true });
    expect(result.plan?.sources).toEqual([
      { bundle: tierA, components: ['config', 'plists', 'secrets'] },
      { bundle: tierB, components: ['transcripts', 'workspace', 'logs'] },
    ]);
    expect(await marksOf(whole)).toEqual({ ...all('old'), config: 'new', secrets: 'new', plists: 'new' });
    expect(result.rpo.map(({ bundle, dataClass }) => [dataClass, bundle])).toEqual([
      [1, tierA],
      [2, tierB],
    ]);
    expect(existsSync(scratch())).toBe(false);
  });

  it('can be undone, once: the old tree is back, and what was written since lies beside it', async () => {
    await asLane(
      rig,
      whole,
      `mkdir -p ${whole.home}/workspace/scratch && echo second > ${whole.home}/workspace/scratch/notes`,
    );
    await mark(whole, 'new');
    const before = pictureOf(whole);
    const { bakEpoch } = await restore(rig, whole, { bundle: tierB });
    expect(await marksOf(whole)).toEqual(all('old'));
    // what the fleet file excludes is in no bundle: it is carried over
    expect(readFileSync(join(scratch(), 'notes'), 'utf8')).toBe('second\n');
    expect((await say(rig.bed, whole.lane, 'said after the restore')).status).toBe(200);
    // fits where it lies, and not under the longer name that it would be kept by: nothing is begun
    const item = { service: 'openclaw-webhook', account: whole.user };
    const around = Buffer.byteLength(addCommand(item, Buffer.alloc(0), whole.keychain) ?? '');
    await setItem(rig, whole, item.service, 'x'.repeat(limits.keychainLineBytes - around));
    expect(await refusalOf(rig, whole, () => restore(rig, whole, { undo: true }))).toMatchObject({
      code: 'KeychainItemUnusable',
      changed: [],
    });
    expect(existsSync(join(whole.realHome, '.clawback/journal/journal.json'))).toBe(false);
    await setItem(rig, whole, 'openclaw-webhook', 'rotated-after-the-restore');

    const undone = await restore(rig, whole, { undo: true });
    expect(undone).toMatchObject({ into: 'undo', messageAnswered: true, bakEpoch });
    expect(await marksOf(whole)).toEqual(all('new'));
    // what is excluded was carried over and back, which sets the time of the folder that it lies in
    const changed = pictureDifferences(before, pictureOf(whole));
    expect(changed.filter((line) => !line.startsWith('workspace: "" mtimeNs'))).toEqual([]);
    const beside = join(whole.realHome, `openclaw-undone.${bakEpoch}`);
    const written = readdirSync(beside, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.name === 'agent_main_main.jsonl',
    );
    expect(written.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('')).toContain(
      'said after the restore',
    );
    const [kept, rotated] = [`openclaw-webhook.bak.${bakEpoch}`, `openclaw-webhook.undone.${bakEpoch}`] as const;
    expect(await itemsOf(rig, whole, [kept, rotated])).toEqual({
      [kept]: 'absent',
      [rotated]: 'password: "rotated-after-the-restore"',
    });
    expect(leftOn(whole).filter((name) => name.endsWith(`.bak.${bakEpoch}`))).toEqual([]);

    expect(await refusalOf(rig, whole, () => restore(rig, whole, { undo: true }))).toMatchObject({
      code: 'NothingToUndo',
      changed: [],
    });
  });

  it('into a sandbox touches nothing live, and is gone in the end', async () => {
    const link = join(rig.bed.host(whole.host).realRoot, 'private/tmp/restore-test');
    const before = await stateOf(rig, whole);
    let linked = false;
    const stages = join(whole.realHome, '.clawback/stage');
    let keychains = 0;
    const looking = setInterval(() => {
      linked ||= readdirSync(join(link, '..')).includes('restore-test');
      keychains += globSync('*/s.keychain-db', { cwd: stages }).length;
    }, 2);
    const result = await restore(rig, whole, { into: 'sandbox', bundle: tierB });
    clearInterval(looking);
    expect(result).toMatchObject({ into: 'sandbox', bakEpoch: null, warnings: [] });
    expect(linked).toBe(true);
    expect(keychains).toBeGreaterThan(0);
    expect(readdirSync(join(link, '..')).filter((name) => name.startsWith('restore-test'))).toEqual([]);
    expect(stateDifferences(before, await stateOf(rig, whole))).toEqual([]);
  });

  it('into a sandbox goes beside a folder that somebody else has there', async () => {
    const folder = join(rig.bed.host(whole.host).realRoot, 'private/tmp/restore-test');
    mkdirSync(folder);
    const result = await restore(rig, whole, { into: 'sandbox', bundle: tierB });
    expect(result.warnings).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('a restore that goes wrong', () => {
  let good: string;
  const config = (): string => join(wrong.realHome, '.openclaw/config/openclaw.json');

  beforeAll(async () => {
    ({ bundle: good } = await backUp(rig, wrong));
  });

  /** The operation fails; afterwards all is as it was but the gateway's process, which answers again. */
  async function expectRolledBack(bundle: string, code: string): Promise<void> {
    const before = await standing(wrong);
    expect((await failureOf(restore(rig, wrong, { bundle }))).code).toBe(code);
    expect(stateDifferences(before, await standing(wrong))).toEqual([]);
    expect(gatewayPids(wrong)).toHaveLength(1);
    expect(await answers(wrong)).toBe(200);
  }

  it('because the bundle holds a wrong provider key leads back', async () => {
    const right = wrong.values['openclaw-provider']?.toString('utf8') ?? '';
    await setItem(rig, wrong, 'openclaw-provider', 'sk-wrong');
    const { bundle } = await backUp(rig, wrong, { tier: 'A' });
    await setItem(rig, wrong, 'openclaw-provider', right);
    await expectRolledBack(bundle, 'MessageUnanswered');
  });

  it('because the bundle holds a broken configuration leads back; a sandbox tells it before', async () => {
    const right = readFileSync(config(), 'utf8');
    overwrite(config(), `${right.slice(0, 40)}\n`);
    const { bundle } = await backUp(rig, wrong, { tier: 'A' });
    overwrite(config(), right);
    expect(await refusalOf(rig, wrong, () => restore(rig, wrong, { bundle, into: 'sandbox' }))).toMatchObject({
      code: 'BundleDamaged',
      changed: [],
    });
    await expectRolledBack(bundle, 'GatewayWouldNotStart');
  });

  it('because OpenClaw is of an unknown version wants the operator’s word', async () => {
    const version = join(wrong.realHome, '.openclaw/version');
    overwrite(version, '2031.1.1\n');
    const { warnings, bundle } = await backUp(rig, wrong, { tier: 'A' });
    expect(warnings.join()).toContain('OpenClaw 2031.1.1 is outside profile slimvps-legacy');
    expect(await refusalOf(rig, wrong, () => restore(rig, wrong, { bundle: good }))).toMatchObject({
      code: 'VersionUnsupported',
      changed: [],
    });
    expect((await restore(rig, wrong, { bundle: good, acceptVersion: true })).messageAnswered).toBe(true);
    expect(readFileSync(version, 'utf8')).not.toContain('2031');
    expect(bundle).not.toBe(good);
  });
});
