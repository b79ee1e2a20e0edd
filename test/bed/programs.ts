// Which real programs this machine has, for the bed to stand on.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Programs {
  readonly node: string;
  readonly sshd: string | undefined;
  readonly bsdtar: string | undefined;
  readonly tar: string | undefined;
  readonly curl: string | undefined;
  readonly ps: string | undefined;
  readonly sqlite3: string | undefined;
  readonly sudo: string | undefined;
  readonly unshare: string | undefined;
}

const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** The program's absolute path, on PATH or in the usual folders; undefined when the machine has none. */
export function findProgram(name: string): string | undefined {
  const searched = [...folders, ...(process.env['PATH'] ?? '').split(':')];
  return searched
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/** Looks on this machine. macOS's own tar is a bsdtar. */
export function findPrograms(): Programs {
  const tar = findProgram('tar');
  return {
    node: process.execPath,
    sshd: findProgram('sshd'),
    bsdtar: process.platform === 'darwin' ? tar : findProgram('bsdtar'),
    tar,
    curl: findProgram('curl'),
    ps: findProgram('ps'),
    sqlite3: findProgram('sqlite3'),
    sudo: findProgram('sudo'),
    unshare: findProgram('unshare'),
  };
}
