// `report LANE`: what failed on a lane, by name. The one place where names of a lane's files are shown.

import { Command } from 'commander';
import type { Cli, Outcome } from '../cli.ts';
import { documented } from '../documented.ts';
import { printable } from '../format.ts';
import { readReport } from '../lane-probe.ts';
import { parseCount, parseLane } from '../parse.ts';

export function reportCommand(cli: Cli): Command {
  const command = new Command('report')
    .description('what failed on a lane, by name: the file ~/.clawback/report of the lane')
    .argument('<LANE>', 'the lane, as fleet.yaml names it', parseLane('LANE'))
    .option('--lines <N>', 'the newest so many lines', parseCount('--lines', 1_000_000), 200)
    .action(cli.action((lane: string, { lines }: { lines: number }) => report(cli, lane, lines)));
  return documented(command, {
    examples: ['./clawback report lane-1', './clawback report lane-1 --lines 1000'],
    json: ['`lane`; `lines`: the newest ones, oldest first; `older`: how many came before them'],
    notes: [
      'It logs in on the host with the SSH key of the fleet file. File names never leave the lane any other way.',
    ],
  });
}

async function report(cli: Cli, lane: string, most: number): Promise<Outcome> {
  const file = await cli.stakeLane(lane);
  const text = await readReport(file, lane, cli.around.interrupts.signal);
  const all =
    text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => printable(line));
  const lines = all.slice(-most);
  return { json: { lane, lines, older: all.length - lines.length }, text: reportLines(lane, lines, all.length) };
}

function reportLines(lane: string, lines: readonly string[], all: number): string {
  if (all === 0) return `lane ${lane} has no report: nothing has failed by name`;
  const older = all > lines.length ? [`(${all - lines.length} older lines: --lines ${all})`] : [];
  return [...older, ...lines].join('\n');
}
