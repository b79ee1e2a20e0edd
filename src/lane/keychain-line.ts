// The lines that `security -i` reads, and the value that `-g` prints: both exactly as Apple's SecurityTool has them
// (security.c: split_line, 4096-byte buffer; print_buffer). Pure.

import type { KeychainItem } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';

/** Words in double quotes, `"` and `\` escaped: split_line takes a backslash for an escape inside quotes too. */
export function commandOf(words: readonly string[]): string {
  return words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');
}

/** Can a name stand in a line? A line ends at a newline, a C string at NUL; what is not Unicode has no bytes. */
export function isExpressible(text: string): boolean {
  return !/[\n\0]/.test(text) && text.isWellFormed();
}

function isPlainText(value: Buffer): boolean {
  return value.every((byte) => byte >= 0x20 && byte <= 0x7e);
}

/** The command that writes an item; undefined when it would not fit a line or a name cannot be said. */
export function addCommand(item: KeychainItem, value: Buffer, keychain: string): string | undefined {
  if (![item.service, item.account, keychain].every(isExpressible)) return undefined;
  const data = isPlainText(value) ? ['-w', value.toString('latin1')] : ['-X', value.toString('hex')];
  const line = commandOf(['add-generic-password', '-U', '-a', item.account, '-s', item.service, ...data, keychain]);
  return Buffer.byteLength(line) <= limits.keychainLineBytes ? line : undefined;
}

/**
 * The value in what `find-generic-password -g` writes to stderr: `password: "text"` (nothing in it is escaped, it has
 * neither backslash nor newline), `password: 0x68C3A9  "h\303\251"`, or `password: ` for an empty one.
 */
export function parsePassword(stderr: string): Buffer | undefined {
  const line = /^password: (.*)$/m.exec(stderr)?.[1];
  if (line === undefined) return undefined;
  if (line.trim() === '') return Buffer.alloc(0);
  const hex = /^0x((?:[0-9A-Fa-f]{2})+)(?: |$)/.exec(line)?.[1];
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  const text = /^"(.*)"$/.exec(line)?.[1];
  return text === undefined ? undefined : Buffer.from(text, 'latin1');
}
