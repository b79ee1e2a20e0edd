// Receipts from the command line, without Temporal: a folder as a store, and the fleet file or a public key alone.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeIncidentReceipt, incidentReceiptKey } from '../../../src/receipt/incident-receipt.ts';
import type { Receipt } from '../../../src/receipt/receipt.ts';
import { receiptKey } from '../../../src/receipt/stored-receipts.ts';
import { signers } from '../../golden/keys.ts';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { bundleOf, encode, failed, receiptOf } from '../receipt/receipts.ts';
import { hostLoss } from '../receipt/incidents.ts';
import { type Ran, run } from './around.ts';

let bed: FleetBed;
let fleet: string;
let dir: string;

beforeAll(async () => {
  bed = await makeFleetBed();
}, 60_000);
afterAll(() => bed.remove());

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'clawback-receipts-'));
  fleet = await bed.fleet(['path: bundles', `path: ${join(dir, 'store')}`]);
  await clawback('stores', 'init');
  return () => rmSync(dir, { recursive: true });
});

const clawback = (...argv: string[]): Promise<Ran> => run(argv, { cwd: dir, env: { CLAWBACK_FLEET: fleet } });
const withoutFleet = (...argv: string[]): Promise<Ran> => run(argv, { cwd: dir });

/** Puts a receipt into the store, signed by the fleet's key unless another is given. */
function store(
  fields: Partial<Receipt> = {},
  privateKeyPem = readFileSync(join(bed.dir, 'keys/receipt.key.pem'), 'utf8'),
): string {
  const receipt = receiptOf({ fleet: 'demo', ...fields });
  const path = join(dir, 'store', receiptKey('lane-1', receipt.id));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encode(receipt, privateKeyPem));
  return path;
}

const publicKey = (): string => join(bed.dir, 'keys/receipt.public.pem');
const id = receiptOf().id;

const signed = (privateKeyPem = readFileSync(join(bed.dir, 'keys/receipt.key.pem'), 'utf8')): Buffer =>
  encodeIncidentReceipt(hostLoss, [{ name: 'fleet.yaml', sha256: 'f'.repeat(64) }], privateKeyPem);

/** The receipt of an incident, into a store. */
function put(privateKeyPem?: string, folder = 'store'): string {
  const path = join(dir, folder, incidentReceiptKey(hostLoss.subject, hostLoss.id));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, signed(privateKeyPem));
  return path;
}

describe('receipt show of an incident', () => {
  it('finds it beside its subject, and writes checklist and page', async () => {
    put();
    const page = join(dir, 'incident.html');
    const shown = await clawback('receipt', 'show', hostLoss.id, '--incident', 'mac-1', '--html', page);
    expect(shown).toMatchObject({
      status: 0,
      out: expect.stringContaining('# First-hour checklist: Host loss, mac-1'),
    });
    expect(readFileSync(page, 'utf8')).toContain('<p class="verdict">FAILED</p>');
    const json = await clawback('--json', 'receipt', 'show', hostLoss.id, '--incident', 'mac-1');
    expect(JSON.parse(json.out)).toMatchObject({ incident: { id: hostLoss.id, scenario: 'host-loss' }, proves: [] });
  });

  it('shows one that lies in a file, without a fleet', async () => {
    const shown = await withoutFleet('receipt', 'show', put(), '--key', publicKey());
    expect(shown).toMatchObject({ status: 0, out: expect.stringContaining('Host loss, mac-1') });
  });

  it('says where it has looked, and what a bare id lacks', async () => {
    const missing = await clawback('receipt', 'show', hostLoss.id, '--incident', 'mac-1');
    expect(missing.err).toContain(`there is no receipt ${hostLoss.id} of an incident of mac-1 in primary`);
    expect((await clawback('receipt', 'show', hostLoss.id)).err).toContain('or with --incident');
    put();
    const foreign = join(dir, 'store', incidentReceiptKey('mac-2', hostLoss.id));
    mkdirSync(dirname(foreign), { recursive: true });
    writeFileSync(foreign, signed());
    const other = await clawback('receipt', 'show', hostLoss.id, '--incident', 'mac-2');
    expect(other).toMatchObject({ status: 3, err: expect.stringContaining('is not of mac-2') });
  });
});

describe('receipt list', () => {
  it('shows what each run was, what came of it and what it proves, newest first', async () => {
    store();
    store({ id: '20261123T040000Z-00000002', ...failed });
    const { status, out } = await clawback('receipt', 'list', 'lane-1');
    expect(out).toMatch(
      /lane-1: 2 receipts in store primary\n.*\n20261123.*failed: MessageUnanswered.*proves no bundle: it failed\n20261122.*passed.*proves 20261122T031500Z-0123abcd/,
    );
    expect(status).toBe(0);
  });

  it('reports those that are not to be believed, and exits 7', async () => {
    store();
    store({ id: '20261123T040000Z-00000002' }, signers.intruder.privateKeyPem);
    const { status, out } = await clawback('receipt', 'list', 'lane-1', '--json');
    expect(JSON.parse(out)).toMatchObject({
      receipts: [{ receipt: { id }, proves: [bundleOf().bundle] }],
      ignored: [{ id: '20261123T040000Z-00000002', code: 'ReceiptSignatureBad' }],
    });
    expect(status).toBe(7);
  });

  it('shows the incidents of a host', async () => {
    put();
    const { status, out } = await clawback('receipt', 'list', 'mac-1');
    expect(out).toMatch(/^mac-1: 1 receipt in store primary\n.*\n.*incident host-loss +failed/);
    expect(status).toBe(0);
    const json = await clawback('--json', 'receipt', 'list', 'mac-1');
    expect(JSON.parse(json.out)).toMatchObject({ subject: 'mac-1', receipts: [], incidents: [{ incident: hostLoss }] });
  });

  it('does not believe that of an incident which somebody else signed', async () => {
    put(signers.intruder.privateKeyPem);
    const { status, out } = await clawback('--json', 'receipt', 'list', 'mac-1');
    expect(JSON.parse(out)).toMatchObject({ incidents: [], ignored: [{ code: 'ReceiptSignatureBad' }] });
    expect(status).toBe(7);
  });

  it('refuses what the fleet file names nowhere', async () => {
    const { status, err } = await clawback('receipt', 'list', 'mac-9');
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('no lane, host or region mac-9') });
  });

  it('says that there is none yet', async () => {
    expect(await clawback('receipt', 'list', 'lane-2')).toMatchObject({
      status: 0,
      out: 'lane-2: no receipt in store primary yet\n',
    });
  });
});

describe('a store with a replica', () => {
  const replica = (): string => join(dir, 'far');
  const lose = (): void => renameSync(join(dir, 'store'), join(dir, 'gone'));

  beforeEach(async () => {
    fleet = await bed.fleet(
      ['path: bundles', `path: ${join(dir, 'store')}`],
      ['stores:', `stores:\n  far: { kind: directory, path: ${replica()}, region: seoul, replicaOf: primary }`],
    );
    await clawback('stores', 'init');
  });

  it('has its receipts read there when it does not answer, and says so', async () => {
    cpSync(dirname(store()), join(replica(), 'lane-1/receipts'), { recursive: true });
    put(undefined, 'far');
    lose();
    const { status, out, err } = await clawback('receipt', 'list', 'lane-1');
    expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining('what only that store has is missing') });
    expect(out).toMatch(/^lane-1: 1 receipt in store far\n/);
    expect((await clawback('receipt', 'list', 'mac-1')).out).toMatch(/^mac-1: 1 receipt in store far\n/);
    const shown = await clawback('receipt', 'show', id, '--lane', 'lane-1');
    expect(shown).toMatchObject({ status: 0, out: expect.stringContaining('# First-hour checklist: lane lane-1') });
  });

  it('has them listed once that both have, and those that only one has', async () => {
    cpSync(dirname(store()), join(replica(), 'lane-1/receipts'), { recursive: true });
    store({ id: '20261123T040000Z-00000002', ...failed });
    const { out } = await clawback('receipt', 'list', 'lane-1');
    expect(out).toMatch(/^lane-1: 2 receipts in stores primary, far\n/);
  });

  it('is told as not answering where neither of the two does', async () => {
    lose();
    renameSync(replica(), join(dir, 'gone-too'));
    expect((await clawback('receipt', 'list', 'lane-1')).status).not.toBe(0);
    expect((await clawback('receipt', 'show', id, '--lane', 'lane-1')).err).toContain('primary');
  });
});

describe('receipt show', () => {
  it('prints the checklist, and writes page and receipt where it is told', async () => {
    const path = store();
    const written = ['--html', 'page.html', '--save', 'copy.json'];
    const shown = await clawback('receipt', 'show', id, '--lane', 'lane-1', ...written);
    expect(shown).toMatchObject({ status: 0, err: expect.stringContaining('page.html') });
    expect(shown.out).toMatch(/^# First-hour checklist: lane lane-1 on mac-1\n/);
    expect(readFileSync(join(dir, 'page.html'), 'utf8')).toContain('<p class="verdict">PASSED</p>');
    expect(readFileSync(join(dir, 'copy.json')).equals(readFileSync(path))).toBe(true);
    expect((await withoutFleet('receipt', 'show', 'copy.json', '--key', publicKey())).out).toBe(shown.out);
  });

  it('shows nothing of one that was tampered with', async () => {
    store({}, signers.intruder.privateKeyPem);
    const { status, out } = await clawback('receipt', 'show', id, '--lane', 'lane-1', '--html', 'page.html');
    expect({ status, out }).toEqual({ status: 7, out: '' });
    expect(() => readFileSync(join(dir, 'page.html'))).toThrow('ENOENT');
  });

  it.each([
    ['an id without a lane', ['20261122T040000Z-89abcdef'], 2, '--lane'],
    ['an id that the store has not', ['20261122T040000Z-89abcdef', '--lane', 'lane-1'], 3, 'a terminated run has none'],
    ['a file that is not there', ['none.json'], 2, 'ENOENT'],
  ])('refuses %s', async (_what, argv, status, text) => {
    const ran = await clawback('receipt', 'show', ...argv);
    expect(ran).toMatchObject({ status, err: expect.stringContaining(text) });
  });
});

describe('receipt verify', () => {
  it('needs a public key and the file alone', async () => {
    const { status, out } = await withoutFleet('receipt', 'verify', store(), '--key', publicKey());
    expect(out).toMatch(/signature good; PASSED, live restore\n.*proves 20261122T031500Z-0123abcd/);
    expect(status).toBe(0);
  });

  it('passes the receipt of a failed restore, and says that it failed', async () => {
    const { status, out } = await withoutFleet('receipt', 'verify', store(failed), '--key', publicKey());
    expect({ status, out }).toEqual({ status: 0, out: expect.stringContaining('signature good; FAILED') as string });
  });

  it('tells of many which one is not good, and exits 7', async () => {
    const good = store();
    const bad = store({ id: '20261123T040000Z-00000002' }, signers.intruder.privateKeyPem);
    const { status, out } = await clawback('receipt', 'verify', good, bad, '--json');
    expect(JSON.parse(out)).toMatchObject({
      receipts: [
        { file: good, verified: true, receipt: { id } },
        { file: bad, verified: false, code: 'ReceiptSignatureBad' },
      ],
    });
    expect(status).toBe(7);
  });

  it('takes any of several keys, as while they are rotated', async () => {
    const old = await bed.file('old.public.pem', signers.intruder.publicKeyPem);
    const keys = ['--key', old, '--key', publicKey()];
    expect((await withoutFleet('receipt', 'verify', store(), ...keys)).status).toBe(0);
    expect((await withoutFleet('receipt', 'verify', store(), '--key', old)).status).toBe(7);
  });

  it('refuses a file that is no receipt, and a key that is none', async () => {
    const junk = await bed.file('junk', 'junk');
    expect((await withoutFleet('receipt', 'verify', junk, '--key', publicKey())).status).toBe(7);
    expect((await withoutFleet('receipt', 'verify', store(), '--key', junk)).status).toBe(2);
    expect((await withoutFleet('receipt', 'verify', 'none', '--key', publicKey())).status).toBe(2);
  });
});
