// The sudo rules that a Clawback host gets, as text. On the bed they are installed as they stand here, so that what
// the documentation quotes is what the tests run with.

/** A plist in /Library/LaunchDaemons, new, in place or kept: one plain name, no other folder. */
const plist = '/Library/LaunchDaemons/[A-Za-z0-9_-][A-Za-z0-9._-]*[.]plist([.]new|[.]bak[.][0-9]+)?';

/**
 * Root may be asked for these and nothing else (design, "What a restore promises"). Arguments between ^ and $ are
 * regular expressions, which sudo has from 1.9.10 on (macOS 14): its wildcards would match blanks and slashes too.
 */
export const rootCommands: readonly string[] = [
  '/bin/launchctl',
  '/usr/bin/tee -a /var/log/openclaw-backup.log',
  '/usr/bin/grep ^-F -- bundle=[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8} /var/log/openclaw-backup[.]log$',
  `/usr/bin/install ^-o 0 -g 0 -m 0644 /[A-Za-z0-9._/+-]+/clawback-plist[.][A-Za-z0-9]+/plist ${plist}$`,
  `/bin/mv ^-f ${plist} ${plist}$`,
  `/bin/rm ^-f ${plist}$`,
];

/**
 * One more line for a standby: accounts of lanes may be made there, none of them an administrator.
 * @param user the account that Clawback logs in as
 */
export function standbyRule(user: string): string {
  const name = '[A-Za-z_][A-Za-z0-9_.-]*';
  const words = `^-addUser ${name} -fullName ${name} -home /Users/${name} -shell /bin/zsh$`;
  return `${user} ALL=(root) NOPASSWD: /usr/sbin/sysadminctl ${words}\n`;
}

/**
 * The file for /private/etc/sudoers.d (0440, no dot in its name).
 * @param user the account that Clawback logs in as
 * @param lanes the accounts of the lanes
 */
export function sudoersFor(user: string, lanes: readonly string[]): string {
  return [
    '# Clawback: act as the lanes, and as root only for launchd, its plists and the backup log.',
    `Defaults:${user} !requiretty`,
    `${user} ALL=(${lanes.join(',')}) NOPASSWD: ALL`,
    `${user} ALL=(root) NOPASSWD: ${rootCommands.join(', \\\n    ')}`,
    '',
  ].join('\n');
}
