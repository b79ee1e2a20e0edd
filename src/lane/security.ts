// `security -i` on the lane: a value is on no command line, and what security prints is in no message. Its exit status is
// the OSStatus's last byte (macos-notes, 2). Of several lines only the last one's status is told, so each gets a `security`.

import { randomBytes } from 'node:crypto';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { limits } from '../domain/limits.ts';
import type { Fence } from './fence-script.ts';
import type { LaneShell, RunResult } from './lane-shell.ts';

export interface KeychainOptions {
  readonly fence?: Fence | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** OSStatus & 0xFF. */
export const statuses = { notAllowed: 36, notFound: 44, noKeychain: 50, authFailed: 51 } as const;
export const absentStatus = 3;
const known: ReadonlySet<number> = new Set(Object.values(statuses));

export function failed(shell: LaneShell, code: FailureCode, what: string, exitStatus?: number): Failure {
  const { lane, host } = shell.target;
  return new Failure(code, `lane ${lane}: ${what}`, {
    lane,
    host: host.name,
    tool: 'security',
    ...(exitStatus === undefined ? {} : { exitStatus }),
  });
}

/** Runs one line; the keychain's absence is looked at first, for a missing one may look locked. */
export async function security(shell: LaneShell, line: string, options: KeychainOptions = {}): Promise<RunResult> {
  const text = `[ -e "$2" ] || exit ${absentStatus}\nexec "$1" -i`;
  const result = await shell.script(text, [shell.tool('security'), shell.target.keychain], {
    ...options,
    stdin: `${line}\n`,
    okStatuses: [0, absentStatus, ...known],
    tool: 'security',
  });
  if (result.exitStatus === absentStatus || result.exitStatus === statuses.noKeychain)
    throw failed(shell, 'KeychainMissing', 'its keychain is not there', result.exitStatus);
  return result;
}

const tellEach = `[ -e "$2" ] || exit ${absentStatus}
while IFS= read -r line; do
  said=$(printf '%s\\n' "$line" | "$1" -i 2>&1 >/dev/null
    echo "$3 $?")
  printf '%s\\n' "$said"
  case \${said##* } in 0 | ${statuses.notFound}) ;; *) exit 0 ;; esac
done
`;

/**
 * Several lines with one command, each to a `security` of its own, for of several only the last one's status is told. What
 * stands after one that is refused is not run. Values pass through builtins and pipes only.
 * @returns for each line that was run its status, and what it said
 */
export async function securityEach(
  shell: LaneShell,
  lines: readonly string[],
  options: KeychainOptions = {},
): Promise<{ readonly exitStatus: number; readonly stderr: string }[]> {
  const mark = `@${randomBytes(16).toString('hex')}`;
  const { exitStatus, stdout } = await shell.script(tellEach, [shell.tool('security'), shell.target.keychain, mark], {
    ...options,
    stdin: lines.map((line) => `${line}\n`).join(''),
    okStatuses: [0, absentStatus],
    tool: 'security',
    outputBytes: lines.length * 2 * limits.commandErrorBytes,
  });
  if (exitStatus === absentStatus) throw failed(shell, 'KeychainMissing', 'its keychain is not there', exitStatus);
  const told = [...stdout.toString().matchAll(new RegExp(`([^]*?)${mark} (\\d+)\\n`, 'g'))];
  const answers = told.map(([, stderr = '', status]) => ({ exitStatus: Number(status), stderr }));
  const unknown = answers.find((answer) => answer.exitStatus !== 0 && !known.has(answer.exitStatus));
  if (answers.length > 0 && unknown === undefined) {
    if (answers.some((answer) => answer.exitStatus === statuses.noKeychain))
      throw failed(shell, 'KeychainMissing', 'its keychain is not there', statuses.noKeychain);
    return answers;
  }
  throw failed(
    shell,
    'HostCommandFailed',
    `security ended with ${unknown?.exitStatus ?? 'no'} status`,
    unknown?.exitStatus,
  );
}
