// What went wrong by name, kept on the lane itself: `~/.clawback/report`, private and bounded. Names of a lane's files
// never leave it (design, "Shape"); the CLI shows this file on request.

import { limits } from '../domain/limits.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';

/**
 * Shell functions for scripts that run as the lane's user: `$claw` is `~/.clawback`; `complaints` names a private file
 * for a command's stderr, removed at the end; `whole_lines` joins what a name with a newline has torn apart in it (not
 * every tool escapes names); `report HEADLINE` appends its stdin to the report.
 */
export function reportText(shell: LaneShell): string {
  return `claw=${quoteArgv([shell.clawbackPath('')])}
claw=\${claw%/}
mkdir -p "$claw/tmp" && chmod 700 "$claw" "$claw/tmp" || exit 1
find "$claw/tmp" -type f -mmin +1440 -exec rm -f {} + 2>/dev/null
complaints="$claw/tmp/stderr.$$"
: >"$complaints" || exit 1
trap 'rm -f "$complaints" "$complaints".*' EXIT
trap 'exit 143' HUP INT TERM PIPE
whole_lines() {
  awk 'NR > 1 && /^[^ :]*(tar|find|stat|xargs|sqlite3): / { print held; held = "" } { held = held (held == "" ? "" : "?") $0 } END { if (NR) print held }' "$complaints" >"$complaints.whole"
  mv -f "$complaints.whole" "$complaints"
}
report() {
  { printf '%s %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1"; head -n ${limits.reportLines}; } >>"$claw/report"
  if [ "$(wc -c <"$claw/report")" -gt ${limits.reportBytes} ]; then
    tail -c ${limits.reportBytes / 2} "$claw/report" >"$claw/report.$$" && mv -f "$claw/report.$$" "$claw/report"
  fi
}
`;
}

/** Appends lines to the lane's report. */
export async function appendReport(shell: LaneShell, ...lines: readonly string[]): Promise<void> {
  const stdin = lines.map((line) => `${line.replaceAll('\n', ' ')}\n`).join('');
  await shell.script(`${reportText(shell)}tr -d '\\000' | report 'note'`, [], { stdin, tool: 'report' });
}
