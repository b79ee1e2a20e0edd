// The small programs that a host finds where a Mac has its own: texts of sh scripts. Each answers
// `--clawback-stand-in` with its name and exit status 0, so that the demo can tell that nothing real will be touched.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { rootCommands } from './sudoers.ts';
import { type BedUser, type HostPlan, hostPath, pathOf } from './host-plan.ts';
import { portPath } from './stand-ins/reply.ts';

/** Writes an executable. */
export function installScript(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o755 });
  chmodSync(path, 0o755);
}

export function shQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function head(tool: string, shell = '/bin/sh'): string {
  return `#!${shell}\n[ "$1" = --clawback-stand-in ] && { echo 'clawback-bed ${tool}'; exit 0; }\n`;
}

/** A real program under a stand-in's name. */
export function passThrough(tool: string, program: string): string {
  return `${head(tool)}exec ${shQuote(program)} "$@"\n`;
}

/**
 * Makes an account that the bed has planned, as sysadminctl makes one: record, group and home. Any other it refuses; as on a
 * Mac it says so on stderr and exits 0.
 */
export function sysadminctl(planned: readonly BedUser[]): string {
  const cases = planned.map(
    ({ name, uid, gid, home }) => `  ${name})
    echo '${name}:x:${uid}:${gid}::${home}:/bin/sh' >>/etc/passwd
    echo '${name}:*:20000:0:99999:7:::' >>/etc/shadow
    echo '${name}:x:${gid}:' >>/etc/group
    mkdir -p ${shQuote(home)} && chown ${uid}:${gid} ${shQuote(home)} && chmod 750 ${shQuote(home)} ;;`,
  );
  return `${head('sysadminctl')}[ "$1" = -addUser ] || { echo 'usage: sysadminctl -addUser' >&2; exit 64; }
case "$2" in
${cases.join('\n')}
  *) echo "sysadminctl: the bed has not planned an account $2" >&2 ;;
esac
`;
}

/** A program of ours, run by Node. */
export function byNode(tool: string, plan: HostPlan, script: string): string {
  return `${head(tool)}exec ${shQuote(plan.hostNode)} --no-warnings ${shQuote(script)} "$@"\n`;
}

/**
 * The thin client of launchctl and security: sends its arguments (and stdin, for `security -i`) to the host's daemon
 * and does what comes back. One bash and nothing else, for a restore makes dozens of these calls: its builtins send and
 * receive, so that no value is ever on a command line.
 */
export function daemonClient(tool: 'launchctl' | 'security', plan: HostPlan): string {
  const uid = plan.kind === 'namespaces' ? '$EUID' : `\${BED_UID:-${plan.login.uid}}`;
  return `${head(tool, '/bin/bash')}LC_ALL=C input= answer=
case "$1 $2" in -i*|'-q -i'|'-v -i') IFS= read -r -d '' input ;; esac
{ read -r port <${shQuote(portPath(plan.socket))} && exec 3<>"/dev/tcp/127.0.0.1/$port" &&
  printf '%s\\0' ${tool} "${uid}" "$HOME" "$#" "$@" "$input" >&3 &&
  IFS= read -r -d '' -t 60 answer <&3; } 2>/dev/null
[ -n "$answer" ] || { echo '${tool}: the stand-in does not answer' >&2; exit 69; }
eval "$answer"
`;
}

/** The sudoers file's regular expressions, for this host's root; programs at any path. */
function plistCommands(plan: HostPlan): string[] {
  return rootCommands
    .filter((command) => command.includes('^'))
    .map((command) =>
      command
        .replace(/ \^(.*)\$$/, ' $1')
        .replace(/^\/(?:usr\/)?bin\//, '.*/')
        .replaceAll('/Library/LaunchDaemons', hostPath(plan, '/Library/LaunchDaemons'))
        .replaceAll('/var/log/', hostPath(plan, '/var/log/')),
    );
}

/** sudo for hosts whose users are not real: sets HOME, USER and who the stand-ins are told is calling. */
export function sudoStandIn(plan: HostPlan): string {
  const lanes = plan.lanes.map((lane) => `  ${lane.name}) uid=${lane.uid} home=${shQuote(lane.home)} ;;`).join('\n');
  const tools = plan.toolsDir ?? '/usr/bin';
  const log = hostPath(plan, '/var/log/openclaw-backup.log');
  return `${head('sudo')}user=root set_home= listing=
refuse() { echo 'sudo: a password is required' >&2; exit 1; }
while :; do
  case "$1" in
    -u) user=$2; shift 2 ;;
    -n|-S|-k|-E|-P) shift ;;
    -H|-nH|-Hn) set_home=1; shift ;;
    -l|-nl|-ln) listing=1; shift ;;
    -v|-nv) exit 0 ;;
    --) shift; break ;;
    -*) echo 'usage: sudo [-nHkSEPlv] [-u user] command' >&2; exit 1 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || [ -n "$listing" ] || { echo 'usage: sudo [-nHkSEPlv] [-u user] command' >&2; exit 1; }
case "$user" in
  root) uid=0 home=${shQuote(hostPath(plan, '/var/root'))} ;;
${lanes}
  *) echo "sudo: unknown user: $user" >&2; exit 1 ;;
esac
denied=${shQuote(`${plan.hostStateDir}/sudo-denied`)}
[ -s "$denied" ] && grep -qxF -e "$user" "$denied" && refuse
if [ "$user" = root ] && [ $# -gt 0 ]; then
  case "$*" in *..*) refuse ;; esac
  case "\${1##*/}" in
    launchctl) shift; set -- ${shQuote(`${tools}/launchctl`)} "$@" ;;
    tee) [ "$2 $3" = ${shQuote(`-a ${log}`)} ] && [ $# -eq 3 ] || refuse ;;
    grep|install|mv|rm) printf '%s' "$*" | grep -qxE ${shQuote(plistCommands(plan).join('|'))} || refuse ;;
    *) refuse ;;
  esac
fi
[ -z "$listing" ] || { [ $# -eq 0 ] || echo "$*"; exit 0; }
# nobody here can give a file away: install's owner and group are left out
if [ "$user" = root ] && [ "\${1##*/}" = install ]; then
  count=$#
  while [ $count -gt 0 ]; do
    case "$1" in
      -o|-g) shift 2; count=$((count - 2)) ;;
      *) set -- "$@" "$1"; shift; count=$((count - 1)) ;;
    esac
  done
fi
[ -z "$set_home" ] || { HOME=$home; export HOME; }
BED_UID=$uid BED_LANE=$user USER=$user LOGNAME=$user
export BED_UID BED_LANE USER LOGNAME
exec "$@"
`;
}

/**
 * pgrep in BSD's form for hosts that share the machine's process table and user: only processes that carry this
 * host's mark, and with -u/-U the lane's, are seen; its own ancestors are not.
 */
export function pgrepStandIn(plan: HostPlan): string {
  const ps = shQuote(`${plan.toolsDir}/ps`);
  const environment = process.platform === 'darwin' ? `${ps} -axEww -o pid=,command=` : `${ps} axeww -o pid=,args=`;
  const plain = process.platform === 'darwin' ? `${ps} -axww -o pid=,ppid=,command=` : `${ps} axww -o pid=,ppid=,args=`;
  return `${head('pgrep')}user= full= long= exact= parent=
while getopts u:U:P:lfaxinoq option; do
  case "$option" in
    u|U) user=$OPTARG ;;
    P) parent=$OPTARG ;;
    f) full=1 ;;
    l|a) long=1 ;;
    x) exact=1 ;;
    *) ;;
  esac
done
shift $((OPTIND - 1))
pattern=$1
case "$user" in ''|*[!0-9]*) ;; *) user=$BED_LANE ;; esac
export user full long exact parent pattern
{ ${environment}; echo '--'; ${plain}; } | LC_ALL=C awk -v self=$$ -v mark=${shQuote(plan.mark)} '
  $0 == "--" { second = 1; next }
  !second { if (index($0 " ", " BED_HOST=" mark " ") && (ENVIRON["user"] == "" || index($0 " ", " BED_LANE=" ENVIRON["user"] " "))) ours[$1] = 1; next }
  { pid = $1; parents[pid] = $2; line = $0; sub(/^ *[0-9]+ +[0-9]+ +/, "", line); lines[pid] = line; order[++count] = pid }
  END {
    for (up = self; up in parents && up > 1; up = parents[up]) skip[up] = 1
    for (at = 1; at <= count; at++) {
      pid = order[at]
      if (!(pid in ours) || (pid in skip) || parents[pid] == self) continue
      if (ENVIRON["parent"] != "" && parents[pid] != ENVIRON["parent"]) continue
      name = lines[pid]
      if (!ENVIRON["full"]) { split(name, words, " "); name = words[1]; sub(/.*\\//, "", name) }
      hit = ENVIRON["exact"] ? (name == ENVIRON["pattern"]) : (name ~ ENVIRON["pattern"])
      if (!hit) continue
      found = 1
      print ENVIRON["long"] ? pid " " lines[pid] : pid
    }
    exit !found
  }'
`;
}

/** The openclaw command: its version, from the lane or the host; the gateway; what asks it to hold still. */
export function openclaw(plan: HostPlan): string {
  const library = hostPath(plan, '/usr/local/lib/openclaw');
  const security = plan.toolsDir === undefined ? '/usr/bin/security' : `${plan.toolsDir}/security`;
  return `${head('openclaw')}if [ "$1" = --version ]; then
  for file in "$HOME/.openclaw/version" ${shQuote(`${library}/version`)}; do
    [ -r "$file" ] && { printf 'OpenClaw %s (bed)\\n' "$(cat "$file")"; exit 0; }
  done
  exit 1
fi
case "$1 $2" in
  'gateway suspend'|'gateway resume') exec ${shQuote(plan.hostNode)} --no-warnings ${shQuote(`${library}/command.mjs`)} "$@" ;;
esac
OPENCLAW_SECURITY=${shQuote(security)} exec ${shQuote(plan.hostNode)} --no-warnings ${shQuote(`${library}/gateway.mjs`)} "$@"
`;
}

/** What sshd runs instead of the command it was asked for: the same, with a Mac's environment. */
export function forceCommand(plan: HostPlan): string {
  return `#!/bin/sh
command=$SSH_ORIGINAL_COMMAND
[ -n "$command" ] || { echo 'this host runs commands only' >&2; exit 1; }
cd ${shQuote(plan.login.home)} || exit 1
exec /usr/bin/env -i ${Object.entries(sessionEnvironment(plan))
    .map(([name, value]) => shQuote(`${name}=${value}`))
    .join(' ')} /bin/sh -c "$command"
`;
}

/** The environment of a command over SSH. */
export function sessionEnvironment(plan: HostPlan): Record<string, string> {
  const { login } = plan;
  const temporary = plan.toolsDir === undefined ? {} : { TMPDIR: hostPath(plan, '/private/tmp') };
  const root = login.name === 'root' ? { BED_UID: '0' } : {};
  return {
    HOME: login.home,
    USER: login.name,
    LOGNAME: login.name,
    SHELL: '/bin/sh',
    PATH: pathOf(plan),
    BED_HOST: plan.mark,
    ...root,
    ...temporary,
  };
}
