// A lane's files as a tar stream and back. Members are named exactly as the list names them, byte for byte.
//
// Both tars write pax with `hdrcharset=BINARY` in locale C, and are read in locale C: measured with bsdtar 3.6.2, any
// UTF-8 locale makes it compose names (NFD `é` becomes NFC: two files of one folder fell into one), and without BINARY
// names that are not UTF-8 give warnings. bsdtar with --null takes `-x`, `@x` and `-C` in a list as names (tried).
// Sparse files are stored as GNU.sparse 1.0 by both and come back sparse. Neither tar notices a file that is torn while
// being read (macos-notes, 3): the caller compares sizes and times before and after.

import type { Readable, Writable } from 'node:stream';
import { Failure } from '../domain/failure.ts';
import { watchedInput, watchedOutput } from './data-stream.ts';
import { type Dialect, dialectOf } from './dialect.ts';
import type { Fence } from './fence-script.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';
import { reportText } from './report.ts';

export interface PackRequest {
  /** Absolute folder that the list's names are relative to. */
  readonly base: string;
  /** Absolute path of a NUL list on the lane. */
  readonly listPath: string;
  readonly signal?: AbortSignal | undefined;
}

const noListStatus = 65;
const failedStatus = 66;
const noRoomStatus = 67;

/** ACLs, extended attributes and file flags are left out: a bundle holds what every lane host can take back. */
function plainFlags(dialect: Dialect): string[] {
  if (dialect.tar === 'gnu') return ['--no-xattrs', '--no-acls', '--no-selinux', '--numeric-owner'];
  return [
    ...(dialect.macFlags ? ['--no-mac-metadata'] : []),
    '--no-xattrs',
    '--no-fflags',
    '--no-acls',
    '--numeric-owner',
  ];
}

function packWords(dialect: Dialect): string[] {
  if (dialect.tar === 'bsdtar')
    return ['-cf', '-', '--format', 'pax', '--options', 'pax:hdrcharset=BINARY', ...plainFlags(dialect)];
  const pax = '--pax-option=hdrcharset:=BINARY,delete=atime,delete=ctime';
  return ['-cf', '-', '--format=pax', '--sparse', '--sparse-version=1.0', pax, ...plainFlags(dialect)];
}

/** `-U`/unlink first: a member that takes the place of a hard link must not write through it. */
function unpackWords(dialect: Dialect): string[] {
  if (dialect.tar === 'bsdtar') return ['-xpf', '-', '-S', '-U', '--no-same-owner', ...plainFlags(dialect)];
  return [
    '-xpf',
    '-',
    '--no-same-owner',
    '--delay-directory-restore',
    '--warning=no-unknown-keyword',
    '--warning=no-timestamp',
    ...plainFlags(dialect),
  ];
}

/** stderr of both tars, by what each line means; `$code` is tar's status. */
const judge = `whole_lines
gone='(No such file or directory|File removed before we read it)$'
harmless='(file changed as we read it|File shrank by [0-9]+ bytes; padding with zeros|file may have grown while being archived|[Ee]rror exit delayed from previous errors\\.?|Exiting with failure status due to previous errors|cannot be converted from UTF-8 to current locale\\.?|can.t be converted from UTF-8 to current locale\\.?)$'
missing=$(grep -c -E "$gone" "$complaints")
bad=$(grep -v -E "$gone" "$complaints" | grep -v -c -E "$harmless")
[ "$code" -le 2 ] || bad=$((bad + 1))
[ "$code" -eq 0 ] || [ -s "$complaints" ] || bad=$((bad + 1))
[ -s "$complaints" ] && report tar <"$complaints"
`;

function packScript(shell: LaneShell, dialect: Dialect): string {
  const tar = quoteArgv([shell.tool('tar'), ...packWords(dialect)]);
  return `${reportText(shell)}[ -f "$2" ] || exit ${noListStatus}
${tar} -C "$1" --no-recursion --null -T "$2" 2>"$complaints"
code=$?
${judge}echo "clawback: missing $missing" >&2
[ "$bad" -eq 0 ] || { echo "clawback: $bad complaints" >&2; exit ${failedStatus}; }
`;
}

function unpackScript(shell: LaneShell, dialect: Dialect): string {
  return `${reportText(shell)}mkdir -p "$1" || exit ${failedStatus}
${quoteArgv([shell.tool('tar'), ...unpackWords(dialect)])} -C "$1" 2>"$complaints"
code=$?
# on a full volume tar's words could not be written either
[ "$code" -eq 0 ] || [ -s "$complaints" ] || [ "$(${quoteArgv([shell.tool('df')])} -Pk "$1" | awk 'END { print $4 }')" -ge 64 ] || exit ${noRoomStatus}
grep -q 'No space left on device' "$complaints" && { report tar <"$complaints"; exit ${noRoomStatus}; }
${judge}bad=$((bad + missing))
[ "$bad" -eq 0 ] || { echo "clawback: $bad complaints" >&2; exit ${failedStatus}; }
`;
}

function tarFailure(shell: LaneShell, exitStatus: number, stderr: string): Failure {
  const { lane, host } = shell.target;
  const context = { lane, host: host.name, exitStatus };
  if (exitStatus === noListStatus)
    return new Failure('PlanLost', `lane ${lane}: the list of files to pack is gone`, context);
  if (exitStatus === noRoomStatus)
    return new Failure('DiskTooFull', `lane ${lane}: its volume had no room while an archive was unpacked`, context);
  const count = Number(/clawback: (\d+) complaints/.exec(stderr)?.[1] ?? 1);
  return new Failure('TarFailed', `lane ${lane}: tar ended with ${count} complaints`, { ...context, count });
}

/**
 * Packs the files of a list. `finished` settles after stdout's end; vanished members are counted, not fatal. What tar
 * said by name is appended to the lane's report.
 * @throws (`finished`) TarFailed, PlanLost, StreamStalled, HostConnectionLost
 */
export async function packFiles(
  shell: LaneShell,
  request: PackRequest,
): Promise<{ stdout: Readable; finished: Promise<{ missing: number }> }> {
  const script = packScript(shell, await dialectOf(shell));
  const process = await shell.spawnScript(script, [request.base, request.listPath], {
    signal: request.signal,
    tool: 'tar',
  });
  process.stdin.end();
  const { stdout, exited } = watchedOutput(process);
  const finished = exited.then((exitStatus) => {
    if (exitStatus !== 0) throw tarFailure(shell, exitStatus, process.stderrTail());
    return { missing: Number(/clawback: missing (\d+)/.exec(process.stderrTail())?.[1] ?? 0) };
  });
  finished.catch(() => undefined);
  return { stdout, finished };
}

/**
 * Unpacks an archive below `base` (made if absent), as the lane's user. The caller has audited the archive; tar itself
 * refuses `..`, absolute names and writing through links. May be repeated with the same archive.
 * @throws (`finished`) TarFailed, DiskTooFull, FenceLost, StreamStalled, HostConnectionLost
 */
export async function unpackFiles(
  shell: LaneShell,
  request: { base: string; fence?: Fence | undefined; signal?: AbortSignal | undefined },
): Promise<{ stdin: Writable; finished: Promise<void> }> {
  const script = unpackScript(shell, await dialectOf(shell));
  const process = await shell.spawnScript(script, [request.base], {
    signal: request.signal,
    fence: request.fence,
    tool: 'tar',
  });
  const { stdin, exited } = watchedInput(process);
  const finished = exited.then((exitStatus) => {
    if (exitStatus !== 0) throw tarFailure(shell, exitStatus, process.stderrTail());
  });
  finished.catch(() => undefined);
  return { stdin, finished };
}
