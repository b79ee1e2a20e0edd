import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cli } from '../../../src/cli/cli.ts';
import { createProgram, everyCommand, pathOfCommand } from '../../../src/cli/program.ts';
import { failureTable } from '../../../src/domain/failure.ts';
import { limits } from '../../../src/domain/limits.ts';
import { defaultRestoreBudgets } from '../../../src/domain/budget.ts';
import { standbyRule, sudoersFor } from '../../bed/sudoers.ts';
import { testAround } from '../cli/around.ts';
import { blocksOf, pageText, project, written } from './pages.ts';

const blocks = written.flatMap(blocksOf);
const example = {
  lane: 'lane-1',
  bundle: '20261122T031500Z-1a2b3c4d',
  workflow: 'lane/demo/lane-1',
  scenario: 'disk-full',
  subject: 'mac-1',
  incident: 'disk-full/mac-1',
} as const;

describe('commands in the documents', () => {
  const shell = blocks.filter(({ language }) => language === 'sh');

  it('are each run by a test, or say why not', () => {
    expect(shell.length).toBeGreaterThan(10);
    expect(shell.filter(({ mark }) => mark === undefined)).toEqual([]);
  });

  it('that are run have a test that names them', () => {
    const files = ['demo', 'docs', 'break-glass', 'receipt-python', 'disk-full', 'gate'].map(
      (name) => `test/e2e/${name}.test.ts`,
    );
    const others = ['test/unit/docs/hooks.test.ts', 'test/faults/needs-a-person.test.ts'];
    const tests = [...files, ...others].map((file) => readFileSync(join(project, file), 'utf8'));
    for (const { page, mark = '' } of shell.filter((block) => block.mark?.startsWith('run: '))) {
      const called = `runBlock('${page}', '${mark.slice('run: '.length)}')`;
      expect(
        tests.some((text) => text.includes(called)),
        called,
      ).toBe(true);
    }
  });

  const own = written.flatMap((page) =>
    [...pageText(page).matchAll(/\.\/clawback ([^`\n#&]*)/g)].map(([, argv = '']) => [page, argv.trim()] as const),
  );

  it.each(own)('of %s: ./clawback %s is one', async (_page, argv) => {
    const tree = createProgram(new Cli(testAround()));
    let met = 0;
    for (const command of everyCommand(tree)) if (command.commands.length === 0) command.action(() => void (met += 1));
    const words = argv
      .replaceAll('LANE', example.lane)
      .replaceAll('HOST', example.subject)
      .split(/\s+/)
      .filter(Boolean);
    // a sentence names a command without its arguments
    const command = everyCommand(tree).find((one) => pathOfCommand(one) === words.join(' '));
    const given = (name: string): string => example[name as keyof typeof example] ?? '/tmp/x';
    const missing = command?.registeredArguments.filter(({ required }) => required) ?? [];
    const options = command?.options.filter(({ mandatory }) => mandatory) ?? [];
    await tree.parseAsync(
      [
        ...words,
        ...missing.map((argument) => given(argument.name().toLowerCase())),
        ...options.flatMap((option) => [option.long ?? '', given(option.attributeName())]),
      ],
      { from: 'user' },
    );
    expect(met).toBe(1);
  });
});

describe('links in the documents', () => {
  const links = written.flatMap((page) =>
    [...pageText(page).matchAll(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g)].map(
      ([, path = '', anchor = '']) => [page, path, anchor] as const,
    ),
  );

  it.each(links)('of %s to %s%s lead somewhere', (page, path, anchor) => {
    const target = path === '' ? page : join(dirname(page), path);
    expect(existsSync(join(project, target)), target).toBe(true);
    if (anchor !== '') expect(anchorsOf(target)).toContain(anchor);
  });
});

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  const headings = [...pageText(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return headings.map(
    (text) =>
      `#${text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-')}`,
  );
}

describe('docs/operating.md', () => {
  const page = pageText('docs/operating.md');

  it('quotes the sudoers file that the bed runs with', () => {
    const [, quoted] = /<!-- sudoers: admin agent-lane-1 agent-lane-2 -->\n```\n(.*?)```/s.exec(page) ?? [];
    expect(quoted).toBe(sudoersFor('admin', ['agent-lane-1', 'agent-lane-2']));
    const [, standby] = /<!-- sudoers: standby -->\n```\n(.*?)```/s.exec(page) ?? [];
    expect(standby).toBe(standbyRule('admin'));
  });

  it('has the section and the file that hints name', () => {
    const hints = Object.values(failureTable)
      .map(({ hint }) => hint)
      .join('\n');
    const sections = [...hints.matchAll(/docs\/operating\.md, "([^"]+)"/g)].map(([, section]) => section);
    expect(sections).toEqual(['A damaged journal']);
    expect(anchorsOf('docs/operating.md')).toContain('#a-damaged-journal');
    expect(hints).toContain('the sudoers file that `docs/operating.md` gives');
  });

  it('states budgets and limits as the code has them', () => {
    for (const [step, ms] of Object.entries(defaultRestoreBudgets.stepMs))
      expect(page).toMatch(new RegExp(`\\| ${step} \\| .* \\| ${ms / 60_000} min \\|`));
    expect(page).toContain(`| ${defaultRestoreBudgets.rtoMs / 60_000} min |`);
    expect(limits.backupTreeKeptMs).toBe(7 * 24 * 3600 * 1000);
    expect(page).toContain(`over ${limits.keychainValueBytes.toLocaleString('en')} bytes`);
  });
});

describe('docs/architecture.md', () => {
  it('names tests and files that exist', () => {
    const paths = [...pageText('docs/architecture.md').matchAll(/`((?:test|src|docs)\/[\w./-]*)`/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) expect(existsSync(join(project, path)), path).toBe(true);
  });
});
