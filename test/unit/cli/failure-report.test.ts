import { describe, expect, it } from 'vitest';
import { Cli } from '../../../src/cli/cli.ts';
import { asFailure, failureText, reportFailure } from '../../../src/cli/failure-report.ts';
import { nextCommand } from '../../../src/cli/next-command.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { exitStatusOf, Failure, type FailureCode, failureTable } from '../../../src/domain/failure.ts';
import { testAround } from './around.ts';

const codes = Object.keys(failureTable) as FailureCode[];

describe('the next command', () => {
  it.each(codes)('after %s exists in the tree of commands, with a lane and without', (code) => {
    for (const lane of ['lane-1', undefined]) {
      const next = nextCommand({ code, context: { workflowId: 'restore/lane-1/x' }, lane, command: 'restore' });
      if (code === 'NodeVersion') expect(next).toBe('npm ci');
      else expect(isCommand(next)).toBe(true);
    }
  });

  it('names the lane that is at stake', () => {
    expect(nextCommand({ code: 'TarFailed', context: {}, lane: 'lane-1', command: 'backup' })).toBe(
      './clawback report lane-1',
    );
    expect(
      nextCommand({ code: 'LaneBusy', context: { workflowId: 'lane/demo/lane-1' }, lane: 'lane-1', command: 'backup' }),
    ).toBe('./clawback follow lane/demo/lane-1');
  });
});

/** Do its words name a command that takes so many arguments? */
function isCommand(line: string): boolean {
  const [launcher, ...words] = line.split(' ');
  let at = createProgram(new Cli(testAround()));
  while (words.length > 0) {
    const next = at.commands.find((command) => command.name() === words[0]);
    if (!next) break;
    at = next;
    words.shift();
  }
  const flags = words.filter((word) => word.startsWith('--'));
  const known = flags.every((flag) => flag === '--help' || at.options.some(({ long }) => long === flag));
  return launcher === './clawback' && known && words.length - flags.length <= at.registeredArguments.length;
}

describe('hints', () => {
  it.each(codes)('of %s print commands of ./clawback that exist', (code) => {
    for (const [, line = ''] of failureTable[code].hint.matchAll(/`(\.\/clawback[^`]*)`/g))
      expect(isCommand(line)).toBe(true);
  });
});

describe('a failure', () => {
  it('is told with message, hint, and the next command', async () => {
    const cli = new Cli(testAround());
    const report = await reportFailure(
      cli,
      new Failure('NoRestorePoint', 'the store has no bundle of lane lane-1', { lane: 'lane-1' }),
      'restore',
    );
    expect(failureText(cli, report)).toBe(
      [
        'error: the store has no bundle of lane lane-1',
        'HINT: `./clawback bundles list` shows what there is',
        'next: ./clawback bundles list lane-1',
      ].join('\n'),
    );
    expect(exitStatusOf(report.code as FailureCode)).toBe(3);
  });

  it('of a follower that detached is no error: it says how to come back and how to end it', async () => {
    const cli = new Cli(testAround());
    const report = await reportFailure(
      cli,
      new Failure('Detached', 'detached: backup/lane-1/x goes on without you', { workflowId: 'backup/lane-1/x' }),
      'backup',
    );
    expect(failureText(cli, report)).toBe(
      [
        'detached: backup/lane-1/x goes on without you',
        '  ./clawback follow backup/lane-1/x  shows it again',
        '  ./clawback cancel backup/lane-1/x  ends it',
      ].join('\n'),
    );
  });

  it('that is none of ours is a defect, told with its place', () => {
    const failure = asFailure(new TypeError('x is not a function'));
    expect(failure.code).toBe('Unexpected');
    expect(failure.message).toContain('TypeError');
    expect(exitStatusOf(failure.code)).toBe(1);
    expect(asFailure('text').message).toBe('something other than an error was thrown');
  });
});

describe('colours', () => {
  it.each([
    [{ terminal: true }, true, true],
    [{ terminal: true }, false, false],
    [{ terminal: false }, true, false],
    [{ terminal: true, env: { NO_COLOR: '1' } }, true, false],
    [{ terminal: true, env: { TERM: 'dumb' } }, true, false],
  ])('with %j and --color %s: %s', (around, color, painted) => {
    const cli = new Cli(testAround(around));
    cli.settings = { json: false, color };
    expect(cli.paint('red', 'x') !== 'x').toBe(painted);
  });
});
