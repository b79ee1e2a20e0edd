// Probes of a lane's gateway, through curl on the host. Its configuration goes in on stdin: a token is on no command line.
// Health alone proves nothing: a gateway answers 200 there while every turn fails with 401 (openclaw-notes, 3).

import { Failure } from '../domain/failure.ts';
import type { Profile } from '../domain/profile.ts';
import type { LaneShell } from './lane-shell.ts';

const second = 1000;
/** A health probe on loopback that takes longer is not healthy. */
const healthMs = 5 * second;
/** A first turn took 33 s on a loaded machine (openclaw-notes, 3). */
const messageMs = 120 * second;

export interface MessageOptions {
  /** What is said. */
  readonly text?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A line of a curl configuration file: in double quotes `\`, `"` and control characters are escaped (curl's man page, -K). */
function setting(name: string, value: string): string {
  const escapes: Record<string, string> = {
    '\\': '\\\\',
    '"': '\\"',
    '\t': '\\t',
    '\n': '\\n',
    '\r': '\\r',
    '\v': '\\v',
  };
  return `${name} = "${value.replaceAll(/[\\"\t\n\r\v]/g, (char) => escapes[char] ?? char)}"\n`;
}

interface Answer {
  /** 0 when there was none. */
  readonly httpStatus: number;
  readonly body: string;
}

async function request(
  shell: LaneShell,
  path: string,
  settings: string,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Answer> {
  const config = [
    setting('url', `http://127.0.0.1:${shell.target.port}${path}`),
    setting('max-time', String(options.timeoutMs / second)),
    setting('noproxy', '*'),
    setting('write-out', '\\n%{http_code}'),
    'silent\n',
    settings,
  ].join('');
  const argv = [shell.tool('curl'), '-q', '-K', '-'];
  const { stdout } = await shell.run(argv, {
    stdin: config,
    tool: 'curl',
    signal: options.signal,
    timeoutMs: options.timeoutMs + 15 * second,
    okStatuses: Array.from({ length: 96 }, (_, status) => status),
  });
  const text = stdout.toString('utf8');
  const cut = text.lastIndexOf('\n');
  const httpStatus = Number(text.slice(cut + 1));
  if (!Number.isSafeInteger(httpStatus))
    throw new Failure('HostOutputUnexpected', `curl on ${shell.target.host.name} printed no status`, {
      host: shell.target.host.name,
      tool: 'curl',
    });
  return { httpStatus, body: text.slice(0, Math.max(0, cut)) };
}

/** 200 on the profile's live path, and on its ready path where it has one. Other paths say 200 for anything (openclaw-notes, 2). */
export async function checkHealth(
  shell: LaneShell,
  profile: Profile,
  options: { signal?: AbortSignal } = {},
): Promise<boolean> {
  const paths = [profile.health.live, ...(profile.health.ready === undefined ? [] : [profile.health.ready])];
  for (const path of paths) {
    const { httpStatus } = await request(shell, path, setting('output', '/dev/null'), {
      timeoutMs: healthMs,
      ...options,
    });
    if (httpStatus !== 200) return false;
  }
  return true;
}

/** A chat completion with words in it. */
function hasAnswer(body: string): boolean {
  try {
    const answer = JSON.parse(body) as { choices?: { message?: { content?: unknown } }[] };
    const content = answer.choices?.[0]?.message?.content;
    return typeof content === 'string' && content.trim() !== '';
  } catch {
    return false;
  }
}

/**
 * Says one message in a session of the probe's own, and tells whether it was answered. A status of 0 is no connection.
 * @param token the gateway's; empty: none is sent
 */
export async function sendTestMessage(
  shell: LaneShell,
  profile: Profile,
  token: string,
  options: MessageOptions = {},
): Promise<{ answered: boolean; httpStatus: number }> {
  const { message } = profile;
  const content = options.text ?? 'This is a recovery probe of Clawback. Answer with one word.';
  const settings = [
    setting('request', 'POST'),
    setting('header', 'Content-Type: application/json'),
    setting('header', `${message.sessionHeader}: ${message.sessionKey}`),
    token === '' ? '' : setting('header', `Authorization: Bearer ${token}`),
    setting('data-binary', JSON.stringify({ model: message.model, messages: [{ role: 'user', content }] })),
  ].join('');
  const { httpStatus, body } = await request(shell, message.path, settings, {
    timeoutMs: options.timeoutMs ?? messageMs,
    signal: options.signal,
  });
  return { answered: httpStatus === 200 && hasAnswer(body), httpStatus };
}
