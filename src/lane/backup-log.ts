// The node's own record of backups, for governance reviews (procedure, "Backup tiers"): one line appended by root.

import { Failure } from '../domain/failure.ts';
import type { LaneShell } from './lane-shell.ts';

const logFile = '/var/log/openclaw-backup.log';
/** A line is written by one write(2), so that lines of parallel lanes do not mix (PIPE_BUF is at least 512). */
const lineBytes = 512;

/**
 * Appends a line to /var/log/openclaw-backup.log. Repeated, it is appended again.
 * @throws InvalidInput for a line that is long or has a newline; SudoRefused
 */
export async function appendBackupLog(shell: LaneShell, line: string): Promise<void> {
  if (/[\n\0]/.test(line) || Buffer.byteLength(line) >= lineBytes)
    throw new Failure('InvalidInput', `a line of the backup log has a newline or ${lineBytes} bytes or more`);
  await shell.run(['/usr/bin/tee', '-a', shell.path(logFile)], { as: 'root', stdin: `${line}\n`, tool: 'tee' });
}

/** What `grep` says when nothing fits, and when there is no log. */
const nothingFound = [1, 2];

/**
 * The log's lines that name a bundle. None when there is no log.
 * @param bundle its id: the sudo rule takes nothing else
 * @throws SudoRefused, and what the connection throws
 */
export async function readBackupLog(shell: LaneShell, bundle: string): Promise<readonly string[]> {
  const argv = ['/usr/bin/grep', '-F', '--', `bundle=${bundle}`, shell.path(logFile)];
  const { stdout } = await shell.run(argv, { as: 'root', tool: 'grep', okStatuses: [0, ...nothingFound] });
  return stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}
