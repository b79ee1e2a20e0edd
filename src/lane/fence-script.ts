// The shell side of fences, as text for scripts that run as the lane's user on macOS and Debian (dash, bash 3.2).
// Race-free by order: whoever takes a fence makes it first and then ends what is registered under smaller ones;
// a command registers first and then looks whether its fence is still the largest. So one of the two always sees the other.

import type { LaneTarget } from '../domain/lane-target.ts';
import { toolPath } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';
import { giveRoomText } from './ballast-script.ts';
import { quoteArgv } from './quote.ts';

/** One attempt of a mutating activity: the section's start (ms since the epoch), its place in the section, its attempt. */
export interface Fence {
  readonly sectionStartMs: number;
  readonly order: number;
  readonly attempt: number;
  /** Streams that share a fence do not end each other, but each attempt of one ends those before it. */
  readonly turn?: Turn;
}

export interface Turn {
  /** Of the stream: letters, digits, dots and dashes. */
  readonly name: string;
  readonly attempt: number;
}

/** Reserved exit statuses of our own scripts; each counts only together with its marker on stderr. */
export const fenceLostStatus = 97;
export const fenceLostMarker = 'clawback: fence lost';
export const holdersRemainStatus = 98;
export const holdersRemainMarker = 'clawback: holders of smaller fences remain';
export const noRoomStatus = 99;
export const noRoomMarker = 'clawback: no room for a fence';

/** Digits are padded, so that names sort as the numbers do: 15 for milliseconds (until the year 33658). */
export function fenceName(fence: Fence): string {
  const padded = (value: number, digits: number) => String(value).padStart(digits, '0');
  return `fence.${padded(fence.sectionStartMs, 15)}.${padded(fence.order, 6)}.${padded(fence.attempt, 6)}`;
}

export function journalFolder(target: LaneTarget): string {
  return `${target.home}/.clawback/journal`;
}

/**
 * `proc_id PID` prints "PGID START" of a live process, nothing for a gone one or a zombie. START tells two processes of
 * one pid apart: ticks since boot from /proc where there is one (procps computes lstart anew each time), else ps's lstart
 * (not yet seen on a Mac).
 */
function procIdFunction(target: LaneTarget): string {
  return `ps=${quoteArgv([toolPath(target.host, 'ps')])}
proc_id() {
  if [ -r /proc/self/stat ]; then
    stat=
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null
    set -- \${stat##*) }
    [ $# -ge 20 ] && [ "$1" != Z ] && echo "$3 \${20}"
  else
    set -- $("$ps" -o stat= -o pgid= -o lstart= -p "$1" 2>/dev/null)
    case \${1:-Z} in Z*) ;; *) echo "$2 $3_$4_$5_$6_$7" ;; esac
  fi
  :
}
`;
}

interface Place {
  readonly folder: string;
  readonly name: string;
}

function fencePlace(target: LaneTarget, fence: Fence): Place {
  return { folder: journalFolder(target), name: fenceName(fence) };
}

/** Turns lie inside their fence, as fences in the journal's folder, and go with it. */
function turnPlace(target: LaneTarget, fence: Fence, { name, attempt }: Turn): Place {
  const folder = `${journalFolder(target)}/${fenceName(fence)}/turn.${name}`;
  return { folder, name: `fence.${String(attempt).padStart(6, '0')}` };
}

function placeVariables({ folder, name }: Place): string {
  return `fences=${quoteArgv([folder])}
mine="$fences/${name}"
fence_lost() { echo '${fenceLostMarker}' >&2; exit ${fenceLostStatus}; }
largest() { for each in "$fences"/fence.*; do last=$each; done; [ "$last" = "$mine" ]; }
smaller() { [ "$1" \\< "$mine" ]; }
`;
}

/**
 * Registers the process `pid` (a shell word) under the fence and goes on only if the fence is still the largest.
 * A symlink to "PGID START LEADERSTART", named by the pid: it takes no room on a volume that is full, where a command
 * that makes room must register too.
 */
export function registerText(target: LaneTarget, fence: Fence, pid = '$$'): string {
  const places = [fencePlace(target, fence), ...(fence.turn ? [turnPlace(target, fence, fence.turn)] : [])];
  return places.map((place) => registerIn(target, place, pid)).join('');
}

function registerIn(target: LaneTarget, place: Place, pid: string): string {
  return `${procIdFunction(target)}${placeVariables(place)}
fence_id=$(proc_id "${pid}")
fence_leader=$fence_id
[ "\${fence_id%% *}" = "${pid}" ] || fence_leader=$(proc_id "\${fence_id%% *}")
ln -sfn "$fence_id \${fence_leader#* }" "$mine/${pid}" 2>/dev/null || { [ -d "$mine" ] && exit 1; fence_lost; }
largest || fence_lost
`;
}

/**
 * `living` prints something while anything of all records under smaller fences lives, or of their process groups: one look
 * at the process table for all of them. A ps that shows nothing counts as living.
 */
const livingFunction = `living() {
  any=
  for each in "$fences"/fence.*; do
    smaller "$each" || break
    for record in "$each"/*; do [ -L "$record" ] && any=1; done
  done
  [ -n "$any" ] || return 0
  {
    rows
    for each in "$fences"/fence.*; do
      smaller "$each" || break
      ls -l "$each"
    done
  } | awk '
    / -> / { split($0, part, " -> "); count = split(part[1], left); split(part[2], right); ids[left[count]]; groups[right[1]]; next }
    $1 ~ /^[0-9]+$/ && NF >= 4 { seen = 1; if ($4 !~ /^Z/) { live[$1]; group[$3] } }
    END { if (!seen) print "?"; for (id in ids) if (id in live) print id; for (id in groups) if (id in group) print id }'
}
`;

/**
 * Takes the fence (or, of one with a turn, that turn): makes it, gives way to a larger one, then ends all that smaller ones registered.
 * A registration is alive as long as its process is, or any other of its process group (a shell dies of TERM before the
 * tar that it started). In an SSH server that gives its commands no group of their own (ours would die with them), the
 * process and its descendants are ended instead.
 * Records of what has ended long ago are the rule (a restore leaves some twenty), so they are first looked at together:
 * whoever registered before this fence was made, and lives, is in a process table that is read after it.
 * A larger fence that comes meanwhile takes this one away: what is smaller is told by its name, never by its place before
 * this one, or all that the larger one runs would be ended.
 * A step that found the volume full may have the ballast for its next attempt: it goes before the fence is made.
 */
export function takeText(target: LaneTarget, fence: Fence): string {
  const rounds = (ms: number) => Math.ceil(ms / 200);
  const place = fence.turn ? turnPlace(target, fence, fence.turn) : fencePlace(target, fence);
  return `${procIdFunction(target)}${placeVariables(place)}
${giveRoomText(target)}no_room() {
  [ "$(free_kib ${quoteArgv([target.home])})" -lt 64 ] 2>/dev/null || exit 1
  echo '${noRoomMarker}' >&2; exit ${noRoomStatus}
}
mkdir -p "$fences" && chmod 700 "$fences" || no_room
mkdir "$mine" 2>/dev/null || [ -d "$mine" ] || no_room
largest || { rmdir "$mine" 2>/dev/null; fence_lost; }
own=$(proc_id $$); own=\${own%% *}
rows() { "$ps" -A -o pid= -o ppid= -o pgid= -o stat=; }
of_group() { rows | awk -v g="$1" '$3 == g && $4 !~ /^Z/ { print $1 }'; }
of_tree() { rows | awk -v r="$1" '$4 !~ /^Z/ { up[$1] = $2 } END { for (p in up) { for (q = p; q > 1 && (q in up); q = up[q]) if (q == r) { print p; break } } }'; }
holders() {
  pid=\${1##*/}
  set -- "$1" $(readlink "$1")
  [ $# -ge 3 ] || return 0
  pgid=$2 start=$3 leader=\${4-}
  alive=$(proc_id "$pid")
  if [ "$pgid" = "$own" ]; then
    [ "$alive" = "$pgid $start" ] && of_tree "$pid"
    return 0
  fi
  now=$(proc_id "$pgid")
  [ "$alive" = "$pgid $start" ] || [ -z "$now" ] || [ "\${now#* }" = "$leader" ] || return 0
  of_group "$pgid"
}
${livingFunction}round=0
while :; do
  left=
  [ -n "$(living)" ] || break
  for each in "$fences"/fence.*; do
    smaller "$each" || break
    for record in "$each"/*; do
      [ -L "$record" ] || continue
      left="$left $(holders "$record")"
    done
  done
  set -- $left
  [ $# -eq 0 ] && break
  [ $round -ge ${rounds(limits.fenceTermMs + limits.fenceKillMs)} ] && { echo '${holdersRemainMarker}' >&2; exit ${holdersRemainStatus}; }
  if [ $round -eq 0 ]; then kill -s TERM "$@" 2>/dev/null
  elif [ $round -ge ${rounds(limits.fenceTermMs)} ]; then kill -s KILL "$@" 2>/dev/null
  fi
  round=$((round + 1))
  sleep 0.2
done
for each in "$fences"/fence.*; do
  smaller "$each" || break
  rm -rf "$each"
done
largest || fence_lost
`;
}
