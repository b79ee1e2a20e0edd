// Bytes as text that `printf '%b'` turns back: how a name that may not be UTF-8 reaches a script as an argument.

const plainByte = /^[A-Za-z0-9_/.-]$/;

/** `\0ooo` for each byte that is not a plain letter; POSIX's form for `printf '%b'`. */
export function octalOf(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += plainByte.test(char) ? char : `\\0${byte.toString(8).padStart(3, '0')}`;
  }
  return text;
}
