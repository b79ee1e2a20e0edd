// Reads a launchd plist as launchd does: owned by root, writable by nobody else, XML, with a label and a program.

import { readFileSync, statSync } from 'node:fs';
import { parse } from 'plist';

export interface JobPlist {
  readonly path: string;
  readonly label: string;
  readonly userName: string | undefined;
  readonly argv: readonly string[];
  readonly runAtLoad: boolean;
  /** `failed`: KeepAlive with SuccessfulExit false. */
  readonly keepAlive: 'always' | 'failed' | 'never';
  readonly throttleMs: number;
  readonly exitTimeOutMs: number;
  readonly stdoutPath: string | undefined;
  readonly stderrPath: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | undefined;
  readonly umask: number | undefined;
  readonly disabled: boolean;
}

/** The plist, or why launchd refuses it. @param ownerUid who plays root: 0, or the bed's user */
export function readJobPlist(path: string, ownerUid: number): JobPlist | { readonly refused: string } {
  try {
    const found = statSync(path);
    if (found.uid !== ownerUid || (found.mode & 0o022) !== 0)
      return { refused: `${path}: Path had bad ownership/permissions` };
    return jobOf(path, parse(readFileSync(path, 'utf8')) as Record<string, unknown>);
  } catch (error) {
    return { refused: `${path}: ${(error as Error).message}` };
  }
}

function jobOf(path: string, plist: Record<string, unknown>): JobPlist | { readonly refused: string } {
  const argv = argvOf(plist);
  const label = text(plist['Label']);
  if (label === undefined || argv.length === 0) return { refused: `${path}: Invalid property list` };
  return {
    path,
    label,
    argv,
    userName: text(plist['UserName']),
    runAtLoad: plist['RunAtLoad'] === true,
    keepAlive: keepAliveOf(plist['KeepAlive']),
    throttleMs: seconds(plist['ThrottleInterval'], 10),
    exitTimeOutMs: seconds(plist['ExitTimeOut'], 20),
    stdoutPath: text(plist['StandardOutPath']),
    stderrPath: text(plist['StandardErrorPath']),
    environment: (plist['EnvironmentVariables'] as Record<string, string> | undefined) ?? {},
    workingDirectory: text(plist['WorkingDirectory']),
    umask: typeof plist['Umask'] === 'number' ? plist['Umask'] : undefined,
    disabled: plist['Disabled'] === true,
  };
}

function argvOf(plist: Record<string, unknown>): string[] {
  const args = Array.isArray(plist['ProgramArguments']) ? (plist['ProgramArguments'] as string[]) : [];
  const program = text(plist['Program']);
  if (program === undefined) return args;
  return [program, ...args.slice(1)];
}

function keepAliveOf(value: unknown): JobPlist['keepAlive'] {
  if (value === true) return 'always';
  if (typeof value !== 'object' || value === null) return 'never';
  return (value as Record<string, unknown>)['SuccessfulExit'] === false ? 'failed' : 'always';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function seconds(value: unknown, byDefault: number): number {
  return 1000 * (typeof value === 'number' && value >= 0 ? value : byDefault);
}
