// Where BSD's and GNU's tools differ, found out once a connection by trying, not by the system's name: a Mac may have
// Homebrew's tools, the bed has bsdtar on Linux.

import { Failure } from '../domain/failure.ts';
import type { HostConnection } from './host-connection.ts';
import type { LaneShell } from './lane-shell.ts';

export interface Dialect {
  readonly stat: 'gnu' | 'bsd';
  readonly tar: 'bsdtar' | 'gnu';
  readonly tarVersion: string;
  /** Does this bsdtar know `--no-mac-metadata`? (Debian's 3.6.2 does.) */
  readonly macFlags: boolean;
}

const probe = `"$1" -c %s / >/dev/null 2>&1 && echo gnu || { "$1" -f %z / >/dev/null 2>&1 && echo bsd || echo none; }
"$2" --no-mac-metadata -cf /dev/null -T /dev/null >/dev/null 2>&1 && echo mac || echo plain
"$2" --version 2>/dev/null | head -n 1
`;

const known = new WeakMap<HostConnection, Map<string, Promise<Dialect>>>();

/**
 * The host's dialect; asked for once a connection and set of tools.
 * @throws ToolMissing for stat or tar, and what {@link LaneShell.run} throws
 */
export async function dialectOf(shell: LaneShell): Promise<Dialect> {
  const ofConnection = known.get(shell.connection) ?? new Map<string, Promise<Dialect>>();
  known.set(shell.connection, ofConnection);
  const key = `${shell.tool('stat')}\n${shell.tool('tar')}`;
  const asked = ofConnection.get(key) ?? askDialect(shell);
  ofConnection.set(key, asked);
  asked.catch(() => ofConnection.delete(key));
  return asked;
}

async function askDialect(shell: LaneShell): Promise<Dialect> {
  const { stdout } = await shell.script(probe, [shell.tool('stat'), shell.tool('tar')], { tool: 'stat and tar' });
  const [stat = '', flags = '', tarVersion = ''] = stdout.toString().split('\n');
  const missing = (tool: string) =>
    new Failure('ToolMissing', `host ${shell.target.host.name} has no ${tool} that answers`, {
      host: shell.target.host.name,
      tool,
    });
  if (stat !== 'gnu' && stat !== 'bsd') throw missing('stat');
  if (tarVersion.startsWith('bsdtar ')) return { stat, tar: 'bsdtar', tarVersion, macFlags: flags === 'mac' };
  if (/GNU tar/.test(tarVersion)) return { stat, tar: 'gnu', tarVersion, macFlags: false };
  throw missing('bsdtar or GNU tar');
}
