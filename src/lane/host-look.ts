// One look at a host and all its lanes, in one command: launchd's word on each job, the gateway's probes, the volume of each
// home, the clock, and now and then how many files in a lane's trees belong to the user of another. Lanes are looked at
// beside each other, so that a silent gateway costs its time once. Changes nothing.

import { Failure } from '../domain/failure.ts';
import type { LaneTarget } from '../domain/lane-target.ts';
import type { Profile } from '../domain/profile.ts';
import { usedRatioOf } from '../domain/quantity.ts';
import { usesSudo } from './command-line.ts';
import { parseDf } from './disk.ts';
import { foreignText, foreignWords } from './foreign-files.ts';
import { parseDisabled } from './job-state.ts';
import type { LaneShell } from './lane-shell.ts';
import { heldFile } from './held.ts';

export interface LaneLook {
  readonly lane: string;
  readonly disabled: boolean;
  /** Stopped by a playbook until its restore. */
  readonly held: boolean;
  readonly runs: number | null;
  readonly pid: number | null;
  readonly healthy: boolean;
  readonly diskUsed: number | null;
  /** By whose they are; null: not looked, or not to the end with nothing found. */
  readonly foreign: readonly { readonly lane: string; readonly count: number }[] | null;
}

export interface HostLook {
  readonly clockOffsetMs: number;
  readonly lanes: readonly LaneLook[];
}

export interface WatchedLane {
  readonly target: LaneTarget;
  readonly profile: Profile;
}

export interface HostLookOptions {
  readonly countForeign: boolean;
  readonly signal?: AbortSignal | undefined;
}

const second = 1000;
/** A probe on loopback that takes longer is not answered. */
const probeSeconds = 5;
/** How long files are counted: 200,000 names of a warm cache; what is not seen by then is seen by no look. */
const countSeconds = 10;
/** Both probes, the files, and some for a busy machine. */
const lookMs = (2 * probeSeconds + countSeconds + 5) * second;

/** `$1`…: launchctl, df, curl, find, sudo, sh, seconds to count (0: not); then nine words a lane. Lines: key, lane's number, value. */
const lookText = `launchctl=$1; df=$2; curl=$3; find=$4; sudo=$5; sh=$6; seconds=$7; shift 7
as_user() { user=$1; shift; if [ -n "$user" ]; then "$sudo" -n -H -u "$user" -- "$@"; else "$@"; fi; }
probe() {
  [ -z "$2" ] && { echo 200; return; }
  printf 'url = "http://127.0.0.1:%s%s"\\nmax-time = ${probeSeconds}\\nnoproxy = "*"\\noutput = "/dev/null"\\nwrite-out = "%%{http_code}"\\nsilent\\n' "$1" "$2" | "$curl" -q -K - 2>/dev/null || echo 0
}
job() {
  case $4 in system) asked= ;; *) asked=$1 ;; esac
  as_user "$asked" "$launchctl" print "$4/$3" 2>/dev/null | awk -F ' = ' '/^\\truns = /{r=$2+0} /^\\tpid = /{p=$2+0} END{print r "/" p}'
}
look() {
  echo "job $1 $(job "$2" "$3" "$4" "$5")"
  echo "disabled $1 $("$launchctl" print-disabled "$5" 2>/dev/null | grep -F "\\"$4\\" =>")"
  live=$(probe "$6" "$7"); ready=0
  [ "$live" = 200 ] && ready=$(probe "$6" "$8")
  echo "probes $1 $live $ready"
  echo "df $1 $("$df" -Pk "$3" 2>/dev/null | tail -n 1)"
  as_user "$2" "$sh" -c '[ -e "$1/.clawback/${heldFile}" ] && echo "held $2"' sh "$3" "$1"
  [ "$seconds" -gt 0 ] && as_user "$2" "$sh" -c "$count" sh "$find" "$seconds" "$1" "$3" "$9" "\${10}" ''
  echo "done $1"
}
`;

const eachText = `number=0
while [ $# -gt 0 ]; do
  look "$number" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" &
  number=$((number + 1)); shift 9
done
wait
`;

/**
 * @param lanes of one host, at least one
 * @throws what {@link LaneShell.run} throws; HostCommandTimeout; HostOutputUnexpected
 */
export async function lookAtHost(
  shell: LaneShell,
  lanes: readonly WatchedLane[],
  { countForeign, signal }: HostLookOptions,
): Promise<HostLook> {
  const sentAtMs = Date.now();
  const tools = (['launchctl', 'df', 'curl', 'find', 'sudo', 'sh'] as const).map((tool) => shell.tool(tool));
  const text = `${lookText}count=$(cat <<'COUNT'\n${foreignText}COUNT\n)\ndate +%s\n${eachText}`;
  const words = lanes.flatMap((lane) => wordsOf(lane, lanes));
  const { stdout } = await shell.script(text, [...tools, countForeign ? String(countSeconds) : '0', ...words], {
    as: 'login',
    tool: 'look',
    timeoutMs: lookMs,
    signal,
  });
  const [clock = '', ...lines] = stdout.toString().split('\n');
  const clockOffsetMs = Number(clock) * second + second / 2 - (sentAtMs + Date.now()) / 2;
  if (!Number.isSafeInteger(Math.round(clockOffsetMs))) throw unexpected(shell);
  return {
    clockOffsetMs: Math.round(clockOffsetMs),
    lanes: lanes.map(({ target }, number) => {
      const look = readLane(lanes, target, valuesOf(lines, number), countForeign);
      if (look === undefined) throw unexpected(shell);
      return look;
    }),
  };
}

function unexpected(shell: LaneShell): Failure {
  const { name } = shell.target.host;
  return new Failure('HostOutputUnexpected', `host ${name} does not tell how its lanes are`, { host: name });
}

function wordsOf({ target, profile }: WatchedLane, lanes: readonly WatchedLane[]): string[] {
  const { user, home, label, domain, port } = target;
  const others = lanes.map((other) => other.target.user).filter((name) => name !== user);
  const { live, ready = '' } = profile.health;
  return [
    usesSudo(target, 'lane') ? user : '',
    home,
    label,
    domain,
    String(port),
    live,
    ready,
    ...foreignWords(profile, others),
  ];
}

/** Values by key, of one lane; a key may stand several times. */
function valuesOf(lines: readonly string[], number: number): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const line of lines) {
    const [, key = '', value = ''] = new RegExp(`^([a-z]+) ${number}(?: (.*))?$`).exec(line) ?? [];
    if (key !== '') values.set(key, [...(values.get(key) ?? []), value]);
  }
  return values;
}

function readLane(
  lanes: readonly WatchedLane[],
  { lane, label }: LaneTarget,
  values: ReadonlyMap<string, readonly string[]>,
  countForeign: boolean,
): LaneLook | undefined {
  if (!values.has('done')) return undefined;
  const first = (key: string): string => values.get(key)?.[0] ?? '';
  const [runs = '', pid = ''] = first('job').split('/');
  const room = parseDf(first('df'));
  const foreign = (values.get('foreign') ?? []).flatMap((row) => {
    const [user = '', count = ''] = row.split(' ');
    const owner = lanes.find(({ target }) => target.user === user);
    return owner === undefined ? [] : [{ lane: owner.target.lane, count: Number(count) }];
  });
  const isKnown = countForeign && (values.has('counted') || foreign.length > 0);
  return {
    lane,
    disabled: parseDisabled(first('disabled'), label),
    held: values.has('held') && parseDisabled(first('disabled'), label),
    runs: runs === '' ? null : Number(runs),
    pid: pid === '' ? null : Number(pid),
    healthy: first('probes') === '200 200',
    diskUsed: room === undefined ? null : usedRatioOf(room) * 100,
    foreign: isKnown ? foreign : null,
  };
}
