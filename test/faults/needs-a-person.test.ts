// Lanes that do not come back by themselves, and how their operators bring them back. A journal that cannot be read stops
// everything, with the lane as it stands; the operating guide's way out, typed as it stands there, leads back to the lane as
// it was. An old tree whose gateway does not start is told, and started once it is mended.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { laneConcerns } from '../../src/cli/lane-text.ts';
import { probeLanes } from '../../src/cli/lane-probe.ts';
import { loadFleet } from '../../src/config/fleet-file.ts';
import { bestBedKind } from '../bed/bed.ts';
import { runOnHost } from '../bed/bed-shell.ts';
import { overwrite } from '../e2e/kit.ts';
import { gatewayPids } from '../rig/wreck.ts';
import { runBlock } from '../unit/docs/pages.ts';
import { answersWithin, liveOn } from './bad-day.ts';
import { journalOf, lookAt, lookDifferences, plistPath } from './lane-look.ts';
import { CutRig } from './power-cuts.ts';
import type { StepLane } from './step-lane.ts';

const look = runBlock('docs/operating.md', 'journal-look');
const values = runBlock('docs/operating.md', 'journal-values');
const stop = runBlock('docs/operating.md', 'journal-stop');
const trees = runBlock('docs/operating.md', 'journal-trees');
const parts = runBlock('docs/operating.md', 'journal-parts');
const items = runBlock('docs/operating.md', 'journal-items');
const start = runBlock('docs/operating.md', 'journal-start');

/** Ways in which a journal cannot be read. */
const damages = {
  'half written': (text: string) => text.slice(0, text.length / 2),
  'of another format': (text: string) => text.replace('"format":1', '"format":2'),
  empty: () => '',
} as const;

const dir = mkdtempSync(join(tmpdir(), 'clawback-journal-'));
let rig: CutRig;

beforeAll(async () => {
  // where one account plays all, so that what is typed as root can be typed
  const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
  rig = await CutRig.start(dir, [{ name: 'mac-1', lanes: 5 }], kind);
});

afterAll(async () => {
  await rig?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A shell on the lane's host in which the page's values are this lane's. */
async function type({ bed, lane }: StepLane, epoch: number, blocks: readonly string[]): Promise<string> {
  const host = bed.host(lane.host);
  const names = (text: string): string[] => [...text.matchAll(/(?:^| )([a-z]+)=/gm)].map(([, name = '']) => name);
  const own = [
    `epoch=${epoch}`,
    `domain=system label=${lane.label}`,
    `plist='${plistPath(bed, lane)}'`,
    `keychain='${lane.keychain}' account=${lane.user}`,
    `services='${lane.secrets.map(({ service }) => service).join(' ')}'`,
  ].join('\n');
  expect(names(own)).toEqual(names(values));
  // unlock-keychain asks: here it gets its answer from the line
  const text = blocks.join('\n').replaceAll('unlock-keychain ', `unlock-keychain -p '${lane.keychainPassword}' `);
  const folders = [...new Set(Object.values(host.tools).map((tool) => tool.slice(0, tool.lastIndexOf('/'))))];
  const lines = [
    `export HOME='${lane.realHome}' PATH='${folders.join(':')}':/usr/bin:/bin`,
    own,
    text.replaceAll('/Library/', `${host.realRoot}/Library/`),
  ];
  const { stdout, stderr } = await runOnHost(bed, host, '/bin/sh', `${lines.join('\n')}\n`);
  expect(stderr).toBe('');
  return stdout;
}

interface Moment {
  readonly damage: keyof typeof damages;
  /** How many of a restore's steps have been done. */
  readonly steps: number;
  /** Of the step after those: its commands that were let through. */
  readonly commands?: number;
  /** Of the transcripts alone. */
  readonly part?: true;
}

const moments: readonly (readonly [string, Moment])[] = [
  ['before anything was replaced', { damage: 'empty', steps: 1 }],
  ['in the middle of the swap', { damage: 'half written', steps: 2, commands: 4 }],
  ['after Keychain items were replaced', { damage: 'of another format', steps: 4 }],
  ['after a part was replaced', { damage: 'half written', steps: 3, part: true }],
];

describe('a journal that cannot be read', () => {
  it.each(moments)('%s stops everything; the steps of the guide lead back to the lane as it was', async (_, moment) => {
    const lane = rig.lanes[moments.findIndex(([, one]) => one === moment)] as StepLane;
    await liveOn(rig.bed, lane.lane, 'before');
    const before = await lookAt(rig.bed, lane.lane);
    const epoch = await interrupt(lane, moment);
    await expectTouchedNoMore(lane);
    const seen = await type(lane, epoch, [look]);
    expect(seen.includes(`.bak.${epoch}`)).toBe(moment.steps > 1);
    await type(lane, epoch, [stop, moment.part ? parts : trees, items, start]);
    expect(await lane.settle()).toEqual({ action: 'nothing', gateway: 'running' });
    expect(lookDifferences(before, await lookAt(rig.bed, lane.lane))).toEqual([]);
    expect(await answersWithin(lane.lane, 10_000)).toBe(true);
    expect(readdirSync(lane.lane.realHome)).toContain('journal.damaged');
  });
});

describe('an old tree whose gateway does not start any more', () => {
  it('is told after eight tries, by status too, and is started once it is mended', async () => {
    const lane = rig.lanes[moments.length] as StepLane;
    await liveOn(rig.bed, lane.lane, 'before');
    const before = await lookAt(rig.bed, lane.lane);
    lane.stage();
    await lane.run(lane.restoreCalls().slice(0, 4));
    const config = join(lane.lane.realHome, `.openclaw.bak.${journalOf(lane.lane)?.epoch}/config/openclaw.json`);
    const sound = readFileSync(config);
    overwrite(config, '{');
    await expect(lane.settle(8)).rejects.toMatchObject({
      type: 'LaneUnsettled',
      message: expect.stringMatching(/is back at its old tree, but after 8 tries: .* mend what keeps it from starting/),
    });
    const concerns = (await probeLanes(await loadFleet(join(dir, 'fleet.yaml')), [lane.lane.lane])).flatMap(
      laneConcerns,
    );
    expect(concerns).toEqual([
      expect.stringMatching(/^lane-5: its gateway is (?:down|running)/),
      expect.stringMatching(/^lane-5: the restore restore-\d+ is half done; .* goes back to the old tree by itself/),
    ]);
    overwrite(join(lane.lane.realHome, '.openclaw/config/openclaw.json'), sound);
    expect(await lane.settle()).toEqual({ action: 'rolled-back', gateway: 'running' });
    expect(await answersWithin(lane.lane, 10_000)).toBe(true);
    const changed = lookDifferences(before, await lookAt(rig.bed, lane.lane));
    // written by hand in between
    expect(changed.filter((line) => !line.includes('config/openclaw.json'))).toEqual([]);
  });
});

/** A restore up to a moment, and its journal damaged there. @returns its epoch */
async function interrupt(lane: StepLane, { damage, steps, commands, part }: Moment): Promise<number> {
  lane.stage();
  const calls = lane.restoreCalls().map((call) => {
    if (call.step !== 'prepareSwap' || !part) return call;
    return { ...call, input: { ...call.input, components: ['transcripts'], plists: false, secrets: [] } };
  });
  await lane.run(calls.slice(0, steps));
  lane.wire.mend(commands ?? Number.POSITIVE_INFINITY);
  if (commands !== undefined) expect(await lane.run(calls.slice(steps, steps + 1))).toBe(false);
  lane.wire.mend();
  const epoch = journalOf(lane.lane)?.epoch;
  if (epoch === undefined) throw new Error('the restore has opened no journal');
  const path = join(lane.lane.realHome, '.clawback/journal/journal.json');
  writeFileSync(path, damages[damage](readFileSync(path, 'utf8')));
  return epoch;
}

async function expectTouchedNoMore(lane: StepLane): Promise<void> {
  const now = await lookAt(rig.bed, lane.lane).catch(() => undefined);
  for (const _ of [1, 2]) await expect(lane.settle()).rejects.toMatchObject({ type: 'JournalDamaged' });
  if (now) expect(lookDifferences(now, await lookAt(rig.bed, lane.lane))).toEqual([]);
  expect(gatewayPids(lane.lane)).toEqual([]);
}
