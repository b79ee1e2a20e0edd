// security(1) as far as Clawback and the gateway speak to it. Statuses are OSStatus & 0xFF; output forms follow
// Apple's SecurityTool (print_buffer: a backslash or a byte outside ASCII makes hex; macos-notes.md, section 2).

import { resolve } from 'node:path';
import {
  type ItemQuery,
  KeychainError,
  type KeychainRecord,
  type Keychains,
  osStatus,
  type OsStatusName,
} from './keychains.ts';
import { type Call, fail, ok, type Reply } from './reply.ts';

const texts: Readonly<Record<OsStatusName, string>> = {
  authFailed: 'The user name or passphrase you entered is not correct.',
  noSuchKeychain: 'The specified keychain could not be found.',
  duplicateKeychain: 'A keychain with the same name already exists.',
  duplicateItem: 'The specified item already exists in the keychain.',
  itemNotFound: 'The specified item could not be found in the keychain.',
  interactionNotAllowed: 'User interaction is not allowed.',
};

/** Exit status of the tool for an OSStatus. */
export function exitStatusOf(name: OsStatusName): number {
  return osStatus[name] & 0xff;
}

interface Context {
  readonly keychains: Keychains;
  readonly call: Call;
}

type Command = (context: Context, args: readonly string[]) => Reply;

const commands: Readonly<Record<string, Command>> = {
  'create-keychain': createKeychain,
  'delete-keychain': deleteKeychain,
  'unlock-keychain': unlockKeychain,
  'lock-keychain': lockKeychain,
  'set-keychain-settings': setSettings,
  'show-keychain-info': showInfo,
  'add-generic-password': addItem,
  'find-generic-password': findItem,
  'delete-generic-password': deleteItem,
};

/** The line buffer of `security -i`: 4096 bytes with the closing NUL (SecurityTool's readline). */
const lineBytes = 4095;

/** Runs one call of the tool: a command, or `-i` and commands on stdin. */
export function security(keychains: Keychains, call: Call): Reply {
  const context = { keychains, call };
  const args = call.argv.filter((arg, at) => !(at === 0 && ['-q', '-v'].includes(arg)));
  if (args[0] === '-i') return interactive(context);
  return args.length === 0 ? usage('security', '[-hilqv] [-p prompt] [command] [opt ...]') : run(context, args);
}

function run(context: Context, argv: readonly string[]): Reply {
  const [name = '', ...args] = argv;
  const command = commands[name];
  if (command === undefined) return fail(1, `security: unknown command "${name}"\n`);
  try {
    return command(context, args);
  } catch (error) {
    if (error instanceof UsageError) return usage(name, error.message);
    if (error instanceof KeychainError)
      return fail(exitStatusOf(error.status), `security: ${callOf(name)}: ${texts[error.status]}\n`);
    throw error;
  }
}

/** Each line is a command; a failing one is told on stderr and the rest goes on; the last one's status counts. */
function interactive(context: Context): Reply {
  let [stdout, stderr, status] = ['', '', 0];
  for (const line of linesOf(Buffer.from(context.call.stdin, 'utf8'))) {
    const argv = splitLine(line);
    if (argv.length === 0) continue;
    const reply = run(context, argv);
    status = reply.status;
    stdout += reply.stdout;
    stderr += reply.stderr + (status === 0 ? '' : `${argv[0]}: returned ${status}\n`);
  }
  return { status, stdout, stderr };
}

/** Lines as the tool's readline gives them: one longer than its buffer is cut, one without its newline is dropped. */
export function linesOf(input: Buffer): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let at = 0; at < input.length; at += 1) {
    if (input[at] === 0x0a) {
      lines.push(input.toString('utf8', start, at));
      start = at + 1;
    } else if (at - start === lineBytes) {
      lines.push(input.toString('utf8', start, at));
      start = at;
    }
  }
  return lines;
}

/** Words of a line: blanks part them, '…' and "…" hold them together, a backslash escapes in both and outside. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line[at] ?? '')) {
      at += 1;
      continue;
    }
    const quote = line[at] === "'" || line[at] === '"' ? line[at] : undefined;
    if (quote !== undefined) at += 1;
    let word = '';
    for (; at < line.length; at += 1) {
      const character = line[at] ?? '';
      if (quote === undefined ? /\s/.test(character) : character === quote) break;
      if (character === '\\') at += 1;
      word += line[at] ?? '';
    }
    if (quote !== undefined) at += 1;
    words.push(word);
  }
  return words;
}

class UsageError extends Error {}

interface Options {
  readonly values: Readonly<Record<string, string>>;
  readonly flags: ReadonlySet<string>;
  readonly rest: readonly string[];
}

/** getopt: `a:` takes a value, `U` does not. */
function options(args: readonly string[], spec: string): Options {
  const values: Record<string, string> = {};
  const flags = new Set<string>();
  let at = 0;
  for (; at < args.length && /^-./.test(args[at] ?? ''); at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      at += 1;
      break;
    }
    for (let letterAt = 1; letterAt < arg.length; letterAt += 1) {
      const letter = arg[letterAt] ?? '';
      const place = spec.indexOf(letter);
      if (place < 0 || letter === ':') throw new UsageError(`illegal option -- ${letter}`);
      if (spec[place + 1] !== ':') {
        flags.add(letter);
        continue;
      }
      const value = letterAt + 1 < arg.length ? arg.slice(letterAt + 1) : args[++at];
      if (value === undefined) throw new UsageError(`option requires an argument -- ${letter}`);
      values[letter] = value;
      break;
    }
  }
  return { values, flags, rest: args.slice(at) };
}

function usage(command: string, line: string): Reply {
  return fail(2, `security: ${line}\nUsage: ${command} [options...] [keychain...]\n`);
}

const calls: Readonly<Record<string, string>> = {
  'create-keychain': 'SecKeychainCreate',
  'unlock-keychain': 'SecKeychainUnlock',
  'lock-keychain': 'SecKeychainLock',
  'set-keychain-settings': 'SecKeychainSetSettings',
  'show-keychain-info': 'SecKeychainCopySettings',
  'add-generic-password': 'SecKeychainItemCreateFromContent',
  'find-generic-password': 'SecKeychainSearchCopyNext',
  'delete-generic-password': 'SecKeychainSearchCopyNext',
};

function callOf(name: string): string {
  return calls[name] ?? 'SecKeychainOpen';
}

/** A keychain is named by path; the login keychain when it is not. */
function keychainPath(context: Context, name: string | undefined): string {
  const path = resolve(context.call.home, name ?? 'Library/Keychains/login.keychain-db');
  context.keychains.requireOwner(path, context.call.uid);
  return path;
}

function createKeychain(context: Context, args: readonly string[]): Reply {
  const given = options(args, 'p:P');
  if (given.rest.length === 0) throw new UsageError('a keychain name is needed');
  context.keychains.create(keychainPath(context, given.rest[0]), passwordOf(given), context.call.uid);
  return ok();
}

/** Without a terminal, a password that is not on the command line cannot be asked for. */
function passwordOf(given: Options): string {
  const password = given.values['p'];
  if (password === undefined) throw new KeychainError('interactionNotAllowed');
  return password;
}

function deleteKeychain(context: Context, args: readonly string[]): Reply {
  context.keychains.delete(keychainPath(context, options(args, '').rest[0]));
  return ok();
}

function unlockKeychain(context: Context, args: readonly string[]): Reply {
  const given = options(args, 'p:u');
  context.keychains.unlock(keychainPath(context, given.rest[0]), passwordOf(given));
  return ok();
}

function lockKeychain(context: Context, args: readonly string[]): Reply {
  const given = options(args, 'a');
  if (given.flags.has('a')) context.keychains.lockAll();
  else context.keychains.lock(keychainPath(context, given.rest[0]));
  return ok();
}

function setSettings(context: Context, args: readonly string[]): Reply {
  context.keychains.requireOpen(keychainPath(context, options(args, 'lut:').rest[0]));
  return ok();
}

function showInfo(context: Context, args: readonly string[]): Reply {
  const path = keychainPath(context, options(args, '').rest[0]);
  context.keychains.requireOpen(path);
  return { status: 0, stdout: '', stderr: `Keychain "${path}" no-timeout\n` };
}

function addItem(context: Context, args: readonly string[]): Reply {
  const given = options(args, 'a:c:C:D:G:j:l:p:s:w:X:T:UA');
  const { s: service, a: account } = given.values;
  if (service === undefined && account === undefined) throw new UsageError('an account or a service is needed');
  const item = { service: service ?? '', account: account ?? '', label: given.values['l'] ?? service ?? '' };
  context.keychains.add(keychainPath(context, given.rest[0]), item, valueOf(given), given.flags.has('U'));
  return ok();
}

function valueOf(given: Options): Buffer {
  const hex = given.values['X'];
  if (hex === undefined) return Buffer.from(given.values['w'] ?? given.values['p'] ?? '', 'utf8');
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(hex)) throw new UsageError('hex needs an even number of hex digits');
  return Buffer.from(hex, 'hex');
}

function queryOf(given: Options): ItemQuery {
  return { service: given.values['s'], account: given.values['a'] };
}

function findItem(context: Context, args: readonly string[]): Reply {
  const given = options(args, 'a:c:C:D:G:j:l:s:gw');
  const path = keychainPath(context, given.rest[0]);
  const item = context.keychains.find(path, queryOf(given));
  if (given.flags.has('w')) return ok(`${bareValue(context.keychains.value(path, item))}\n`);
  const stderr = given.flags.has('g') ? `password: ${printBuffer(context.keychains.value(path, item))}\n` : '';
  return { status: 0, stdout: attributes(path, item), stderr };
}

function deleteItem(context: Context, args: readonly string[]): Reply {
  const given = options(args, 'a:c:C:D:G:j:l:s:');
  const path = keychainPath(context, given.rest[0]);
  const item = context.keychains.remove(path, queryOf(given));
  return { status: 0, stdout: attributes(path, item), stderr: 'password has been deleted.\n' };
}

function attributes(path: string, item: KeychainRecord): string {
  const blob = (text: string): string => (text === '' ? '<NULL>' : printBuffer(Buffer.from(text, 'utf8')));
  return [
    `keychain: "${path}"`,
    'version: 512',
    'class: "genp"',
    'attributes:',
    `    0x00000007 <blob>=${blob(item.label)}`,
    '    0x00000008 <blob>=<NULL>',
    `    "acct"<blob>=${blob(item.account)}`,
    '    "desc"<blob>=<NULL>',
    `    "svce"<blob>=${blob(item.service)}`,
    '    "type"<uint32>=<NULL>',
    '',
  ].join('\n');
}

/** `-w`: text as it is, bare hex when any byte is not printable. Ambiguous, as the real tool's. */
function bareValue(value: Buffer): string {
  return value.every((byte) => byte >= 0x20 && byte <= 0x7e) ? value.toString('latin1') : value.toString('hex');
}

/** SecurityTool's print_buffer: hex when a byte is a backslash or outside ASCII, then two blanks, then the text in octal escapes. */
export function printBuffer(value: Buffer): string {
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte <= 0x7e && byte !== 0x5c;
  const hex = value.some((byte) => !isPlain(byte));
  const ascii = value.some(isPlain);
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
  const text = [...value].map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : octal(byte))).join('');
  return (hex ? `0x${value.toString('hex').toUpperCase()}${ascii ? '  ' : ' '}` : '') + (ascii ? `"${text}"` : '');
}
