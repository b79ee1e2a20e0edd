import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findStale, generatedFiles, writeDocs } from '../../../scripts/generate-docs.ts';
import { exitStatus, exitStatusOf, type FailureCode, failureTable } from '../../../src/domain/failure.ts';

const files = generatedFiles();
const page = files['docs/fleet.md'] ?? '';
const failureModes = files['docs/failure-modes.md'] ?? '';

describe('generated files', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'clawback-docs-'));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('are stale when missing or changed by hand, and right once written', async () => {
    const all = Object.keys(files);
    expect(await findStale(root)).toEqual(all);
    expect(await writeDocs(root)).toEqual(all);
    expect(await findStale(root)).toEqual([]);
    await appendFile(join(root, 'docs/fleet.md'), 'by hand\n');
    await writeFile(join(root, 'docs/fleet.schema.json'), '{}');
    expect(await findStale(root)).toEqual(['docs/fleet.md', 'docs/fleet.schema.json']);
    expect(await writeDocs(root)).toEqual(['docs/fleet.md', 'docs/fleet.schema.json']);
    expect(await readFile(join(root, 'docs/fleet.md'), 'utf8')).toBe(page);
  });
});

describe('the reference of fleet.yaml', () => {
  it.each([
    '| `ssh.passphrase` | [secret](#secret-references) | – | passphrase of the key, if it has one |',
    '| `hosts.NAME.port` | port | `22` | TCP port of SSH |',
    '| `hosts.NAME.profile` | `slimvps-legacy` or `openclaw-2026` | required | which layout of OpenClaw the lanes of this host have |',
    '| `objectives.steps.tree` | duration | `40m` | budget of fetching and restoring the tree |',
    '| `limits.segment` | size | `256MiB` | size of a segment before compression, 1MiB to 4GiB: what a crash costs at most |',
    '| `stores.NAME.kind` | `directory` | required | a folder of the machine that the workers run on |',
  ])('says %s', (row) => {
    expect(page.split('\n')).toContain(row);
  });

  it('has a row of four cells for every field, none of them empty', () => {
    const rows = page.split('\n').filter((line) => /^\| `[a-z]+(\.|`)/.test(line) && line.split(' | ').length >= 4);
    expect(rows.length).toBeGreaterThan(45);
    for (const row of rows)
      expect(
        row
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .every((cell) => cell.trim().length > 0),
      ).toBe(true);
  });
});

describe('the JSON Schema file', () => {
  it('is JSON of draft 2020-12 that lists the sections', () => {
    const schema = JSON.parse(files['docs/fleet.schema.json'] ?? '') as { $schema: string; properties: object };
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(Object.keys(schema.properties)).toEqual([
      'fleet',
      'ssh',
      'keys',
      'stores',
      'archives',
      'hosts',
      'regions',
      'lanes',
      'objectives',
      'verify',
      'retention',
      'signals',
      'hooks',
      'playbooks',
      'schedules',
      'alerts',
      'limits',
    ]);
  });
});

describe('the failure modes', () => {
  it.each(Object.keys(failureTable) as FailureCode[])(
    'say of %s whether it is retried, its exit status and its hint',
    (code) => {
      const { meaning, retry, hint } = failureTable[code];
      const row = `| \`${code}\` | ${meaning} | ${retry ? 'yes' : 'no'} | ${exitStatusOf(code)} | ${hint} |`;
      expect(failureModes.split('\n')).toContain(row);
    },
  );

  it.each(Object.entries(exitStatus))('list the exit status of %s', (name, status) => {
    expect(failureModes).toMatch(new RegExp(`^\\| ${status} \\| ${name} \\| \\S`, 'm'));
  });
});
