// Globs over names that are bytes. A byte is a character (latin1), so that two different names never look alike,
// whatever their encoding. Known are `**`, `*` and `?`; everything else stands for itself, a closing `/` for nothing.

import picomatch from 'picomatch';

/** Everything that picomatch would read as more than itself, `*` and `?` excepted. */
const special = /[\\[\]{}()!+@|^$.,<>~'"&#;]/g;

/** A name's bytes as a string of the same length: one to one, unlike UTF-8 decoding. */
export function byteString(path: Buffer): string {
  return path.toString('latin1');
}

function compile(glob: string): RegExp {
  const bytes = byteString(Buffer.from(glob.replace(/\/+$/, ''), 'utf8'));
  const options = {
    dot: true,
    nobrace: true,
    nobracket: true,
    noextglob: true,
    nonegate: true,
    posixSlashes: false,
    flags: 's',
  };
  return picomatch.makeRe(bytes.replaceAll(special, '\\$&'), options);
}

const compiled = new Map<string, RegExp>();

function regexpOf(glob: string): RegExp {
  const found = compiled.get(glob) ?? compile(glob);
  if (compiled.size < maxCompiled) compiled.set(glob, found);
  return found;
}
/** Profiles have some thirty globs, operators add theirs; past this they are compiled each time. */
const maxCompiled = 1000;

/** Does one of the globs match the path itself? */
export function matchesAny(path: Buffer, globs: readonly string[]): boolean {
  const name = byteString(path);
  return globs.some((glob) => regexpOf(glob).test(name));
}

/**
 * A matcher for a set of globs that also matches whatever lies below a matched directory, as `find -prune` does.
 * It remembers directories, so that a large listing costs one test of each path.
 */
export function treeMatcher(globs: readonly string[]): (path: Buffer) => boolean {
  const tests = globs.map(regexpOf);
  const directories = new Map<string, boolean>([['', false]]);
  const matches = (name: string): boolean => tests.some((test) => test.test(name)) || below(parentOf(name));
  const below = (directory: string): boolean => {
    const known = directories.get(directory) ?? matches(directory);
    directories.set(directory, known);
    return known;
  };
  return (path) => matches(byteString(path));
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}
