import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keychains } from '../../bed/stand-ins/keychains.ts';
import type { Reply } from '../../bed/stand-ins/reply.ts';
import { linesOf, printBuffer, security, splitLine } from '../../bed/stand-ins/security.ts';

let home: string;
let path: string;
let keychains: Keychains;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keychain-'));
  path = join(home, 'lane.keychain-db');
  keychains = new Keychains();
  run('create-keychain', '-p', 'open sesame', path);
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function run(...argv: string[]): Reply {
  return security(keychains, { uid: 501, home, argv, stdin: '' });
}

function lines(stdin: string): Reply {
  return security(keychains, { uid: 501, home, argv: ['-i'], stdin });
}

const add = (value: string, ...more: string[]): Reply =>
  run('add-generic-password', '-s', 'svc', '-a', 'me', '-w', value, ...more, path);
const get = (option: '-g' | '-w'): Reply => run('find-generic-password', '-s', 'svc', '-a', 'me', option, path);

describe('the security stand-in', () => {
  it('keeps a password and gives it back in both forms', () => {
    expect(add('plain value').status).toBe(0);
    expect(get('-w')).toEqual({ status: 0, stdout: 'plain value\n', stderr: '' });
    expect(get('-g').stderr).toBe('password: "plain value"\n');
    expect(get('-g').stdout).toContain('    "svce"<blob>="svc"\n');
  });

  it('prints text with a quote as it is, and anything else in hex before octal escapes', () => {
    add('a"b');
    expect(get('-g').stderr).toBe('password: "a"b"\n');
    add('é', '-U');
    expect(get('-g').stderr).toBe('password: 0xC3A9 \n');
    add('back\\slash', '-U');
    expect(get('-g').stderr).toBe('password: 0x6261636B5C736C617368  "back\\134slash"\n');
    run('add-generic-password', '-U', '-s', 'svc', '-a', 'me', '-X', '6f6e650a74776f', path);
    expect(get('-g').stderr).toBe('password: 0x6F6E650A74776F  "one\\012two"\n');
    expect(get('-w').stdout).toBe('6f6e650a74776f\n');
  });

  it('is ambiguous with -w, as the real tool is, and unambiguous with -g', () => {
    add('c3a9');
    expect(get('-w').stdout).toBe('c3a9\n');
    expect(get('-g').stderr).toBe('password: "c3a9"\n');
  });

  it('tells any value by -g', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const value = Buffer.from(bytes);
        const printed = printBuffer(value);
        const hex = /^0x([0-9A-F]+)/.exec(printed)?.[1];
        const read = hex === undefined ? Buffer.from(printed.slice(1, -1), 'latin1') : Buffer.from(hex, 'hex');
        expect(read.equals(value)).toBe(true);
      }),
    );
  });

  it('says 44 for a missing item', () => {
    expect(get('-w')).toEqual({
      status: 44,
      stdout: '',
      stderr: 'security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.\n',
    });
    expect(run('delete-generic-password', '-s', 'svc', path).status).toBe(44);
  });

  it('says 45 for an item that is there, unless it is told to update', () => {
    add('one');
    expect(add('two').status).toBe(45);
    expect(add('two', '-U').status).toBe(0);
    expect(get('-w').stdout).toBe('two\n');
  });

  it('says 36 while the keychain is locked, but shows names', () => {
    add('value');
    run('lock-keychain', path);
    expect(get('-w').status).toBe(36);
    expect(get('-g').status).toBe(36);
    expect(add('other', '-U').status).toBe(36);
    expect(run('delete-generic-password', '-s', 'svc', path).status).toBe(36);
    expect(run('show-keychain-info', path)).toMatchObject({
      status: 36,
      stderr: 'security: SecKeychainCopySettings: User interaction is not allowed.\n',
    });
    expect(run('find-generic-password', '-s', 'svc', path).status).toBe(0);
  });

  it('says 51 for a wrong password, and opens with the right one', () => {
    add('value');
    run('lock-keychain', '-a');
    expect(run('unlock-keychain', '-p', 'wrong', path).status).toBe(51);
    expect(run('unlock-keychain', '-p', 'open sesame', path).status).toBe(0);
    expect(run('show-keychain-info', path)).toEqual({
      status: 0,
      stdout: '',
      stderr: `Keychain "${path}" no-timeout\n`,
    });
    expect(get('-w').stdout).toBe('value\n');
  });

  it('says 50 for a keychain that is not there, 48 for one that is', () => {
    expect(run('unlock-keychain', '-p', 'x', join(home, 'none.keychain-db')).status).toBe(50);
    expect(run('find-generic-password', '-s', 'svc', join(home, 'none.keychain-db')).status).toBe(50);
    expect(run('create-keychain', '-p', 'x', path).status).toBe(48);
  });

  it('says 2 to a wrong use and 1 to an unknown command', () => {
    expect(run('add-generic-password', '-Z', path).status).toBe(2);
    expect(run('add-generic-password', '-w', 'x', path).status).toBe(2);
    expect(run('find-generic-password', '-s').status).toBe(2);
    expect(run('add-generic-password', '-s', 'svc', '-X', 'abc', path).status).toBe(2);
    expect(run('frobnicate')).toEqual({ status: 1, stdout: '', stderr: 'security: unknown command "frobnicate"\n' });
  });

  it('is locked after a restart, its file holding no clear text', () => {
    add('a very secret value');
    expect(readFileSync(path, 'utf8')).not.toContain('very secret');
    expect(readFileSync(path, 'utf8')).not.toContain(
      Buffer.from('a very secret value').toString('base64').slice(0, 12),
    );
    keychains = new Keychains();
    expect(get('-w').status).toBe(36);
  });

  it('deletes an item, and says so on stderr', () => {
    add('value');
    expect(run('delete-generic-password', '-s', 'svc', '-a', 'me', path)).toMatchObject({
      status: 0,
      stderr: 'password has been deleted.\n',
    });
    expect(get('-w').status).toBe(44);
  });

  it("hides another user's keychain where users are real", () => {
    const strict = new Keychains(true);
    expect(security(strict, { uid: 65_000, home, argv: ['show-keychain-info', path], stdin: '' }).status).toBe(50);
  });
});

describe('security -i', () => {
  it("runs each line, tells failures on stderr, and ends with the last one's status", () => {
    const reply = lines(
      `find-generic-password -s none "${path}"\nadd-generic-password -s svc -a me -w 'va lue' "${path}"\n`,
    );
    expect(reply.status).toBe(0);
    expect(reply.stderr).toContain('find-generic-password: returned 44\n');
    expect(get('-w').stdout).toBe('va lue\n');
    expect(lines(`lock-keychain "${path}"\nfind-generic-password -w -s svc "${path}"\n`).status).toBe(36);
  });

  it('drops a last line without its newline, and cuts lines at its buffer', () => {
    expect(lines('frobnicate')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(linesOf(Buffer.from('a\n\nb'))).toEqual(['a', '']);
    const long = `x ${'y'.repeat(5000)}\n`;
    expect(linesOf(Buffer.from(long)).map((line) => line.length)).toEqual([4095, 907]);
  });

  it('splits words at blanks and holds quotes together, backslashes escaping in both kinds', () => {
    expect(splitLine(`a  b\t"c d" 'e f'`)).toEqual(['a', 'b', 'c d', 'e f']);
    expect(splitLine(String.raw`"q\"uote" 'it\'s' back\\slash sp\ ace`)).toEqual([
      'q"uote',
      "it's",
      String.raw`back\slash`,
      'sp ace',
    ]);
    expect(splitLine(`"" x`)).toEqual(['', 'x']);
    expect(splitLine('$HOME `id` *')).toEqual(['$HOME', '`id`', '*']);
  });
});
