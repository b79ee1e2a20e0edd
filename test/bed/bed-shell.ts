// A test's own way into a bed host: one command over SSH, apart from the product's lane room.

import ssh2 from 'ssh2';
import type { Bed, BedHost } from './bed-types.ts';

export interface ShellResult {
  /** Undefined when the channel closed without one. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line as the login account. */
export async function runOnHost(bed: Bed, host: BedHost, command: string, stdin = ''): Promise<ShellResult> {
  const client = new ssh2.Client();
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('ready', resolve).on('error', reject);
      client.connect({
        host: host.address,
        port: host.port,
        username: host.user,
        privateKey: bed.sshKey,
        readyTimeout: 10_000,
      });
    });
    return await new Promise<ShellResult>((resolve, reject) => {
      client.exec(command, (error, channel) => (error ? reject(error) : resolve(collect(channel, stdin))));
    });
  } finally {
    client.end();
  }
}

function collect(channel: ssh2.ClientChannel, stdin: string): Promise<ShellResult> {
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    let status: number | undefined;
    channel.on('data', (data: Buffer) => out.push(data));
    channel.stderr.on('data', (data: Buffer) => errors.push(data));
    channel.on('exit', (code: number | null) => (status = code ?? undefined));
    channel.on('close', () =>
      resolve({ status, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(errors).toString('utf8') }),
    );
    channel.end(stdin);
  });
}

/** Sends the gateway one message, through the host. @returns the HTTP status and the answer */
export async function say(
  bed: Bed,
  laneName: string,
  text: string,
  token?: string,
): Promise<{ status: number; body: string }> {
  const lane = bed.lane(laneName);
  const bearer = token ?? lane.values[lane.messageToken.service]?.toString('utf8') ?? '';
  const curl = `curl -s -m 10 -w '\\n%{http_code}' -K -`;
  const body = JSON.stringify({ model: 'openclaw/default', messages: [{ role: 'user', content: text }] });
  const config = [
    `url = "http://127.0.0.1:${lane.port}/v1/chat/completions"`,
    `header = "Authorization: Bearer ${bearer}"`,
    'header = "content-type: application/json"',
    `data = ${JSON.stringify(body)}`,
    '',
  ].join('\n');
  const result = await runOnHost(bed, bed.host(lane.host), curl, config);
  const lines = result.stdout.split('\n');
  return { status: Number(lines.pop()), body: lines.join('\n') };
}

/** The status of the gateway's health page; 0 when nothing listens. */
export async function health(bed: Bed, laneName: string): Promise<number> {
  const lane = bed.lane(laneName);
  const result = await runOnHost(
    bed,
    bed.host(lane.host),
    `curl -s -m 10 -o /dev/null -w '%{http_code}' http://127.0.0.1:${lane.port}/health`,
  );
  return Number(result.stdout);
}

/** Asks until it holds, or for ten seconds. */
export async function eventually(holds: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  const untilMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > untilMs) throw new Error(`it did not come to hold within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
