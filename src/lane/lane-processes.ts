// Processes of a lane, by the command lines of its user's processes.

import type { LaneShell } from './lane-shell.ts';

/** Our shells begin so (command-line.ts), and what they run works below `~/.clawback`. */
const ownCommand = /-c umask 077|\/\.clawback\//;

/**
 * OpenClaw processes of the lane's user, by their command lines. The pattern does not match itself, and commands of our
 * own are left out: procps's pgrep shows them, BSD's does not (macos-notes, 7).
 */
export async function laneProcesses(shell: LaneShell): Promise<readonly { pid: number; command: string }[]> {
  const text = `pids=$("$1" -u "$3" -f '[o]penclaw') || { [ $? -eq 1 ] && exit 0; exit 2; }
for pid in $pids; do
  [ "$pid" = $$ ] && continue
  command=$("$2" -ww -o args= -p "$pid" | head -n 1) && [ -n "$command" ] && printf '%s %s\\n' "$pid" "$command"
done
exit 0`;
  const { stdout } = await shell.script(text, [shell.tool('pgrep'), shell.tool('ps'), shell.target.user], {
    tool: 'pgrep',
  });
  return stdout
    .toString()
    .split('\n')
    .map((line) => /^(\d+) (.*)$/.exec(line))
    .filter((row) => row !== null)
    .map((row) => ({ pid: Number(row[1]), command: row[2] ?? '' }))
    .filter(({ command }) => !ownCommand.test(command));
}
