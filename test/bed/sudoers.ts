// The sudo rules that a Clawback host gets, as text. On the bed they are installed as they stand here, so that what
// the documentation quotes is what the tests run with.

/** Root may be asked for these and nothing else (design, "What a restore promises"). */
const plistFolder = '/Library/LaunchDaemons';

export const rootCommands: readonly string[] = [
  '/bin/launchctl',
  '/usr/bin/tee -a /var/log/openclaw-backup.log',
  ...['/usr/bin/install', '/bin/cp', '/bin/mv', '/bin/rm'].map((program) => `${program} * ${plistFolder}/*`),
];

/**
 * The file for /private/etc/sudoers.d (0440, no dot in its name).
 * @param user the account that Clawback logs in as
 * @param lanes the accounts of the lanes
 */
export function sudoersFor(user: string, lanes: readonly string[]): string {
  const escape = (command: string): string => command.replaceAll(',', '\\,').replaceAll(':', '\\:').replaceAll('=', '\\=');
  return [
    '# Clawback: act as the lanes, and as root only for launchd, its plists and the backup log.',
    `Defaults:${user} !requiretty`,
    `${user} ALL=(${lanes.join(',')}) NOPASSWD: ALL`,
    `${user} ALL=(root) NOPASSWD: ${rootCommands.map(escape).join(', \\\n    ')}`,
    '',
  ].join('\n');
}
