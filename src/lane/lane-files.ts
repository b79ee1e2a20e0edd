// Small private files of ours on a lane, below `~/.clawback` (0700). Written whole or not at all: a temporary file,
// its size checked (a cut connection looks like the end of input), sync, mv.

import { type Readable, Transform } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { Fence } from './fence-script.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';

export { appendReport } from './report.ts';

export interface FenceOption {
  readonly fence?: Fence | undefined;
  readonly signal?: AbortSignal | undefined;
}

const absentStatus = 3;

/** @throws InvalidInput for a path that could leave `~/.clawback` */
export function clawbackFile(shell: LaneShell, relative: string): string {
  const isBad = relative.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (isBad || relative.includes('\0'))
    throw new Failure('InvalidInput', 'a path below ~/.clawback is empty, absolute or has . or .. in it');
  return shell.clawbackPath(relative);
}

/** GNU's sync takes a file; BSD's takes none and syncs all. */
export const syncText = `sync_file() { sync "$1" 2>/dev/null || sync; }
`;

function receiveText(shell: LaneShell): string {
  return `file=$1
claw=${quoteArgv([shell.clawbackPath('').slice(0, -1)])}
mkdir -p "\${file%/*}" && chmod 700 "$claw" || exit 1
cat >"$file.part" || exit 1
`;
}

/** `$2` is the size that must have arrived. */
const commitText = `[ "$(wc -c <"$file.part")" -eq "$2" ] || { rm -f "$file.part"; exit 4; }
sync_file "$file.part" && mv -f "$file.part" "$file" && sync_file "\${file%/*}"
`;

/**
 * Writes a file below `~/.clawback`, 0600. May be repeated.
 * @param relative path below `~/.clawback`; folders are made
 * @throws HostCommandFailed, FenceLost and what {@link LaneShell.run} throws; what the stream fails with
 */
export async function writeLaneFile(
  shell: LaneShell,
  relative: string,
  content: Buffer | Readable,
  options: FenceOption = {},
): Promise<void> {
  const file = clawbackFile(shell, relative);
  const more = { ...options, tool: 'write file' };
  if (Buffer.isBuffer(content)) {
    await shell.script(`${syncText}${receiveText(shell)}${commitText}`, [file, String(content.length)], {
      ...more,
      stdin: content,
    });
    return;
  }
  let sizeBytes = 0;
  const counted = content.pipe(
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    }),
  );
  content.on('error', (error) => counted.destroy(error));
  counted.on('error', () => undefined);
  await shell.script(receiveText(shell), [file], { ...more, stdin: counted, timeoutMs: limits.streamBaseMs });
  await shell.script(`${syncText}file=$1\n${commitText}`, [file, String(sizeBytes)], more);
}

/**
 * Reads a file below `~/.clawback`; undefined when there is none.
 * @throws HostOutputUnexpected when it is larger than `limits.indexBytes`
 */
export async function readLaneFile(shell: LaneShell, relative: string): Promise<Buffer | undefined> {
  const file = clawbackFile(shell, relative);
  const text = `[ -f "$1" ] || exit ${absentStatus}\ncat "$1"`;
  const { exitStatus, stdout } = await shell.script(text, [file], {
    tool: 'read file',
    okStatuses: [0, absentStatus],
    outputBytes: limits.indexBytes,
  });
  return exitStatus === absentStatus ? undefined : stdout;
}

/** Names of the files in a folder below `~/.clawback`; none when it is absent. */
export async function listLaneFiles(shell: LaneShell, relative: string): Promise<string[]> {
  const text = `[ -d "$1" ] && ls -1 "$1"; :`;
  const { stdout } = await shell.script(text, [clawbackFile(shell, relative)], { tool: 'list folder' });
  return stdout
    .toString()
    .split('\n')
    .filter((name) => name !== '');
}

/** Removes a tree or file below `~/.clawback`, folders without write permission too. No error when it is absent. */
export async function removeLaneTree(shell: LaneShell, relative: string, options: FenceOption = {}): Promise<void> {
  await shell.script(removeText, [clawbackFile(shell, relative)], {
    ...options,
    tool: 'remove tree',
    timeoutMs: limits.streamBaseMs,
  });
}

/** `$1` is removed; a folder of mode 0555 keeps rm from its files unless one is root. */
export const removeText = `rm -rf "$1" 2>/dev/null && exit 0
find "$1" -type d -exec chmod u+rwx {} + 2>/dev/null
rm -rf "$1"
`;
