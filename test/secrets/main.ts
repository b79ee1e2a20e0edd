// `npm run secrets`: plants secrets in a lane, backs it up, restores it, lets restores fail, and looks for them in logs,
// Temporal's history, process lists, the store, temporary files and error messages: raw, in base64, in hex and
// compressed. In each place a control is planted too; a scan that misses it proves nothing, and fails.

import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startBackup } from '../../src/client/start.ts';
import { hasPoller } from '../../src/client/temporal-view.ts';
import { queueRoles, queues } from '../../src/contract/names.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import { backUp, failureOf, keychain, restore, setItem, unlockKeychain } from '../e2e/kit.ts';
import { Rig } from '../rig/rig.ts';
import { wreckLane } from '../rig/wreck.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { needlesOf, type Secret } from './needles.ts';
import { Sampler } from './sampler.ts';
import { type Finding, Scan } from './scan.ts';

const project = resolve(import.meta.dirname, '../..');
const kinds = ['logs', 'history', 'processes', 'store', 'temporary', 'errors'] as const;
type Kind = (typeof kinds)[number];
const forms = ['raw', 'base64', 'hex', 'zstd of raw', 'gzip of raw'] as const;

interface Row {
  readonly kind: Kind;
  readonly bytes: number;
  readonly sources: number;
  readonly found: readonly Finding[];
  /** Forms of the control that were found, of those that were planted. */
  readonly controls: readonly string[];
  readonly missedControls: readonly string[];
}

interface Stage {
  readonly dir: string;
  readonly rig: Rig;
  readonly lane: BedLane;
  readonly scans: Readonly<Record<Kind, Scan>>;
  readonly control: string;
  readonly temporary: string;
  readonly logs: string;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const startedMs = Date.now();
  const dir = mkdtempSync('/tmp/clawback-secrets-');
  // what our processes write to the temporary folder is written here
  const temporary = join(dir, 'tmp');
  mkdirSync(temporary, { mode: 0o1777 });
  process.env['TMPDIR'] = temporary;
  const rig = await Rig.start({
    dir: join(dir, 'rig'),
    kind: bestBedKind(),
    hosts: [{ name: 'mac-1', lanes: 1 }],
    dataBytes: 1e6,
    durableServer: true,
  });
  try {
    const lane = rig.bed.lanes[0] as BedLane;
    const wrong = {
      provider: `sk-wrong-${randomBytes(18).toString('base64url')}`,
      password: `kc-wrong-${randomBytes(18).toString('base64url')}`,
    };
    const control = `control-${randomBytes(18).toString('base64url')}`;
    const needles = needlesOf([...secretsOf(rig, lane, wrong), { name: 'control', bytes: Buffer.from(control) }]);
    const scans = Object.fromEntries(kinds.map((kind) => [kind, new Scan(kind, needles)])) as Record<Kind, Scan>;
    const stage: Stage = { dir, rig, lane, scans, control, temporary, logs: join(dir, 'logs') };
    mkdirSync(stage.logs);
    const samples = await operate(stage, wrong);
    await scanAll(stage);
    const rows = kinds.map((kind) => rowOf(scans[kind]));
    return report(rows, {
      json: values.json,
      elapsedMs: Date.now() - startedMs,
      samples,
      secrets: new Set(needles.map(({ secret }) => secret)).size - 1,
    });
  } finally {
    await rig.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

// --- what is planted ---------------------------------------------------------------------------------------------

/** Keychain values, tokens, passwords, and of each private key a piece of its middle. */
function secretsOf(rig: Rig, lane: BedLane, wrong: Readonly<Record<string, string>>): Secret[] {
  const key = (name: string): string => readFileSync(join(rig.dir, 'keys', name), 'utf8');
  const middle = (bytes: Buffer): Buffer =>
    bytes.subarray(Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 24);
  const pems = ['vault.key.pem', 'recovery.key.pem'].map((name) => ({
    name,
    bytes: middle(createPrivateKey(key(name)).export({ type: 'pkcs8', format: 'der' })),
  }));
  const manifest = createPrivateKey(key('manifest.key.pem')).export({ type: 'pkcs8', format: 'der' }).subarray(-24);
  const ssh = Buffer.from(rig.bed.sshKey.toString('latin1').split('\n').slice(1, -2).join(''), 'base64').subarray(
    -100,
    -76,
  );
  return [
    ...lane.canaries.map((text, at) => ({ name: `planted value ${at}`, bytes: Buffer.from(text) })),
    ...Object.entries(wrong).map(([name, text]) => ({ name: `wrong ${name}`, bytes: Buffer.from(text) })),
    ...pems,
    { name: 'manifest.key.pem', bytes: manifest },
    { name: 'fingerprint.hex', bytes: Buffer.from(key('fingerprint.hex').trim(), 'hex') },
    { name: 'ssh key', bytes: ssh },
    ...(rig.s3 === undefined ? [] : ['backup', 'vault', 'expiry']).map((role) => ({
      name: `S3 secret of ${role}`,
      bytes: Buffer.from(key(`s3-${role}.secret`)),
    })),
  ];
}

// --- what is done ------------------------------------------------------------------------------------------------

/** A backup, a restore, and two restores that fail, through the CLI and beside a sampler. @returns rounds of sampling */
async function operate(stage: Stage, wrong: { readonly provider: string; readonly password: string }): Promise<number> {
  const { rig, lane, scans, temporary, control } = stage;
  const worker = await startWorker(stage);
  const hostTemporary = join(rig.bed.host(lane.host).realRoot, 'private/tmp');
  const sampler = new Sampler({
    processes: scans.processes,
    files: scans.temporary,
    folders: [temporary, hostTemporary, join(lane.realHome, '.clawback')],
    marks: ['BED_HOST=', rig.fleetPath, control],
  });
  try {
    const planted = spawn('/bin/sh', ['-c', 'sleep 600; :', control], {
      detached: true,
      env: { CLAWBACK_FLEET: rig.fleetPath, PLANTED: Buffer.from(control).toString('base64') },
    });
    await clawback(stage, ['backup', lane.lane, '--tier', 'B']);
    await wreckLane(rig.bed, lane);
    await clawback(stage, ['restore', lane.lane, '--yes']);
    await failingRestores(stage, wrong);
    await clawback(stage, ['status']);
    await clawback(stage, ['restore', control, '--yes']);
    // what a workflow is given stands in history, even if it is refused
    await failureOf((await startBackup(rig.client, { lane: control })).result());
    if (planted.pid !== undefined) process.kill(-planted.pid, 'SIGKILL');
  } finally {
    await sampler.stop();
    worker.kill('SIGTERM');
  }
  return sampler.rounds;
}

async function failingRestores(
  stage: Stage,
  wrong: { readonly provider: string; readonly password: string },
): Promise<void> {
  const { rig, lane, scans } = stage;
  await unlockKeychain(rig, lane);
  await setItem(rig, lane, 'openclaw-provider', wrong.provider);
  // by name: a restore without one takes the newest that is proven
  const { bundle } = await backUp(rig, lane, { tier: 'A' });
  await setItem(rig, lane, 'openclaw-provider', lane.values['openclaw-provider']?.toString('utf8') ?? '');
  await expectFailure(scans.errors, 'MessageUnanswered', restore(rig, lane, { bundle }));

  const path = join(rig.dir, 'keys', `${lane.lane}.keychain`);
  writeFileSync(path, wrong.password);
  await keychain(rig, lane, 'lock-keychain');
  await expectFailure(scans.errors, 'KeychainPasswordWrong', restore(rig, lane));
  await clawback(stage, ['restore', lane.lane, '--yes']);
  writeFileSync(path, lane.keychainPassword);
}

async function expectFailure(scan: Scan, code: string, operation: Promise<unknown>): Promise<void> {
  const failure = await failureOf(operation);
  if (failure.code !== code) throw new Error(`expected ${code}, it was ${failure.code}: ${failure.message}`);
  await scan.look(
    Buffer.from(
      JSON.stringify({ ...failure, message: failure.message, stack: failure.stack, cause: String(failure.cause) }),
    ),
    `the failure ${code}`,
  );
}

/** One command of the CLI; its output goes into a log, what it says on stderr is an error message too. */
async function clawback({ rig, logs, scans }: Stage, args: readonly string[]): Promise<void> {
  const argv = [join(project, 'src/cli/main.ts'), '--fleet', rig.fleetPath, ...args];
  const child = spawn(process.execPath, argv, { env: rig.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const outputs: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => outputs[0].push(chunk));
  child.stderr.on('data', (chunk: Buffer) => outputs[1].push(chunk));
  await new Promise((done) => child.once('close', done));
  const [out, error] = outputs.map((chunks) => Buffer.concat(chunks)) as [Buffer, Buffer];
  appendFileSync(join(logs, 'cli.log'), Buffer.concat([out, error]));
  await scans.errors.look(error, `stderr of clawback ${args[0]}`);
}

/** All that the worker writes goes into a log. */
async function startWorker({ rig, logs }: Stage): Promise<ChildProcess> {
  const log = openSync(join(logs, 'worker.log'), 'a');
  const argv = [
    join(project, 'src/worker.ts'),
    '--fleet',
    rig.fleetPath,
    '--workflow-bundle',
    await ensureWorkflowBundle(),
  ];
  const worker = spawn(process.execPath, argv, { env: rig.env, stdio: ['ignore', log, log] });
  closeSync(log);
  for (const role of queueRoles) {
    while (!(await hasPoller(rig.client, queues[role]))) {
      if (worker.exitCode !== null)
        throw new Error(`the worker ended: ${readFileSync(join(logs, 'worker.log'), 'utf8').slice(-2000)}`);
      await sleep(100);
    }
  }
  return worker;
}

// --- what is scanned ---------------------------------------------------------------------------------------------

async function scanAll(stage: Stage): Promise<void> {
  const { rig, lane, scans, control, temporary, logs } = stage;
  const controlled = (folder: string): string => {
    const path = join(folder, 'control');
    mkdirSync(path, { recursive: true });
    plantControl(path, control);
    return path;
  };
  const { realRoot } = rig.bed.host(lane.host);
  const ours = join(lane.realHome, '.clawback');
  for (const folder of [logs, rig.storePath, temporary, ours]) controlled(folder);
  await scans.logs.lookBelow(logs);
  await scans.logs.lookBelow(join(realRoot, 'private/var/log'));
  await scans.store.lookBelow(rig.storePath);
  for (const folder of [temporary, ours, join(realRoot, 'private/tmp')]) await scans.temporary.lookBelow(folder);
  await scanHistory(stage);
  for (const name of readdirSync(rig.dir).filter((one) => one.startsWith('temporal.db')))
    await scans.history.look(readFileSync(join(rig.dir, name)), name);
}

/** The control in every form that a secret could have. */
function plantControl(folder: string, control: string): void {
  const bytes = Buffer.from(`before ${control} after\n`);
  const planted: Record<string, Buffer> = {
    raw: bytes,
    base64: Buffer.from(bytes.toString('base64')),
    hex: Buffer.from(bytes.toString('hex')),
    'zstd of raw': Buffer.concat([Buffer.from('before'), zstdCompressSync(bytes)]),
    'gzip of raw': Buffer.concat([Buffer.from('before'), gzipSync(bytes)]),
  };
  for (const [name, content] of Object.entries(planted))
    writeFileSync(join(folder, name.replaceAll(' ', '-')), content);
}

/** Every workflow's history, as it is shown and with its payloads opened. The control came in as a lane's name. */
async function scanHistory({ rig, scans }: Stage): Promise<void> {
  for await (const { workflowId, runId } of rig.client.workflow.list()) {
    const history = await rig.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = historyToJSON(history);
    await scans.history.look(Buffer.from(text), `history of ${workflowId.split('/')[0]}`);
    for (const [, data = ''] of text.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/g))
      await scans.history.look(Buffer.from(data, 'base64'), `a payload of ${workflowId.split('/')[0]}`);
  }
}

// --- what is told ------------------------------------------------------------------------------------------------

/** Where files can be planted every form of the control must be found; elsewhere the control itself, as it came in. */
function wantedControls(kind: Kind): readonly string[] {
  if (kind === 'processes') return ['raw', 'base64'];
  return kind === 'history' || kind === 'errors' ? ['raw'] : forms;
}

function rowOf({ kind, bytes, sources, found }: Scan): Row {
  const controls = new Set(found.filter(({ secret }) => secret === 'control').map(({ form }) => form));
  const missedControls = wantedControls(kind as Kind).filter((form) => !controls.has(form));
  return {
    kind: kind as Kind,
    bytes,
    sources,
    found: found.filter(({ secret }) => secret !== 'control'),
    controls: [...controls],
    missedControls,
  };
}

function report(
  rows: readonly Row[],
  about: { readonly json: boolean; readonly elapsedMs: number; readonly samples: number; readonly secrets: number },
): boolean {
  const ok = rows.every(
    ({ found, missedControls, bytes }) => found.length === 0 && missedControls.length === 0 && bytes > 0,
  );
  const { json, ...rest } = about;
  if (json) process.stdout.write(`${JSON.stringify({ ok, ...rest, kinds: rows })}\n`);
  else {
    for (const row of rows)
      process.stdout.write(
        `${row.kind.padEnd(10)} ${String(row.bytes).padStart(11)} bytes of ${row.sources} sources: ${verdictOf(row)}\n`,
      );
    process.stdout.write(
      `${rest.secrets} secrets, ${rest.samples} samples of the process list, ${Math.round(rest.elapsedMs / 1000)} s: ${ok ? 'nothing found' : 'FAILED'}\n`,
    );
  }
  return ok;
}

function verdictOf({ found, missedControls }: Row): string {
  const lines = found.map(({ secret, form, where }) => `${secret} as ${form} in ${where}`);
  if (missedControls.length > 0) lines.push(`the control was missed as ${missedControls.join(', ')}`);
  return lines.length === 0 ? 'no secret; the control was found' : lines.join('; ');
}

process.exitCode = (await main()) ? 0 : 1;
