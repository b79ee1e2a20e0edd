import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/domain/limits.ts';
import { addCommand, commandOf, isExpressible, parsePassword } from '../../../src/lane/keychain-line.ts';

/** split_line of Apple's security.c, state by state, on bytes. */
function splitLine(line: Buffer): Buffer[] {
  const words: Buffer[] = [];
  let word: number[] | undefined;
  let quote = 0;
  let escaped = false;
  for (const byte of line) {
    if (word === undefined) {
      if ([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d].includes(byte)) continue;
      word = [];
      quote = byte === 0x22 || byte === 0x27 ? byte : 0;
      if (quote !== 0) continue;
    }
    if (escaped) {
      word.push(byte);
      escaped = false;
    } else if (byte === 0x5c) escaped = true;
    else if (quote === 0 ? [0x20, 0x09].includes(byte) : byte === quote) {
      words.push(Buffer.from(word));
      word = undefined;
    } else word.push(byte);
  }
  if (word !== undefined) words.push(Buffer.from(word));
  return words;
}

/** print_buffer of Apple's keychain_utilities.c. */
function printBuffer(value: Buffer): string {
  const isPlain = (byte: number) => byte >= 0x20 && byte <= 0x7e && byte !== 0x5c;
  const hex = [...value].some((byte) => !isPlain(byte));
  const ascii = [...value].some(isPlain);
  const octal = (byte: number) =>
    isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  return `${hex ? `0x${value.toString('hex').toUpperCase()}${ascii ? '  ' : ' '}` : ''}${ascii ? `"${[...value].map(octal).join('')}"` : ''}`;
}

const name = fc.string({ unit: 'binary', maxLength: 60 }).filter(isExpressible);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...'\'"\\ aé0x') }).map((text) => Buffer.from(text)),
);

describe('a line for security -i', () => {
  it('is read back word for word', () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (words) => {
        expect(splitLine(Buffer.from(commandOf(words))).map(String)).toEqual(words);
      }),
    );
  });

  it('carries any value', () => {
    fc.assert(
      fc.property(name, name, value, (service, account, bytes) => {
        const line = addCommand({ service, account }, Buffer.from(bytes), '/k');
        fc.pre(line !== undefined);
        const words = splitLine(Buffer.from(line));
        expect(words.slice(0, 6).map(String)).toEqual(['add-generic-password', '-U', '-a', account, '-s', service]);
        const given = words[6]?.toString() === '-X' ? Buffer.from(String(words[7]), 'hex') : words[7];
        expect(given?.equals(Buffer.from(bytes))).toBe(true);
        expect(line).not.toContain('\n');
      }),
    );
  });

  it('is refused when it does not fit, or a name cannot be said', () => {
    const item = { service: 's', account: 'a' };
    const longest =
      limits.keychainLineBytes -
      Buffer.byteLength(commandOf(['add-generic-password', '-U', '-a', 'a', '-s', 's', '-w', '', '/k']));
    expect(addCommand(item, Buffer.alloc(longest, 'x'), '/k')).toHaveLength(limits.keychainLineBytes);
    expect(addCommand(item, Buffer.alloc(longest + 1, 'x'), '/k')).toBeUndefined();
    expect(addCommand(item, Buffer.alloc(longest, '"'), '/k')).toBeUndefined();
    expect(addCommand({ ...item, account: 'a\nb' }, Buffer.from('x'), '/k')).toBeUndefined();
    expect(addCommand({ ...item, service: '\ud800' }, Buffer.from('x'), '/k')).toBeUndefined();
  });
});

describe('what -g prints', () => {
  it('gives the value back, whatever it holds', () => {
    fc.assert(
      fc.property(value, (bytes) => {
        const stderr = `password: ${printBuffer(Buffer.from(bytes))}\n`;
        expect(parsePassword(stderr)?.toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
      }),
    );
  });

  it('tells text that looks like hex from hex', () => {
    expect(parsePassword('password: "0x41"\n')?.toString()).toBe('0x41');
    expect(parsePassword('password: 0x41 \n')?.toString()).toBe('A');
    expect(parsePassword('password: "a"b"\n')?.toString()).toBe('a"b');
  });

  it('is not guessed when its form is unknown', () => {
    expect(parsePassword('keychain: x\n')).toBeUndefined();
    expect(parsePassword('password: something\n')).toBeUndefined();
    expect(parsePassword('password: 0x4\n')).toBeUndefined();
  });
});
