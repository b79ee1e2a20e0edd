// Room that is kept on a lane's volume while its gateway is down. A volume that fills meanwhile (another lane writes on
// it) would keep every step from taking its fence, the way back too, and with it the gateway down until somebody comes.
// Whoever takes a fence gets the room back when there is no other (fence-script.ts).

import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import { ballastName } from './ballast-script.ts';
import { clawbackFile, type FenceOption, syncText } from './lane-files.ts';
import type { LaneShell } from './lane-shell.ts';

const noRoomStatus = 3;
const blockBytes = 64 * 1024;

/** Written in full, for a file with a hole keeps nothing; and synced, for some file systems only promise until then. */
const keepText = `${syncText}mkdir -p "$1" || exit ${noRoomStatus}
file="$1/${ballastName}"
dd if=/dev/zero of="$file" bs=${blockBytes} count=${limits.ballastBytes / blockBytes} 2>/dev/null && sync_file "$file" && exit 0
rm -f "$file"
exit ${noRoomStatus}
`;

/**
 * Writes the ballast into a folder below `~/.clawback`, which is made. May be repeated.
 * @throws DiskTooFull where there is no room to keep; FenceLost
 */
export async function keepRoom(shell: LaneShell, folder: string, options: FenceOption): Promise<void> {
  const { exitStatus } = await shell.script(keepText, [clawbackFile(shell, folder)], {
    ...options,
    tool: 'dd',
    okStatuses: [0, noRoomStatus],
  });
  if (exitStatus === 0) return;
  const { lane } = shell.target;
  throw new Failure(
    'DiskTooFull',
    `the volume of lane ${lane} has no ${limits.ballastBytes} bytes to keep free while its gateway is down`,
    { lane, expectedBytes: limits.ballastBytes },
  );
}
