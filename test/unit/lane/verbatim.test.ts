import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyTables } from '../../../src/lane/empty-tables.ts';
import { takeFence } from '../../../src/lane/fence.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { findVerbatim } from '../../../src/lane/verbatim.ts';
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

describe('findVerbatim', () => {
  it('counts the files that hold a value, names them in the report on the lane, and takes values literally', async () => {
    const folder = `${home}/config dir`;
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const secret = 'sk-.*[$"\'\\ canary';
    writeFileSync(`${folder}/plain.json`, `{"key": "x${secret}y"}`, { mode: 0o644 });
    writeFileSync(`${folder}/other.json`, '{"key": "sk-anything canary"}', { mode: 0o644 });
    expect(
      await findVerbatim(
        shell,
        [Buffer.from(secret), Buffer.from('short'), Buffer.from('two\nlines')],
        [folder, `${home}/absent`],
      ),
    ).toBe(1);
    const report = readFileSync(`${home}/.clawback/report`, 'utf8');
    expect(report).toContain(`${folder}/plain.json`);
    expect(report).not.toContain(secret);
  });

  it('asks nothing when no value is telling or no folder is there', async () => {
    expect(await findVerbatim(shell, [Buffer.from('short')], [home])).toBe(0);
    expect(await findVerbatim(shell, [Buffer.from('long enough')], [`${home}/absent`])).toBe(0);
  });
});

describe('emptyTables', () => {
  it('empties the tables that are there, passes over those that are not, and may be repeated', async () => {
    const path = `${home}/state.sqlite`;
    const database = new DatabaseSync(path);
    database.exec(
      'CREATE TABLE state_leases (x); INSERT INTO state_leases VALUES (1); CREATE TABLE turns (x); INSERT INTO turns VALUES (1)',
    );
    database.close();
    if (isRoot) execFileSync('chown', ['nobody', path]);
    const fence = { sectionStartMs: Date.now(), order: 1, attempt: 1 };
    await takeFence(shell, fence);
    for (let time = 0; time < 2; time++) await emptyTables(shell, path, ['state_leases', 'delivery_queue'], { fence });
    const after = new DatabaseSync(path, { readOnly: true });
    expect(
      after
        .prepare('SELECT (SELECT count(*) FROM state_leases) AS leases, (SELECT count(*) FROM turns) AS turns')
        .get(),
    ).toEqual({ leases: 0, turns: 1 });
    after.close();
  });

  it('refuses a name that is no table of a profile', async () => {
    await expect(emptyTables(shell, `${home}/state.sqlite`, ['x; DROP TABLE turns'], {})).rejects.toMatchObject({
      code: 'InvalidInput',
    });
  });
});
