// Class 3, removed where a profile says that it lies, and nowhere else: in the lane's home, on its volume, as its user.
// No symbolic link is followed, no other volume entered, and nothing of what is removed is named. It writes nothing: on a
// full disk it must work.

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { PruneRule } from '../domain/profile.ts';
import type { FenceOption } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';

export interface Pruned {
  readonly kind: string;
  readonly trees: number;
  readonly sizeBytes: number;
}

/** A folder of packages is rebuilt from one of these; beside none of them it may be somebody's work, and stays. */
const lockfiles = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
] as const;

/**
 * `plain`: each part of the path below the home is a folder and no link, and lies on the home's volume. `empty`: what is
 * in a folder goes, the folder stays, for a program that runs may have it open. Sizes are what the files occupied.
 */
function pruneText(find: string, df: string, xargs: string): string {
  return `home=$1; shift
volume() { ${df} -Pk "$1" | awk 'END { print $1 }'; }
own=$(volume "$home")
plain() {
  rest=$1 at=$home
  while [ -n "$rest" ]; do
    at=$at/\${rest%%/*}
    { [ -L "$at" ] || [ ! -d "$at" ]; } && return 1
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
  done
  [ "$(volume "$at")" = "$own" ]
}
size() { du -skx "$1" 2>/dev/null | awk 'END { print $1 + 0 }'; }
empty() {
  ${find} "$1" -xdev -depth -mindepth 1 -delete 2>/dev/null && return 0
  ${find} "$1" -xdev -type d ! -perm -700 -exec chmod u+rwx {} + 2>/dev/null
  ${find} "$1" -xdev -depth -mindepth 1 -delete 2>/dev/null
}
content() {
  before=$(size "$1")
  [ -n "$(ls -A "$1" 2>/dev/null | head -n 1)" ] || return 0
  empty "$1"
  after=$(size "$1")
  echo "$2 1 $((before - after))"
}
if [ "$1" = one ]; then
  for tree in "$@"; do
    parent=\${tree%/*}
    for lock in ${lockfiles.join(' ')}; do
      [ -f "$parent/$lock" ] || continue
      before=$(size "$tree")
      empty "$tree"
      rmdir "$tree" 2>/dev/null
      [ -e "$tree" ] && before=$((before - $(size "$tree")))
      echo "node-modules 1 $before"
      break
    done
  done
  exit 0
fi
while [ $# -ge 3 ]; do
  kind=$1 how=$2 path=$3; shift 3
  plain "$path" || continue
  if [ "$how" = content ]; then content "$home/$path" "$kind"; continue; fi
  ${find} "$home/$path" -xdev -type d -name node_modules -prune -print0 2>/dev/null |
    ${xargs} -0 -n 64 "$clawback_sh" -c "$clawback_text" sh "$home" one
done
exit 0
`;
}

/**
 * Removes what the rules name. May be repeated. A file that cannot be removed stays, and is not counted.
 * @throws HostCommandFailed, HostCommandTimeout, FenceLost; HostOutputUnexpected
 */
export async function pruneTrees(
  shell: LaneShell,
  rules: readonly PruneRule[],
  options: FenceOption,
): Promise<Pruned[]> {
  const [find, df, xargs] = (['find', 'df', 'xargs'] as const).map((name) => quoteArgv([shell.tool(name)]));
  const text = pruneText(find as string, df as string, xargs as string);
  // the script calls itself for folders that are found, whose names never leave the host
  const whole = `clawback_sh=${quoteArgv([shell.tool('sh')])}\nclawback_text=${quoteArgv([text])}\nexport clawback_sh clawback_text\n${text}`;
  const args = rules.flatMap(({ kind, how, path }) => [kind, how, path]);
  const { stdout } = await shell.script(whole, [shell.target.home, ...args], {
    ...options,
    tool: 'prune',
    timeoutMs: limits.pruneMs,
  });
  return sum(stdout.toString(), rules);
}

function sum(text: string, rules: readonly PruneRule[]): Pruned[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const rows = lines.map((line) => /^([a-z-]{1,40}) (\d+) (-?\d+)$/.exec(line));
  if (rows.includes(null)) throw new Failure('HostOutputUnexpected', 'a prune answered what is no count');
  return [...new Set(rules.map(({ kind }) => kind))].map((kind) => {
    const own = rows.filter((row) => row?.[1] === kind);
    return {
      kind,
      trees: own.reduce((all, row) => all + Number(row?.[2]), 0),
      sizeBytes: own.reduce((all, row) => all + Math.max(0, Number(row?.[3])), 0) * 1024,
    };
  });
}
