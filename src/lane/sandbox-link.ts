// The public name of a sandbox restore: `/tmp/restore-test`, or with the lane's id where that is taken; a link to the
// private folder, made and removed by the lane's user. Anything else of that name is left alone.

import type { Fence } from './fence-script.ts';
import type { LaneShell } from './lane-shell.ts';

export interface SandboxLink {
  /** Absolute, on the host. */
  readonly folder: string;
  readonly fence?: Fence | undefined;
}

function placesOf(shell: LaneShell): string[] {
  return ['/tmp/restore-test', `/tmp/restore-test-${shell.target.lane}`].map((place) => shell.path(place));
}

/** A dangling link is what a dead run left; that of another account stays, for /tmp is sticky. */
const linkText = `folder=$1
shift
for place do
  [ -L "$place" ] && [ ! -e "$place" ] && rm -f "$place" 2>/dev/null
  { [ -e "$place" ] || [ -L "$place" ]; } && [ "$(readlink "$place")" != "$folder" ] && continue
  [ -L "$place" ] || ln -s "$folder" "$place" 2>/dev/null
  [ "$(readlink "$place")" = "$folder" ] && { echo "$place"; exit 0; }
done
exit 0
`;

/** May be repeated. @returns the link's path on the host; undefined when both names are taken */
export async function linkSandbox(shell: LaneShell, { folder, fence }: SandboxLink): Promise<string | undefined> {
  const { stdout } = await shell.script(linkText, [folder, ...placesOf(shell)], { fence, tool: 'ln' });
  return stdout.toString().trimEnd() || undefined;
}

/** Removes the links to this folder; no error when there is none. */
export async function unlinkSandbox(shell: LaneShell, { folder, fence }: SandboxLink): Promise<void> {
  const text = `folder=$1\nshift\nfor place do [ "$(readlink "$place" 2>/dev/null)" = "$folder" ] && rm -f "$place"; done\nexit 0`;
  await shell.script(text, [folder, ...placesOf(shell)], { fence, tool: 'rm' });
}
