// Stands in for curl where a machine has none: the few options that probes use, from arguments and `-K -`. Exit
// statuses are curl's: 7 when nobody listens, 28 after max-time.

import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';

const long: Readonly<Record<string, string>> = {
  K: 'config',
  m: 'max-time',
  o: 'output',
  w: 'write-out',
  X: 'request',
  H: 'header',
  d: 'data',
};
const bare = new Set(['silent', 'show-error', 'disable', 'fail', 'include']);
const bareLetters: Readonly<Record<string, string>> = { s: 'silent', S: 'show-error', q: 'disable', f: 'fail' };
const settings = new Map<string, string[]>();

function set(name: string, value: string): void {
  settings.set(name, [...(settings.get(name) ?? []), value]);
}

const first = (name: string): string | undefined => settings.get(name)?.at(-1);

function readConfig(text: string): void {
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([a-z-]+)(?:\s*[=: ]\s*(.*))?$/.exec(line) ?? [];
    if (name !== undefined) set(name, unquote(value ?? ''));
  }
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v' };
  return value
    .slice(1, value.lastIndexOf('"'))
    .replaceAll(/\\(.)/g, (_all, letter: string) => escapes[letter] ?? letter);
}

function readArguments(args: readonly string[]): void {
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (!arg.startsWith('-')) set('url', arg);
    else if (arg.startsWith('--')) readOption(arg.slice(2), () => args[++at] ?? '');
    else
      for (const letter of arg.slice(1))
        readOption(bareLetters[letter] ?? long[letter] ?? letter, () => args[++at] ?? '');
  }
}

function readOption(name: string, next: () => string): void {
  if (bare.has(name)) return set(name, '');
  const value = next();
  if (name === 'config') readConfig(readFileSync(value === '-' ? 0 : value, 'utf8'));
  else set(name, value);
}

function writeOut(status: number): void {
  const format = first('write-out')
    ?.replaceAll('\\n', '\n')
    .replaceAll('%{http_code}', String(status).padStart(3, '0'));
  if (format !== undefined) process.stdout.write(format);
}

function end(exitStatus: number): void {
  writeOut(0);
  process.exitCode = exitStatus;
}

readArguments(process.argv.slice(2));
const data = first('data-binary') ?? first('data');
const headers = Object.fromEntries(
  (settings.get('header') ?? []).map((header) => [
    header.slice(0, header.indexOf(':')),
    header.slice(header.indexOf(':') + 1).trim(),
  ]),
);
const sent = request(
  first('url') ?? '',
  { method: first('request') ?? (data === undefined ? 'GET' : 'POST'), headers },
  (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const output = first('output');
      if (output === undefined) process.stdout.write(Buffer.concat(chunks));
      else writeFileSync(output, Buffer.concat(chunks));
      writeOut(response.statusCode ?? 0);
      clearTimeout(timer);
    });
  },
);
const timer = setTimeout(
  () => sent.destroy(Object.assign(new Error('time-out'), { code: 'ETIMEDOUT' })),
  1000 * Number(first('max-time') ?? 300),
);
sent.on('error', (error: NodeJS.ErrnoException) => {
  clearTimeout(timer);
  end({ ECONNREFUSED: 7, ETIMEDOUT: 28 }[error.code ?? ''] ?? 52);
});
sent.end(data);
