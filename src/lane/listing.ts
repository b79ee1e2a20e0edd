// A lane's files as the file system shows them: `find … -print0 | xargs -0 stat`, streamed. Each record begins with a
// separator of 128 random bits, which no path holds by chance; who saw it in the process list and made such a name could
// invent records of his own tree only, for every path is checked to lie below what was asked.
// Symlinks are not followed. Files that vanish meanwhile are absent; anything else that cannot be read is ListingFailed.

import { randomBytes } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import type { FileEntry } from '../domain/file-entry.ts';
import { watchedOutput } from './data-stream.ts';
import { type Dialect, dialectOf } from './dialect.ts';
import { parseRecords } from './file-record.ts';
import type { LaneShell } from './lane-shell.ts';
import { quoteArgv } from './quote.ts';
import { reportText } from './report.ts';

export interface ListRequest {
  /** Absolute folder that the paths are relative to. */
  readonly base: string;
  /** Relative to base; absent ones are ignored. `.` is all of base (which is no entry itself). */
  readonly paths: readonly string[];
  /** Globs below base, as in Profile. Those that name whole trees (`a/b/**`, `**` + `/name/**`) are not entered; the folder itself is listed. Others are the caller's to drop. */
  readonly prune?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const noListStatus = 65;

function statWords(shell: LaneShell, dialect: Dialect, separator: string): string {
  const format =
    dialect.stat === 'gnu'
      ? ['--printf', `${separator} %f %u %g %s %b %B %.9Y %.9Z %d %i %h %n\\n`]
      : ['-f', `${separator} %Xp %u %g %z %b 512 %.9Fm %.9Fc %d %i %l %N`]; // not yet seen on a Mac
  return quoteArgv([shell.tool('xargs'), '-0', shell.tool('stat'), ...format, '--']);
}

/** The trees that need not be entered, as one `find` expression; empty when there are none. */
export function pruneWords(globs: readonly string[]): string[] {
  const escape = (literal: string) => literal.replaceAll(/[\\*?[\]]/g, '\\$&');
  const patterns = globs.flatMap((glob) => {
    const tree = /^(\*\*\/)?([^*?]+)\/\*\*$/.exec(glob);
    if (tree?.[2] === undefined) return [];
    return [tree[1] === undefined ? `./${escape(tree[2])}` : `*/${escape(tree[2])}`];
  });
  const tests = patterns.flatMap((pattern, index) => [...(index === 0 ? [] : ['-o']), '-path', pattern]);
  return tests.length === 0 ? [] : ['-type', 'd', '(', ...tests, ')', '-prune', '-print0', '-o'];
}

/** Ends a listing script: complaints but of vanished files go to the report, and fail it. `$found` and `$asked` are exit statuses. */
const judge = `whole_lines
bad=$(grep -v -c -E '(No such file or directory|Not a directory)$' "$complaints")
[ "$found" -le 1 ] && { [ "$asked" -le 1 ] || [ "$asked" -eq 123 ]; } || bad=$((bad + 1))
[ "$found$asked" = 00 ] || [ -s "$complaints" ] || bad=$((bad + 1))
[ "$bad" -eq 0 ] && exit 0
report listing <"$complaints"
echo "clawback: $bad complaints" >&2
exit 66
`;

function listScript(shell: LaneShell, request: ListRequest, stat: string): string {
  const find = quoteArgv([shell.tool('find')]);
  const expression = quoteArgv([...pruneWords(request.prune ?? []), '-print0']);
  return `${reportText(shell)}[ -d "$1" ] || exit 0
cd "$1" || exit 66
shift
count=$#
for path do
  [ "$path" = . ] || path=./$path
  [ -e "$path" ] || [ -L "$path" ] && set -- "$@" "$path"
done
shift "$count"
[ $# -gt 0 ] || exit 0
{ ${find} "$@" ${expression} 2>>"$complaints"; echo $? >"$complaints.found"; } | ${stat} 2>>"$complaints"
asked=$?
found=$(cat "$complaints.found" 2>/dev/null)
found=\${found:-2}
${judge}`;
}

function statScript(shell: LaneShell, stat: string): string {
  return `${reportText(shell)}[ -f "$2" ] || exit ${noListStatus}
cd "$1" || exit 66
[ -s "$2" ] || exit 0
found=0
${stat} <"$2" 2>>"$complaints"
asked=$?
${judge}`;
}

async function* entriesOf(
  shell: LaneShell,
  script: (stat: string) => string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FileEntry> {
  const { host, lane } = shell.target;
  const dialect = await dialectOf(shell);
  const separator = `@${randomBytes(16).toString('hex')}`;
  const process = await shell.spawnScript(script(statWords(shell, dialect, separator)), args, {
    signal,
    tool: 'listing',
  });
  process.stdin.end();
  const { stdout, exited } = watchedOutput(process);
  yield* parseRecords(stdout, { separator, dialect });
  const exitStatus = await exited;
  if (exitStatus === noListStatus)
    throw new Failure('PlanLost', `lane ${lane}: the list to compare with is gone`, { lane, host: host.name });
  if (exitStatus !== 0) {
    const count = Number(/clawback: (\d+) complaints/.exec(process.stderrTail())?.[1] ?? 1);
    throw new Failure('ListingFailed', `lane ${lane}: ${count} paths could not be listed`, {
      lane,
      host: host.name,
      exitStatus,
      count,
    });
  }
}

function checked(request: { base: string; paths?: readonly string[] }): void {
  const isBad = (path: string) => path.startsWith('/') || path.split('/').includes('..');
  if (!request.base.startsWith('/') || (request.paths ?? []).some(isBad)) {
    throw new Failure('InvalidInput', 'a listing wants an absolute base and relative paths without ..');
  }
}

/**
 * All that lies at or below the paths, in no particular order; paths relative to base, without a leading `./`.
 * @throws ListingFailed, StreamStalled, and what {@link LaneShell.run} throws
 */
export async function* listFiles(shell: LaneShell, request: ListRequest): AsyncGenerator<FileEntry> {
  checked(request);
  const wanted = request.paths.map((path) => Buffer.from(path.replaceAll(/^(\.\/)+|\/+$/g, '') || '.'));
  const isWanted = (path: Buffer) =>
    wanted.some(
      (root) =>
        root.toString() === '.' ||
        root.equals(path) ||
        (path[root.length] === 0x2f && path.subarray(0, root.length).equals(root)),
    );
  const paths = wanted.map(String);
  for await (const entry of entriesOf(
    shell,
    (stat) => listScript(shell, request, stat),
    [request.base, ...paths],
    request.signal,
  )) {
    if (entry.path.toString() === '.') continue;
    if (!isWanted(entry.path) || entry.path.toString('latin1').split('/').includes('..')) {
      throw new Failure(
        'HostOutputUnexpected',
        `lane ${shell.target.lane}: the listing shows a path that was not asked for`,
        { lane: shell.target.lane },
      );
    }
    yield entry;
  }
}

/**
 * The files of a NUL list on the lane, in its order; vanished ones are absent.
 * @throws PlanLost when the list is gone, ListingFailed, StreamStalled, and what {@link LaneShell.run} throws
 */
export async function statFiles(
  shell: LaneShell,
  request: { base: string; listPath: string; signal?: AbortSignal | undefined },
): Promise<FileEntry[]> {
  checked(request);
  const entries: FileEntry[] = [];
  for await (const entry of entriesOf(
    shell,
    (stat) => statScript(shell, stat),
    [request.base, request.listPath],
    request.signal,
  ))
    entries.push(entry);
  return entries;
}
