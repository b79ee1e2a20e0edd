import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { octalOf } from '../../../src/lane/octal.ts';
import { quoteArgv } from '../../../src/lane/quote.ts';

// a process for each round, on a machine that may be busy
vi.setConfig({ testTimeout: 60_000 });

const shells = ['/bin/sh', '/bin/bash'];
const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;~#=%^ \t\n\r-@:') }),
);
const sayable = word.filter((text) => text.isWellFormed() && !text.includes('\0'));

describe.each(shells)('quoteArgv in %s', (shell) => {
  it('gives back every word, byte for byte', () => {
    fc.assert(
      fc.property(fc.array(sayable, { minLength: 1, maxLength: 20 }), (words) => {
        const out = execFileSync(shell, ['-c', `printf '%s\\0' ${quoteArgv(words)}`]);
        expect(out.toString('utf8').split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });

  it('survives a second shell inside the first', () => {
    fc.assert(
      fc.property(fc.array(sayable, { minLength: 1, maxLength: 4 }), (words) => {
        const inner = `printf '%s\\0' ${quoteArgv(words)}`;
        const out = execFileSync(shell, ['-c', quoteArgv([shell, '-c', inner])]);
        expect(out.toString('utf8').split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 40 },
    );
  });

  it('turns octal text back into any bytes but NUL, as one word of a command', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60, min: 1 });
    fc.assert(
      fc.property(bytes, (name) => {
        const script = `printf '%b' "$1" | xargs -0 -n 1 sh -c 'printf %s "$1"' sh`;
        const out = execFileSync(shell, ['-c', script, 'sh', octalOf(Buffer.from(name))], {
          env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
        });
        expect(out).toEqual(Buffer.from(name));
      }),
      { numRuns: 40 },
    );
  });
});

describe('quoteArgv', () => {
  it('refuses what no command line can carry', () => {
    expect(() => quoteArgv(['a\0b'])).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
    expect(() => quoteArgv(['\ud800'])).toThrow(expect.objectContaining({ code: 'InvalidInput' }));
  });

  it('quotes an empty word', () => {
    expect(quoteArgv(['', 'a'])).toBe("'' a");
  });
});
