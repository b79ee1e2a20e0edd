// What a stand-in answers its thin client: exit status and both outputs, as text that the client's shell evaluates,
// so that a call costs a bash and no other start of a program.

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

/** The shell's text that prints both outputs by builtins (never on a command line) and exits. */
export function asShell(reply: Reply): string {
  return `printf %s ${quote(reply.stdout)}; printf %s ${quote(reply.stderr)} >&2; exit ${reply.status}\n`;
}

/** Where the daemon of a host says on which port of loopback it takes calls. */
export function portPath(socket: string): string {
  return `${socket}.port`;
}

/** Reads `tool NUL uid NUL home NUL count NUL arg NUL … stdin NUL`; undefined as long as that is not whole. */
export function readCall(received: Buffer): { readonly tool: string; readonly call: Call } | undefined {
  const fields = received.toString('utf8').split('\0');
  const [tool = '', uid, home = '', count] = fields;
  const end = 4 + Number(count);
  // what follows the last NUL is a field as well
  if (!(fields.length > end + 1)) return undefined;
  return { tool, call: { uid: Number(uid), home, argv: fields.slice(4, end), stdin: fields[end] ?? '' } };
}
