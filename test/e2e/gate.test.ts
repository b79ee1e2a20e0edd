// The 7-day gate on hosts of the bed, with days of some seconds: from the readiness check to the signed receipt, by the
// commands that an operator types.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GateState } from '../../src/contract/gate.ts';
import { bestBedKind } from '../bed/bed.ts';
import type { Rig } from '../rig/rig.ts';
import { project, runBlock } from '../unit/docs/pages.ts';
import { editFleet, startRig, stopRig } from './kit.ts';

const host = 'mac-1';
const refused = 3;
const attention = 5;
let rig: Rig;
/** Of the approver, and of somebody else. */
let home: string;
let eve: string;

beforeAll(async () => {
  const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
  rig = await startRig({ kind, hosts: [{ name: host, lanes: 2 }], dataBytes: 2e6 });
  home = join(rig.dir, 'ada');
  const ada = keyIn(home);
  eve = join(rig.dir, 'eve');
  keyIn(eve);
  editFleet(rig, (fleet) => Object.assign(fleet, { playbooks: { approvers: [{ name: 'Ada', key: ada }] } }));
  await rig.startWorker();
});
afterAll(() => stopRig(rig));

/** An SSH key where ssh-keygen looks for it. @returns its public half */
function keyIn(folder: string): string {
  mkdirSync(join(folder, '.ssh'), { recursive: true, mode: 0o700 });
  const file = join(folder, '.ssh/id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

interface Typed {
  readonly status: number | null;
  readonly output: string;
}

function type(...argv: readonly string[]): Promise<Typed> {
  const child = spawn(join(project, 'clawback'), argv, {
    env: { ...rig.env, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((done) => child.once('close', (code) => done({ status: code, output })));
}

/** Line by line, as they stand on the page. */
async function typeBlock(text: string): Promise<Typed[]> {
  const typed: Typed[] = [];
  for (const line of text.split('\n').map((one) => one.replace(/ +#.*$/, '').trim())) {
    if (line.startsWith('./clawback ')) typed.push(await type(...line.split(/ +/).slice(1)));
  }
  return typed;
}

async function status(): Promise<GateState> {
  const { output } = await type('--json', 'gate', 'status', host);
  return JSON.parse(output) as GateState;
}

/** How the gate stands once that is so. */
async function until(isSo: (state: GateState) => boolean): Promise<GateState> {
  for (const deadlineMs = Date.now() + 120_000; Date.now() < deadlineMs; ) {
    const state = await status();
    if (isSo(state)) return state;
  }
  throw new Error(`it does not come to that: ${JSON.stringify((await status()).rows[0])}`);
}

describe('the 7-day gate of a host with two lanes', () => {
  it('passes its days, is not signed before the seventh, and its receipt says that it was a demonstration', async () => {
    const [begun, shownAtOnce] = await typeBlock(runBlock('docs/gate.md', 'demonstration'));
    expect([begun?.status, shownAtOnce?.status]).toEqual([0, 0]);
    expect(shownAtOnce?.output).toContain('a demonstration: its days last 3 s');
    expect(await type('gate', 'start', host)).toMatchObject({ status: refused });
    expect((await type('gate', 'sign', host, '--by', 'Ada')).status).toBe(refused);
    let state = await status();
    for (const deadlineMs = Date.now() + 150_000; state.next === null && Date.now() < deadlineMs; )
      state = await status();
    expect(state.rows.map((row) => [row.day, row.state, row.message])).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6].map((day) => [day, 'passed', null]),
      [7, 'running', null],
    ]);
    expect(state.rows[1]?.evidence.join()).toMatch(/schedules applied.*lane-1: .* its log line has [0-9a-f]{12}/);
    expect(state.rows[3]?.evidence.join()).toMatch(/[1-9]\d* configurations parse, [1-9]\d* of [1-9]\d* secrets open/);
    const forged = await type('gate', 'sign', host, '--by', 'Ada', '--key', join(eve, '.ssh/id_ed25519'));
    expect(forged).toMatchObject({ status: refused, output: expect.stringContaining('not of the key of Ada') });
    expect((await type('gate', 'sign', host, '--by', 'Eve')).output).toContain('none of the approvers: Ada');
    const [signed] = await typeBlock(runBlock('docs/gate.md', 'sign'));
    expect(signed).toMatchObject({ status: 0, output: expect.stringContaining('gate of mac-1: signed') });
    const { receipt, lanes } = await status();
    const shown = await type('receipt', 'show', receipt ?? '', '--lane', lanes[0] ?? '');
    expect(shown).toMatchObject({ status: 0, output: expect.stringContaining('proves nothing about a rent') });
    expect(shown.output).toContain('Day 6: tier C of all lanes in parallel');
    expect(shown.output).toContain('signed by Ada, by the SSH signature of an approver');
    expect(shown.output).toMatch(/its clock -?\d+ ms off the worker's/);
  }, 240_000);

  it('waits on a failed day, which is tried again once that was mended, and ends unsigned when it is given up', async () => {
    const key = join(rig.dir, 'keys/vault.key.pem');
    renameSync(key, `${key}.away`);
    try {
      expect((await type('gate', 'start', host, '--day-length', '60s')).status).toBe(0);
      const failed = await until(({ rows }) => rows[0]?.state === 'failed');
      expect(failed.next).toBe(`./clawback gate retry ${host} --day 0`);
      expect((await type('gate', 'status', host)).status).toBe(attention);
    } finally {
      renameSync(`${key}.away`, key);
    }
    const [retried] = await typeBlock(runBlock('docs/gate.md', 'retry'));
    expect(retried).toMatchObject({ status: 0 });
    const passed = await until(({ rows }) => rows[0]?.state === 'passed');
    expect(passed.rows[0]).toMatchObject({ attempts: 2, code: null });
    const [abandoned] = await typeBlock(runBlock('docs/gate.md', 'abandon'));
    expect(abandoned?.output).toContain('abandoned');
    const ended = await until(({ phase }) => phase !== 'running');
    expect(ended).toMatchObject({ phase: 'abandoned', signed: null, receipt: expect.any(String) });
  }, 180_000);
});
