// docs/failure-modes.md: the failure table and the exit statuses, as operators read them.

import { exitStatus, exitStatusOf, type ExitName, type FailureCode, failureTable } from '../../src/domain/failure.ts';
import { generatedNote, table } from './markdown.ts';

const exitMeanings: Readonly<Record<ExitName, string>> = {
  ok: 'done',
  bug: 'a defect of Clawback',
  input: 'a flag, an input or the fleet file is wrong; nothing was started',
  refused: 'refused before anything was changed, or there is nothing to do it with',
  failed: 'it failed; the message says how the lane is now',
  attention: 'the lane needs a person',
  unreachable: 'a host, the store or the Temporal service does not answer; it may be tried again',
  damaged: 'a bundle is not what was written',
  budget: 'it was done, over its budget',
  partial: 'of many lanes some came through and some did not',
  interrupted: 'cancelled, or ended by Ctrl-C',
};

export function renderFailureModes(): string {
  const codes = Object.keys(failureTable) as FailureCode[];
  return [
    generatedNote,
    '# Failure modes',
    'Every failure has a code. It is the type of the failure in Temporal, stands in `--json` output and in the log on the host, and decides whether a step is tried again and with which status the command line ends. Below a message stands its hint: what to do next.',
    '## Codes',
    '*Retried*: Temporal tries the step again by itself; the others need somebody first.',
    table(
      ['code', 'meaning', 'retried', 'exit', 'what to do'],
      codes.map((code) => [
        `\`${code}\``,
        failureTable[code].meaning,
        failureTable[code].retry ? 'yes' : 'no',
        String(exitStatusOf(code)),
        failureTable[code].hint,
      ]),
    ),
    '## Exit statuses',
    table(
      ['status', 'name', 'meaning', 'codes'],
      (Object.keys(exitStatus) as ExitName[]).map((name) => [
        String(exitStatus[name]),
        name,
        exitMeanings[name],
        codesWith(codes, name),
      ]),
    ),
    '',
  ].join('\n\n');
}

function codesWith(codes: readonly FailureCode[], name: ExitName): string {
  return (
    codes
      .filter((code) => failureTable[code].exit === name)
      .map((code) => `\`${code}\``)
      .join(', ') || '–'
  );
}
