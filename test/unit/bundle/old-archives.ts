// Archives of the old scripts, made by their own commands on a home of this machine.

import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

export const passphrase = Buffer.from('correct horse');

/** `/` of a Mac with one lane and a neighbour. */
export function makeMac(): string {
  const root = mkdtempSync(join(tmpdir(), 'clawback-mac-'));
  const write = (path: string, content: string): void => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
    utimesSync(join(root, path), 1_740_000_000.25, 1_740_000_000.25);
  };
  const home = 'Users/agent-lane-1';
  write(`${home}/.openclaw/config/routes.json`, '{"routes":[]}\n');
  write(`${home}/.openclaw/config/._routes.json`, 'attributes');
  write(`${home}/.openclaw/transcripts/a.jsonl`, 'x'.repeat(70_000));
  write(`${home}/.openclaw/transcripts/sessions.sqlite`, 'main');
  write(`${home}/.openclaw/transcripts/sessions.sqlite-wal`, 'log');
  write(`${home}/.openclaw/transcripts/sessions.sqlite-shm`, 'shared memory');
  write(`${home}/.openclaw/tmp/scratch`, 'scratch');
  write(`${home}/workspace/é/${'long-'.repeat(30)}end.ts`, 'code');
  write(`${home}/workspace/node_modules/p/index.js`, 'shared by a link');
  linkSync(join(root, home, 'workspace/node_modules/p/index.js'), join(root, home, 'workspace/zz-link.js'));
  linkSync(join(root, home, 'workspace/node_modules/p/index.js'), join(root, home, 'workspace/zz-link-2.js'));
  symlinkSync('../.openclaw/config', join(root, home, 'workspace/configuration'));
  execFileSync('truncate', ['-s', '4M', join(root, home, 'workspace/sparse')]);
  write('Library/LaunchDaemons/com.slimvps.openclaw-lane1.plist', '<plist/>');
  write('Library/LaunchDaemons/com.slimvps.openclaw-lane2.plist', '<plist/>');
  write('Users/agent-lane-2/.openclaw/config/routes.json', '{}');
  return root;
}

/** Packs as a script does. @returns the archive's path */
export function packed(root: string, name: string, paths: readonly string[], from = root): string {
  const path = join(root, name);
  execFileSync('bsdtar', ['-czf', path.replace(/[.](?:gpg|enc)$/, ''), '-C', from, ...paths]);
  if (name.endsWith('.gpg')) {
    const home = mkdtempSync(join(tmpdir(), 'cb-g-'));
    const argv = [
      '--batch',
      '--homedir',
      home,
      '--pinentry-mode',
      'loopback',
      '--passphrase-fd',
      '0',
      '--cipher-algo',
      'AES256',
      '--s2k-count',
      '65536',
    ];
    execFileSync('gpg', [...argv, '--symmetric', '--output', path, path.slice(0, -4)], {
      input: passphrase,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
    rmSync(home, { recursive: true, force: true });
  }
  if (name.endsWith('.enc'))
    execFileSync(
      'openssl',
      ['enc', '-aes-256-cbc', '-pbkdf2', '-pass', 'stdin', '-in', path.slice(0, -4), '-out', path],
      { input: `${passphrase.toString()}\n` },
    );
  return path;
}

export function opened(path: string): Readable {
  return createReadStream(path);
}
