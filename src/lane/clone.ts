// Clones of whole trees by the file system (APFS `cp -c`, Linux `cp --reflink=always`): files of one moment at the cost
// of their names, never a copy of their content. Whether it can is found out by trying. BSD's cp copies where it cannot
// clone (cp(1)), so a Mac's volume must also be APFS, and all of it one volume: that side is not yet seen on a Mac.

import type { FenceOption } from './lane-files.ts';
import { clawbackFile } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';
import { dialectOf } from './dialect.ts';
import { quoteArgv } from './quote.ts';
import { reportText } from './report.ts';

const cannotStatus = 3;

/** Both keep modes and times; GNU's keeps hard links too, BSD's makes a clone of each. */
async function cloneWords(shell: LaneShell): Promise<string> {
  const { stat } = await dialectOf(shell);
  const words = stat === 'gnu' ? ['-a', '--reflink=always', '--'] : ['-cpR', '--'];
  return quoteArgv([shell.tool('cp'), ...words]);
}

function probeScript(shell: LaneShell, words: string, isBsd: boolean): string {
  const df = quoteArgv([shell.tool('df')]);
  return `folder=$1
shift
mkdir -p "$folder" || exit 1
volume() { ${df} -Pk "$1" | awk 'END { print $1 }'; }
mine=$(volume "$folder")
for tree do
  [ -e "$tree" ] || continue
  [ "$(volume "$tree")" = "$mine" ] || exit ${cannotStatus}
done
${isBsd ? `mount | grep -F "$mine on " | grep -q '(apfs[,)]' || exit ${cannotStatus}` : ''}
trap 'rm -f "$folder/probe" "$folder/probe.clone"' EXIT
echo probe >"$folder/probe" || exit 1
${words} "$folder/probe" "$folder/probe.clone" 2>/dev/null || exit ${cannotStatus}
`;
}

export interface CloneRequest extends FenceOption {
  /** Names directly below the home; absent ones are passed over. */
  readonly trees: readonly string[];
  /** Where the clones go, below `~/.clawback`; made. */
  readonly to: string;
}

/** Can these trees be cloned? Leaves nothing but the folder. */
export async function canClone(shell: LaneShell, { trees, to, ...options }: CloneRequest): Promise<boolean> {
  const { stat } = await dialectOf(shell);
  const script = probeScript(shell, await cloneWords(shell), stat === 'bsd');
  const args = [clawbackFile(shell, to), ...trees.map((tree) => `${shell.target.home}/${tree}`)];
  const { exitStatus } = await shell.script(script, args, { ...options, tool: 'cp', okStatuses: [0, cannotStatus] });
  return exitStatus === 0;
}

/** cp is watched from beside it: macOS has no `timeout`. A child that has ended and is not yet waited for is a `Z`. */
function cloneScript(shell: LaneShell, words: string): string {
  return `${reportText(shell)}to=$1
left=$(($2 * 10))
cd "$3" || exit 1
shift 3
mkdir -p "$to" || exit 1
for tree do
  shift
  [ -e "$tree" ] && set -- "$@" "$tree"
done
[ $# -gt 0 ] || exit 0
${words} "$@" "$to" 2>"$complaints" &
copy=$!
runs() { case "$(${quoteArgv([shell.tool('ps')])} -o stat= -p $copy 2>/dev/null)" in ''|Z*) return 1 ;; esac; }
while runs; do
  [ $left -gt 0 ] || { kill -s KILL $copy; break; }
  left=$((left - 1))
  sleep 0.1
done
wait $copy && exit 0
report clone <"$complaints"
exit ${cannotStatus}
`;
}

/**
 * Clones whole trees, in at most so many milliseconds.
 * @returns whether all of it was cloned; when not, what there is of it is the caller's to remove
 */
export async function cloneTrees(
  shell: LaneShell,
  { trees, to, withinMs, ...options }: CloneRequest & { readonly withinMs: number },
): Promise<boolean> {
  const seconds = Math.floor(withinMs / 1000);
  if (seconds < 1) return false;
  const script = cloneScript(shell, await cloneWords(shell));
  const { exitStatus } = await shell.script(
    script,
    [clawbackFile(shell, to), `${seconds}`, shell.target.home, ...trees],
    {
      ...options,
      tool: 'cp',
      timeoutMs: withinMs + graceMs,
      okStatuses: [0, cannotStatus],
    },
  );
  return exitStatus === 0;
}
/** For the script's own end after its time. */
const graceMs = 15_000;
