// What a stand-in answers its thin client: exit status and both outputs, as text that the client's sh evaluates,
// so that a call costs a sh and a curl (about 10 ms) and no Node start.

export interface Reply {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A call as it arrives: who calls, with which arguments, and what was on stdin. */
export interface Call {
  /** Effective user of the caller: 0 under sudo. */
  readonly uid: number;
  readonly home: string;
  readonly argv: readonly string[];
  readonly stdin: string;
}

export const ok = (stdout = ''): Reply => ({ status: 0, stdout, stderr: '' });
export const fail = (status: number, stderr: string): Reply => ({ status, stdout: '', stderr });

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The sh text that prints both outputs by builtins (never on a command line) and exits. */
export function asShell(reply: Reply): string {
  return `printf %s ${quote(reply.stdout)}; printf %s ${quote(reply.stderr)} >&2; exit ${reply.status}\n`;
}

/** Reads the client's request: `uid NUL home NUL count NUL arg NUL … stdin`. */
export function readCall(body: Buffer): Call {
  const fields = splitFields(body, 3);
  const count = Number(fields.values[2]);
  const args = splitFields(fields.rest, count);
  return {
    uid: Number(fields.values[0]),
    home: fields.values[1] ?? '',
    argv: args.values,
    stdin: args.rest.toString('utf8'),
  };
}

function splitFields(body: Buffer, count: number): { values: string[]; rest: Buffer } {
  const values: string[] = [];
  let rest = body;
  while (values.length < count) {
    const end = rest.indexOf(0);
    if (end < 0) throw new Error(`a call of ${body.length} bytes ends after ${values.length} of ${count} fields`);
    values.push(rest.subarray(0, end).toString('utf8'));
    rest = rest.subarray(end + 1);
  }
  return { values, rest };
}
