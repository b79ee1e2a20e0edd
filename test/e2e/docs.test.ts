// The commands of README, the operating guide and the questions at 3 a.m., typed as they stand there, against hosts of the bed.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bestBedKind, fleetYaml } from '../bed/bed.ts';
import { Rig } from '../rig/rig.ts';
import { project, runBlock } from '../unit/docs/pages.ts';

const dir = mkdtempSync(join(tmpdir(), 'clawback-docs-'));
/** Where the reader stands: in a checkout, here with nothing but its launcher. */
const desk = join(dir, 'desk');
const attention = 5;
let rig: Rig;
let worker: ChildProcess | undefined;

beforeAll(async () => {
  mkdirSync(desk);
  symlinkSync(join(project, 'clawback'), join(desk, 'clawback'));
  const kind = bestBedKind() === 'in-process' ? 'in-process' : 'sshd';
  rig = await Rig.start({ kind, dir: join(dir, 'rig'), hosts: [{ name: 'mac-1', lanes: 1 }], dataBytes: 5e6 });
});

afterAll(async () => {
  if (worker && worker.exitCode === null) {
    const ended = new Promise((done) => worker?.once('close', done));
    worker.kill('SIGTERM');
    await ended;
  }
  await rig?.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Typed {
  readonly line: string;
  readonly status: number | null;
  readonly output: string;
}

function start(line: string): { child: ChildProcess; output: () => string } {
  const { CLAWBACK_FLEET: _, ...env } = rig.env;
  // exec: a signal reaches the program, not a shell around it
  const child = spawn('/bin/sh', ['-c', `exec ${line}`], { cwd: desk, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

async function type(line: string): Promise<Typed> {
  const { child, output } = start(line);
  const status = await new Promise<number | null>((done) => child.once('close', done));
  return { line, status, output: output() };
}

async function startWorker(line: string): Promise<void> {
  const { child, output } = start(line.replace(/ &$/, ''));
  worker = child;
  for (let tries = 0; !output().includes('worker ready'); tries += 1) {
    if (child.exitCode !== null || tries > 1200) throw new Error(`the worker does not come up:\n${output()}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Types a block line by line; what ends in & stays in the background. */
async function typeBlock(text: string): Promise<Typed[]> {
  const typed: Typed[] = [];
  const lines = text.split('\n').map((line) => line.replace(/ +#.*$/, '').trim());
  for (const line of lines.filter((one) => one !== '')) {
    if (line.endsWith('&')) await startWorker(line);
    else typed.push(await type(line));
  }
  return typed;
}

function outputOf(typed: readonly Typed[], words: string): Typed {
  const found = typed.find(({ line }) => line.includes(words));
  if (!found) throw new Error(`nobody typed ${words}`);
  return found;
}

describe('the first real lane of the README', () => {
  it('has its keys made where the fleet file looks for them', async () => {
    const [keys] = await typeBlock(runBlock('README.md', 'keys'));
    expect(keys?.output).toContain('Move ');
    expect(keys?.status).toBe(0);
    expect(readdirSync(join(desk, 'keys'))).toContain('recovery.key.pem');
    expect(existsSync(join(desk, 'keys/ssh.pub'))).toBe(true);
  });

  it('is backed up and restored with the commands as they stand there', async () => {
    const storePath = join(desk, 'bundles');
    const fleet = await fleetYaml(rig.bed, { storePath, keysDir: join(desk, 'keys') });
    writeFileSync(join(desk, 'fleet.yaml'), `${fleet}playbooks: { disk-full: { approval: required } }\n`);
    rmSync(join(storePath, '.clawback-store'));
    const typed = await typeBlock(runBlock('README.md', 'first-lane'));
    expect(typed.filter(({ line, status }) => status !== 0 && !line.includes(' status'))).toEqual([]);
    expect(outputOf(typed, 'config check').output).toContain('is right (1 lane, 1 host, 1 store');
    expect(outputOf(typed, 'stores init').output).toContain('is a store now');
    // it has no backup yet
    expect(outputOf(typed, 'status lane-1').status).toBe(attention);
    expect(outputOf(typed, 'backup lane-1').output).toMatch(/\d{8}T\d{6}Z-[0-9a-f]{8}/);
    expect(outputOf(typed, '--dry-run').output).toMatch(/estimate/i);
    expect(outputOf(typed, '--yes').output).toMatch(/message/i);
  });

  it('is found in order by the check of the operating guide', async () => {
    const typed = [
      ...(await typeBlock(runBlock('docs/operating.md', 'check'))),
      ...(await typeBlock(runBlock('docs/operating.md', 'stores'))),
    ];
    expect(typed.map(({ status }) => status)).toEqual([0, 0, 0]);
  });

  it('gets its schedules with the commands of their page', async () => {
    const typed = [
      ...(await typeBlock(runBlock('docs/schedules.md', 'apply'))),
      ...(await typeBlock(runBlock('docs/schedules.md', 'single'))),
    ];
    expect(typed.filter(({ status }) => status !== 0)).toEqual([]);
    expect(outputOf(typed, 'schedules list').output).toContain('daily 03:15');
  });
});

describe('the questions at 3 a.m.', () => {
  /** An incident that waits, for `disk-full` asks first in this fleet; nobody is at a terminal to be asked. */
  async function pending(): Promise<void> {
    expect((await type('./clawback recover disk-full mac-1')).status).toBe(attention);
  }

  it('are answered by what can be typed while an incident waits for an approval', async () => {
    await pending();
    const begin = await typeBlock(runBlock('docs/faq.md', 'begin'));
    expect(outputOf(begin, 'incidents list').output).toContain('incident/bed/disk-full/mac-1');
    const [look] = await typeBlock(runBlock('docs/faq.md', 'look'));
    expect(look?.output).toMatch(/approve/);
    const [declined] = await typeBlock(runBlock('docs/faq.md', 'decline'));
    expect(declined?.status).toBe(0);
    await pending();
    const [approved] = await typeBlock(runBlock('docs/faq.md', 'approve'));
    expect(approved).toMatchObject({ status: 0, output: expect.stringContaining('its plan is approved by') });
  });

  it('are answered for a backup, a restore and its receipts, on the lane that the README set up', async () => {
    const good = await typeBlock(runBlock('docs/faq.md', 'good'));
    expect(good.map(({ line, status }) => [line, status])).toEqual(good.map(({ line }) => [line, 0]));
    const [bundle = ''] = /\d{8}T\d{6}Z-[0-9a-f]{8}/.exec(outputOf(good, 'bundles list').output) ?? [];
    const receipts = await typeBlock(runBlock('docs/faq.md', 'receipts'));
    const plans = await typeBlock(runBlock('docs/faq.md', 'plan'));
    const opened = await typeBlock(runBlock('docs/faq.md', 'open').replace(/\d{8}T\d{6}Z-[0-9a-f]{8}/, bundle));
    const undone = await typeBlock(runBlock('docs/faq.md', 'undo'));
    const typed = [...receipts, ...plans, ...opened, ...undone];
    expect(typed.filter(({ status }) => status !== 0)).toEqual([]);
    expect(existsSync(join(desk, 'opened/home'))).toBe(true);
  });
});
