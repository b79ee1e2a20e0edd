// Files in a lane's trees that belong to the user of another lane of its host, or are called like that one: the marks of
// lanes that wrote into one another. They are counted, by the lane's own user; no name leaves the host.

import { Failure } from '../domain/failure.ts';
import type { Profile } from '../domain/profile.ts';
import type { LaneShell } from './lane-shell.ts';
import { reportText } from './report.ts';

export interface MixedCount {
  /** Of other lanes' users. */
  readonly owned: number;
  /** Called like one of them. */
  readonly named: number;
  /** The time was over before all had been seen. */
  readonly partly: boolean;
}

/**
 * For `sh -c`, as the lane's user: `$1` find, `$2` seconds, `$3` the lane's number, `$4` its home, `$5` its trees, `$6` users of
 * other lanes, `$7` not empty: names too. Prints `foreign NUMBER USER COUNT`, `named NUMBER COUNT`, and `counted NUMBER` when
 * all was seen. A user that the host does not have, or who is this one by another name, owns nothing of his own here.
 */
export const foreignText = `find=$1; seconds=$2; number=$3; cd "$4" || exit 0
own=$(id -u); trees=; owned=; named=; ids=
for tree in $5; do [ -d "$tree" ] && [ ! -L "$tree" ] && trees="$trees $tree"; done
set -f
for user in $6; do
  uid=$(id -u "$user" 2>/dev/null) && [ "$uid" != "$own" ] || continue
  owned="$owned\${owned:+ -o} -user $uid"; ids="$ids $uid $user"
  named="$named\${named:+ -o} -name $user -o -name $user[!0-9A-Za-z]*"
done
if [ -z "$trees" ] || [ -z "$owned" ]; then
  [ -z "$7" ] || echo "named $number 0"
  echo "counted $number"; exit 0
fi
began=$(date +%s)
limited() {
  "$@" 2>/dev/null & found=$!
  { sleep "$seconds"; kill "$found"; } >/dev/null 2>&1 & limit=$!
  wait "$found"; kill "$limit" 2>/dev/null
}
limited "$find" $trees -xdev \\( $owned \\) -exec ls -ldnq {} + | awk -v ids="$ids" -v number="$number" '
  BEGIN { words = split(ids, word, " "); for (at = 1; at < words; at += 2) user[word[at]] = word[at + 1] }
  $3 in user { count[user[$3]]++ }
  END { for (name in count) print "foreign", number, name, count[name] }'
[ -z "$7" ] || echo "named $number $(limited "$find" $trees -xdev \\( $named \\) -print0 | tr -dc '\\000' | wc -c | tr -d ' ')"
[ $(($(date +%s) - began)) -ge "$seconds" ] || echo "counted $number"
`;

/** The last two words of {@link foreignText}'s first six: trees and users. */
export function foreignWords(profile: Profile, others: readonly string[]): [trees: string, users: string] {
  return [profile.roots.join(' '), others.join(' ')];
}

export interface MixedOptions {
  /** Users of the other lanes of the host. */
  readonly others: readonly string[];
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * May be called again.
 * @throws what {@link LaneShell.script} throws
 */
export async function countMixedFiles(
  shell: LaneShell,
  profile: Profile,
  { others, seconds, signal }: MixedOptions,
): Promise<MixedCount> {
  const words = [
    shell.tool('find'),
    String(seconds),
    '0',
    shell.target.home,
    ...foreignWords(profile, others),
    'names',
  ];
  const { stdout } = await shell.script(foreignText, words, { tool: 'find', timeoutMs: 3000 * seconds, signal });
  const text = stdout.toString();
  const named = /^named 0 (\d+)$/m.exec(text)?.[1];
  if (named === undefined) {
    const { host, lane } = shell.target;
    throw new Failure('HostOutputUnexpected', `the trees of lane ${lane} on ${host.name} cannot be looked through`, {
      lane,
      host: host.name,
    });
  }
  const owned = [...text.matchAll(/^foreign 0 \S+ (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { owned, named: Number(named), partly: !/^counted 0$/m.test(text) };
}

/** Names what {@link countMixedFiles} counted in the lane's own report, which never leaves the host. */
export async function reportMixedFiles(
  shell: LaneShell,
  profile: Profile,
  { others, seconds, signal }: MixedOptions,
): Promise<void> {
  const users = others.flatMap((user) => [
    '-o',
    '-user',
    user,
    '-o',
    '-name',
    user,
    '-o',
    '-name',
    `${user}[!0-9A-Za-z]*`,
  ]);
  const text = `${reportText(shell)}cd "$1" && find=$2 && shift 2 && trees= || exit 1
while [ "$1" != - ]; do [ -d "$1" ] && trees="$trees $1"; shift; done
shift 2
[ -z "$trees" ] || "$find" $trees -xdev \\( "$@" \\) -print 2>/dev/null | report 'of another lane'
`;
  const words = [shell.target.home, shell.tool('find'), ...profile.roots, '-', ...users];
  await shell.script(text, words, { tool: 'report', timeoutMs: 3000 * seconds, signal });
}
