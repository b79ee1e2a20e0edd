import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cli } from '../../../src/cli/cli.ts';
import { renderCliDocs } from '../../../src/cli/docs.ts';
import { docsOf } from '../../../src/cli/documented.ts';
import { createProgram, everyCommand, pathOfCommand } from '../../../src/cli/program.ts';
import { exitStatus } from '../../../src/domain/failure.ts';
import { testAround } from './around.ts';

const program = createProgram(new Cli(testAround()));
const leaves = everyCommand(program).filter((command) => command !== program && command.commands.length === 0);
const page = renderCliDocs();

describe('docs/cli.md', () => {
  it('is what the commands say (else: npm run docs)', async () => {
    expect(await readFile(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8')).toBe(page);
  });

  it('has every exit status', () => {
    for (const status of Object.values(exitStatus)) expect(page).toContain(`\n| ${status} | `);
  });

  it.each(leaves.map((command) => [pathOfCommand(command), command] as const))(
    'has %s with its options, its object and its examples',
    (path, command) => {
      const docs = docsOf(command);
      expect(page).toContain(`\n### ${path}\n`);
      for (const { flags, long } of command.options) expect(page, long).toContain(`| \`${flags}\` | `);
      expect(docs?.json.length).toBeGreaterThan(0);
      expect(docs?.examples.length).toBeGreaterThan(0);
    },
  );
});

describe('examples', () => {
  const examples = leaves.flatMap((command) =>
    (docsOf(command)?.examples ?? []).map((line) => [line, pathOfCommand(command)] as const),
  );

  it.each(examples)('%s is taken', async (line, path) => {
    const parsed: string[] = [];
    const tree = createProgram(new Cli(testAround()));
    for (const command of everyCommand(tree)) {
      if (command.commands.length === 0) command.action(() => void parsed.push(pathOfCommand(command)));
    }
    const [launcher, ...argv] = line.split(' ');
    await tree.parseAsync(argv, { from: 'user' });
    expect(launcher).toBe('./clawback');
    expect(parsed).toEqual([path]);
  });
});
