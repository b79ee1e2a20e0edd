import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fence, takeFence } from '../../../src/lane/fence.ts';
import {
  archiveJournal,
  listArchivedJournals,
  readArchivedJournal,
  readJournal,
  removeArchivedJournal,
  writeJournal,
} from '../../../src/lane/journal.ts';
import { appendReport, readLaneFile, removeLaneTree, writeLaneFile } from '../../../src/lane/lane-files.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { limits } from '../../../src/domain/limits.ts';
import { type LocalHost, startLocalHost } from './local-host.ts';

const fence: Fence = { sectionStartMs: 1_780_000_000_000, order: 1, attempt: 1 };
let local: LocalHost;
let shell: LaneShell;
beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
  await takeFence(shell, fence);
});
afterAll(() => local.stop());

const journalFile = (): string => shell.clawbackPath('journal/journal.json');

describe('the journal', () => {
  it('is absent at first, and then what was written, in private files', async () => {
    expect(await readJournal(shell)).toBeUndefined();
    await writeJournal(shell, { run: 'r', renames: [{ from: 'ä', to: "it's" }] }, { fence });
    expect(await readJournal(shell)).toEqual({ run: 'r', renames: [{ from: 'ä', to: "it's" }] });
    expect([
      statSync(journalFile()).mode & 0o777,
      statSync(shell.clawbackPath('journal')).mode & 0o777,
      statSync(shell.clawbackPath('')).mode & 0o777,
    ]).toEqual([0o600, 0o700, 0o700]);
  });

  it('stays whole when its writer dies in the middle', async () => {
    await writeJournal(shell, { generation: 1 }, { fence });
    const slow = new Readable({ read() {} });
    slow.push('{"generation": 2, "cut": ');
    const connection = await local.connect();
    const { LaneShell: Shell } = await import('../../../src/lane/lane-shell.ts');
    const writing = writeLaneFile(new Shell(connection, shell.target), 'journal/journal.json', slow);
    await sleep(500);
    connection.close();
    await expect(writing).rejects.toMatchObject({ code: 'HostConnectionLost' });
    await sleep(500);
    expect(await readJournal(shell)).toEqual({ generation: 1 });
    await writeJournal(shell, { generation: 3 }, { fence });
    expect(await readJournal(shell)).toEqual({ generation: 3 });
  });

  it('says when it is damaged', async () => {
    await writeLaneFile(shell, 'journal/journal.json', Buffer.from('{"cut'));
    await expect(readJournal(shell)).rejects.toMatchObject({ code: 'JournalDamaged', context: { actualBytes: 5 } });
  });

  it('is not written under a lost fence', async () => {
    await writeJournal(shell, { generation: 4 }, { fence });
    const other = await local.shell({ home: shell.target.home, lane: shell.target.lane });
    const next = { ...fence, attempt: 2 };
    await takeFence(other, next);
    await expect(writeJournal(shell, { generation: 5 }, { fence })).rejects.toMatchObject({ code: 'FenceLost' });
    expect(await readJournal(shell)).toEqual({ generation: 4 });
    await writeJournal(shell, { generation: 5 }, { fence: next });
    await archiveJournal(shell, 'restored', { fence: next });
    await archiveJournal(shell, 'restored', { fence: next });
    expect(await readJournal(shell)).toBeUndefined();
    expect(await listArchivedJournals(shell)).toEqual(['restored']);
    expect(await readArchivedJournal(shell, 'restored')).toEqual({ generation: 5 });
    await removeArchivedJournal(shell, 'restored', { fence: next });
    await removeArchivedJournal(shell, 'restored', { fence: next });
    expect(await listArchivedJournals(shell)).toEqual([]);
    await expect(archiveJournal(shell, 'restored', { fence: next })).rejects.toMatchObject({
      code: 'HostCommandFailed',
    });
  });

  it('refuses names that are no plain words', async () => {
    await expect(archiveJournal(shell, '../x', { fence })).rejects.toMatchObject({ code: 'InvalidInput' });
    await expect(readArchivedJournal(shell, 'fence-1')).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});

describe('files below ~/.clawback', () => {
  it('come back as they were written, from bytes and from streams', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), async (bytes, streamed) => {
        const content = Buffer.from(bytes);
        await writeLaneFile(shell, 'lists/run 1/s-0001', streamed ? Readable.from([content]) : content);
        expect(await readLaneFile(shell, 'lists/run 1/s-0001')).toEqual(content);
      }),
      { numRuns: 8 },
    );
    expect(readdirSync(shell.clawbackPath('lists/run 1'))).toEqual(['s-0001']);
  });

  it('are undefined when absent, and never outside', async () => {
    expect(await readLaneFile(shell, 'no/such')).toBeUndefined();
    for (const path of ['../x', '/etc/passwd', 'a//b', '', 'a/./b'])
      await expect(readLaneFile(shell, path)).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('fail with what their stream failed with', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error('the source broke'));
      },
    });
    await expect(writeLaneFile(shell, 'lists/x', broken)).rejects.toThrow('the source broke');
    expect(await readLaneFile(shell, 'lists/x')).toBeUndefined();
  });

  it('are removed as whole trees, folders without write permission too', async () => {
    await shell.script('mkdir -p "$1/a/b" && echo x >"$1/a/b/c" && chmod 555 "$1/a/b" "$1/a"', [
      shell.clawbackPath('stage'),
    ]);
    await removeLaneTree(shell, 'stage');
    await removeLaneTree(shell, 'stage');
    expect(existsSync(shell.clawbackPath('stage'))).toBe(false);
  });
});

describe('the report', () => {
  it('gets lines and stays bounded', async () => {
    writeFileSync(shell.clawbackPath('report'), 'old line\n'.repeat(limits.reportBytes / 9));
    chmodSync(shell.clawbackPath('report'), 0o666);
    await appendReport(shell, 'something\nhappened');
    const text = readFileSync(shell.clawbackPath('report'), 'utf8');
    expect(text.endsWith('something happened\n')).toBe(true);
    expect(text.length).toBeLessThan(limits.reportBytes);
  });
});
