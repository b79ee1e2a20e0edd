// What the scan looks for: each planted secret in every form in which it could lie about: raw, base64 at each of its
// three alignments (and URL-safe), hex in both cases. Compressed streams are opened by scan.ts.

export interface Secret {
  /** What it is; told instead of its value. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Needle {
  readonly secret: string;
  readonly form: string;
  readonly bytes: Buffer;
}

export function needlesOf(secrets: readonly Secret[]): Needle[] {
  return secrets.flatMap(({ name, bytes }) => {
    const hex = bytes.toString('hex');
    const forms: [string, Buffer][] = [
      ['raw', bytes],
      ['hex', Buffer.from(hex)],
      ['hex', Buffer.from(hex.toUpperCase())],
      ...[0, 1, 2].map((shift): [string, Buffer] => ['base64', Buffer.from(base64At(bytes, shift))]),
      ...[0, 1, 2].map((shift): [string, Buffer] => [
        'base64',
        Buffer.from(base64At(bytes, shift).replaceAll('+', '-').replaceAll('/', '_')),
      ]),
    ];
    return forms.map(([form, needle]) => ({ secret: name, form, bytes: needle }));
  });
}

/** The characters of base64 that these bytes alone decide, when `shift` others stand before them in a group of three. */
function base64At(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  const whole = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(Math.ceil((shift * 8) / 6), whole);
}
