import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteString, matchesAny, treeMatcher } from '../../../src/bundle/globs.ts';

const matches = (path: string | Buffer, glob: string): boolean => matchesAny(Buffer.from(path as string), [glob]);

describe('globs over bytes', () => {
  it.each([
    ['**/node_modules/**', 'a/node_modules', true],
    ['**/node_modules/**', 'node_modules/x', true],
    ['**/node_modules/**', 'a/node_modules/b\nc/d', true],
    ['**/node_modules/**', 'a/my_node_modules/b', false],
    ['.openclaw/**/*.jsonl', '.openclaw/x.jsonl', true],
    ['.openclaw/**/*.jsonl', '.openclaw/a/.b/x\n.jsonl', true],
    ['.openclaw/*.jsonl', '.openclaw/a/x.jsonl', false],
    ['a/?', 'a/b', true],
    ['a/?', 'a/bc', false],
    ['workspace/big/', 'workspace/big', true],
    ['a/*', 'a/.hidden', true],
  ])('%s on %j is %s', (glob, path, expected) => {
    expect(matches(path, glob)).toBe(expected);
  });

  it('take every other character for itself', () => {
    for (const name of [
      '[ab]',
      '{a,b}',
      '!a',
      '+(a)',
      'a|b',
      '$x^',
      'a\\b',
      '(a)',
      '#a',
      '~',
      'a.b',
      '"a"',
      "'",
      '@(a)',
      'é',
      'a b',
      '-x',
    ]) {
      expect(matches(name, name), name).toBe(true);
    }
    expect(matches('a', '[ab]')).toBe(false);
    expect(matches('axb', 'a.b')).toBe(false);
    expect(matches('b', '!a')).toBe(false);
  });

  it('match a name that is not UTF-8 by its bytes, and no look-alike', () => {
    const name = Buffer.from([0x61, 0xff]);
    expect(matchesAny(name, ['a?'])).toBe(true);
    expect(matchesAny(name, ['a\ufffd'])).toBe(false);
    expect(matchesAny(Buffer.from('é'), ['é'])).toBe(true);
    expect(matchesAny(Buffer.from('é'), ['?'])).toBe(false);
  });

  it('keep two different names apart, whatever their bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(byteString(Buffer.from(a)) === byteString(Buffer.from(b))).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });

  it('are compiled anew past the number that is remembered', () => {
    for (let at = 0; at < 1010; at++) expect(matches(`name-${at}`, `name-${at}`)).toBe(true);
  });
});

describe('a tree matcher', () => {
  it('matches what lies below a matched directory, as find -prune does', () => {
    const excluded = treeMatcher(['workspace/big', '**/*.lock']);
    const answer = (path: string): boolean => excluded(Buffer.from(path));
    expect(['workspace/big', 'workspace/big/a/b', 'x/y.lock', 'x/y.lock/pid'].map(answer)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['workspace', 'workspace/bigger', 'x/y', 'big'].map(answer)).toEqual([false, false, false, false]);
  });

  it('matches nothing without globs', () => {
    expect(treeMatcher([])(Buffer.from('a/b'))).toBe(false);
  });
});
