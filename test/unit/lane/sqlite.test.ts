import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { copyDatabase } from '../../../src/lane/sqlite.ts';
import { isRoot, type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
let shell: LaneShell;
let home: string;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
  home = shell.target.home;
});
afterAll(() => local.stop());

function give(path: string): void {
  if (isRoot) execFileSync('sh', ['-c', 'chown nobody "$1" "$1"-* 2>/dev/null; :', 'sh', path]);
}

function count(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare('select count(*) as n from t').get() as { n: number };
  database.close();
  return row.n;
}

describe('copyDatabase', () => {
  it('copies a database whose newest rows are in its WAL, with mode and time, under any name', async () => {
    const from = `${home}/it's a "db" $x.sqlite`;
    const live = new DatabaseSync(from);
    live.exec(
      'pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table t(x); insert into t values (1),(2),(3)',
    );
    chmodSync(from, 0o640);
    give(from);
    const before = readFileSync(`${from}-wal`);
    expect(await copyDatabase(shell, { from, to: `${home}/copies/sub dir/copy.sqlite` })).toBe(true);
    expect(count(`${home}/copies/sub dir/copy.sqlite`)).toBe(3);
    expect(readFileSync(`${from}-wal`).equals(before)).toBe(true);
    expect(readdirSync(`${home}/copies/sub dir`).filter((name) => !name.startsWith('copy.sqlite'))).toEqual([]);
    expect(statSync(`${home}/copies/sub dir/copy.sqlite`).mode & 0o777).toBe(0o640);
    expect(statSync(`${home}/copies/sub dir/copy.sqlite`).mtimeMs).toBe(statSync(from).mtimeMs);
    live.close();
  });

  it('copies a database that nobody has open, and leaves it as it is', async () => {
    const from = `${home}/closed.sqlite`;
    const database = new DatabaseSync(from);
    database.exec('pragma journal_mode=wal; create table t(x); insert into t values (1)');
    database.close();
    give(from);
    const before = [readFileSync(from).toString('hex'), statSync(from).mtimeMs];
    await copyDatabase(shell, { from, to: `${home}/copies/closed.sqlite` });
    expect(count(`${home}/copies/closed.sqlite`)).toBe(1);
    expect([readFileSync(from).toString('hex'), statSync(from).mtimeMs]).toEqual(before);
  });

  it('ends beside a busy writer, with a consistent copy', async () => {
    const from = `${home}/busy.sqlite`;
    const setup = new DatabaseSync(from);
    setup.exec('pragma journal_mode=wal; create table t(x); create table sums(n)');
    setup.exec(
      'with recursive c(x) as (select 1 union all select x+1 from c where x<20000) insert into t select hex(randomblob(200)) from c',
    );
    setup.exec('insert into sums select count(*) from t');
    setup.close();
    give(from);
    if (isRoot) execFileSync('chmod', ['a+rw', from]);
    const writer = new Worker(
      `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync(require('node:worker_threads').workerData);
       d.exec('pragma busy_timeout=5000');
       setInterval(() => { d.exec("begin immediate; insert into t values (hex(randomblob(200))); update sums set n = (select count(*) from t); commit"); }, 2);`,
      { eval: true, workerData: from },
    );
    await sleep(300);
    if (isRoot) execFileSync('sh', ['-c', 'chown nobody "$1" "$1"-*; chmod a+rw "$1" "$1"-*', 'sh', from]);
    await copyDatabase(shell, { from, to: `${home}/copies/busy.sqlite` });
    await writer.terminate();
    const copy = new DatabaseSync(`${home}/copies/busy.sqlite`, { readOnly: true });
    expect(copy.prepare('select (select count(*) from t) = (select n from sums) as same').get()).toEqual({ same: 1 });
    copy.close();
  }, 30_000);

  it('says that a database is gone, and leaves nothing', async () => {
    expect(await copyDatabase(shell, { from: `${home}/no.sqlite`, to: `${home}/copies/no.sqlite` })).toBe(false);
    expect(existsSync(`${home}/copies/no.sqlite`)).toBe(false);
  });

  it('refuses a damaged database and what is none, and names it only on the lane', async () => {
    writeFileSync(`${home}/secret-name.sqlite`, 'no database at all, but long enough to be read as one'.repeat(100));
    give(`${home}/secret-name.sqlite`);
    const failure = await copyDatabase(shell, {
      from: `${home}/secret-name.sqlite`,
      to: `${home}/copies/x.sqlite`,
    }).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'DatabaseBackupFailed' });
    expect(String(failure)).not.toContain('secret-name');
    const from = `${home}/damaged.sqlite`;
    const database = new DatabaseSync(from);
    database.exec(
      'create table t(x); with recursive c(x) as (select 1 union all select x+1 from c where x<5000) insert into t select hex(randomblob(100)) from c',
    );
    database.close();
    const bytes = readFileSync(from);
    bytes.fill(0xaa, 40_960, 49_152);
    writeFileSync(from, bytes);
    give(from);
    await expect(copyDatabase(shell, { from, to: `${home}/copies/damaged.sqlite` })).rejects.toMatchObject({
      code: 'DatabaseBackupFailed',
    });
    expect(existsSync(`${home}/copies/damaged.sqlite`)).toBe(false);
  });
});
