// Runs one command line: parses, acts, shows the one result or failure, and gives the exit status.

import { type Command, CommanderError } from 'commander';
import { exitStatus, exitStatusOf, Failure, type FailureCode } from '../domain/failure.ts';
import { Cli } from './cli.ts';
import { asFailure, failureText, reportFailure } from './failure-report.ts';
import { createProgram, everyCommand, pathOfCommand } from './program.ts';
import type { OutStream, Surroundings } from './surroundings.ts';

/**
 * @param argv arguments after the program's name
 * @returns the exit status; never throws
 */
export async function runCli(argv: readonly string[], around: Surroundings): Promise<number> {
  const cli = new Cli(around);
  cli.settings = { json: hasFlag(argv, '--json'), color: !hasFlag(argv, '--no-color') };
  const printed: string[] = [];
  const program = createProgram(cli);
  for (const command of everyCommand(program)) {
    command.configureOutput({ writeOut: (text) => printed.push(text), writeErr: (text) => printed.push(text) });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return await showOutcome(cli);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return showPrinted(cli, error.code, printed.join(''));
    return showFailure(cli, failureOf(error), commandOf(program, argv));
  }
}

/** Before parsing has told: a flag anywhere before `--`. */
function hasFlag(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes(flag);
}

async function showOutcome(cli: Cli): Promise<number> {
  const { outcome } = cli;
  if (!outcome) return exitStatus.ok;
  const text = cli.settings.json ? JSON.stringify({ ok: true, ...outcome.json }) : outcome.text;
  if (text !== '') await write(cli.around.stdout, `${text}\n`);
  return exitStatus[outcome.exit ?? 'ok'];
}

/** Help and version are results too. */
async function showPrinted(cli: Cli, code: string, printed: string): Promise<number> {
  const field = code === 'commander.version' ? 'version' : 'help';
  await write(
    cli.around.stdout,
    cli.settings.json ? `${JSON.stringify({ ok: true, [field]: printed.trimEnd() })}\n` : printed,
  );
  return exitStatus.ok;
}

async function showFailure(cli: Cli, failure: Failure, command: string): Promise<number> {
  const report = await reportFailure(cli, failure, command);
  if (cli.settings.json) await write(cli.around.stdout, `${JSON.stringify(report)}\n`);
  else await write(cli.around.stderr, `${failureText(cli, report)}\n`);
  return exitStatusOf(report.code as FailureCode);
}

/** Waits until the bytes are gone: the process exits right after. A reader that has left is no failure. */
function write(stream: OutStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}

/** What commander refuses is an input of a wrong form. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof CommanderError)) return asFailure(error);
  // without a command, its help stands where a message would
  if (error.code === 'commander.help') return new Failure('InvalidInput', 'a command is missing', { field: 'COMMAND' });
  return new Failure('InvalidInput', error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' '));
}

/** The command that was meant, as far as its words go. */
function commandOf(program: Command, argv: readonly string[]): string {
  let at = program;
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word);
    if (next) at = next;
  }
  return pathOfCommand(at);
}
