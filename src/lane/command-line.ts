// The command line that SSH is given, for each account a command may run as. One shape for all: /bin/sh sets umask,
// folder and locale, then becomes sudo (never where it is not needed), which becomes the command.

import { Failure } from '../domain/failure.ts';
import { type LaneTarget, toolPath } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { type Fence, registerText } from './fence-script.ts';
import { quoteArgv } from './quote.ts';

export type RunAs = 'login' | 'lane' | 'root';

export interface CommandSpec {
  readonly as: RunAs;
  /** The command's words… */
  readonly argv?: readonly string[];
  /** …or a POSIX sh script and its arguments. */
  readonly script?: { readonly text: string; readonly args: readonly string[] };
  readonly fence?: Fence | undefined;
}

export const toolMissingStatus = 96;
export const toolMissingMarker = 'clawback: no such program';

/** macOS gives `/usr/bin:/bin:/usr/sbin:/sbin` over SSH (macos-notes, 4); a host's own PATH goes before. */
const enter = `umask 077
cd /
LC_ALL=C
PATH="\${PATH:+$PATH:}/usr/bin:/bin:/usr/sbin:/sbin"
export LC_ALL PATH
`;

const runWords = `command -v "$1" >/dev/null 2>&1 || { echo '${toolMissingMarker}' >&2; exit ${toolMissingStatus}; }
exec "$@"
`;

export function usesSudo(target: LaneTarget, as: RunAs): boolean {
  if (as === 'lane') return target.host.user !== target.user;
  return as === 'root' && target.host.user !== 'root';
}

function sudoWords(target: LaneTarget, as: RunAs): string[] {
  if (!usesSudo(target, as)) return [];
  const sudo = [toolPath(target.host, 'sudo'), '-n'];
  return as === 'lane' ? [...sudo, '-H', '-u', target.user, '--'] : [...sudo, '--'];
}

function shellWords(target: LaneTarget, spec: CommandSpec, prelude: string): string[] {
  const text = spec.script === undefined ? runWords : spec.script.text;
  const args = spec.script === undefined ? (spec.argv ?? []) : spec.script.args;
  return [toolPath(target.host, 'sh'), '-c', `${enter}${prelude}${text}`, 'sh', ...args];
}

/** As the lane everything runs inside one more shell, which registers itself under the fence before it does anything. */
function laneLine(target: LaneTarget, spec: CommandSpec): string {
  const inner = shellWords(target, spec, spec.fence === undefined ? '' : registerText(target, spec.fence));
  const sudo = sudoWords(target, 'lane');
  if (sudo.length === 0) return quoteArgv(inner);
  return quoteArgv([toolPath(target.host, 'sh'), '-c', `${enter}exec "$@"`, 'sh', ...sudo, ...inner]);
}

/** As root or the login account: the lane's user looks at the fence (and registers this shell, to be waited for), then it runs. */
function hostLine(target: LaneTarget, spec: CommandSpec): string {
  const check = (fence: Fence) =>
    `${quoteArgv([...sudoWords(target, 'lane'), toolPath(target.host, 'sh'), '-c', `${enter}${registerText(target, fence, '$1')}`, 'sh'])} "$$" </dev/null || exit $?\n`;
  const prelude = spec.fence === undefined ? '' : check(spec.fence);
  const words = spec.script === undefined ? (spec.argv ?? []) : shellWords(target, spec, '');
  return quoteArgv([
    toolPath(target.host, 'sh'),
    '-c',
    `${enter}${prelude}${runWords}`,
    'sh',
    ...sudoWords(target, spec.as),
    ...words,
  ]);
}

/** @throws InvalidInput when it would be longer than a login shell can be given */
export function commandLine(target: LaneTarget, spec: CommandSpec): string {
  const line = spec.as === 'lane' ? laneLine(target, spec) : hostLine(target, spec);
  const sizeBytes = Buffer.byteLength(line);
  if (sizeBytes > limits.commandLineBytes) {
    throw new Failure(
      'InvalidInput',
      `a command line of ${sizeBytes} bytes is longer than the ${limits.commandLineBytes} that a host takes`,
      { lane: target.lane },
    );
  }
  return line;
}
