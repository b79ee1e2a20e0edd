// A YAML text with the position of everything in it. Errors say where, never what: a text may hold a secret that
// somebody put into the wrong file, so no message quotes it.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';

export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlError extends Position {
  readonly message: string;
}

type Path = readonly (string | number)[];

/** What was parsed. With `errors`, `value` may be missing. */
export interface YamlSource {
  readonly value: unknown;
  readonly errors: readonly YamlError[];
  /** Where the path's last step stands (the key of a map, the item of a list), or the deepest of its steps that is there. */
  locate(path: Path): Position;
}

/** Parses one YAML 1.2 document; anchors, aliases and `<<` are allowed, repeated keys and tags are not. */
export function parseYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const at = (offset: number): Position => positionOf(lines, offset);
  const errors = [...document.errors, ...document.warnings].map((error) => ({
    ...at(error.pos[0]),
    message: withoutQuotation(error.code, error.message),
  }));
  const unresolved = unresolvedAliases(document).map((offset) => ({
    ...at(offset),
    message: 'no anchor of this name stands before it',
  }));
  const all = [...errors, ...unresolved];
  const value = unresolved.length > 0 ? undefined : valueOf(document);
  if (value instanceof RangeError) all.push({ line: 1, column: 1, message: value.message });
  return {
    value: value instanceof RangeError ? undefined : value,
    errors: all,
    locate: (path) => at(offsetOf(document, path)),
  };
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function withoutQuotation(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is there twice';
  if (code === 'TAG_RESOLVE_FAILED') return 'tags are not allowed here';
  if (code === 'MULTIPLE_DOCS') return 'the file holds more than one document';
  return message.replace(/["'`:%!].*$/s, '').trim();
}

/** The value, or a RangeError when aliases multiply beyond reason. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 }) as unknown;
  } catch (error) {
    if (error instanceof ReferenceError) return new RangeError('aliases multiply beyond reason');
    throw error;
  }
}

function unresolvedAliases(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) offsets.push(alias.range?.[0] ?? 0);
    },
  });
  return offsets;
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const step of path) {
    const found = stepInto(resolved(node, document), step, document);
    if (found === undefined) return offset;
    [node, offset] = [found.node, found.offset];
  }
  return offset;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

interface Found {
  readonly node: unknown;
  readonly offset: number;
}

function stepInto(node: unknown, step: string | number, document: Document): Found | undefined {
  if (isMap(node)) return inMap(node, String(step), document);
  if (!isSeq(node)) return undefined;
  const item = node.items[Number(step)];
  return item === undefined ? undefined : { node: item, offset: startOf(item) };
}

function inMap(map: YAMLMap, key: string, document: Document): Found | undefined {
  const own = map.items.find(
    (pair) => isScalar(pair.key) && typeof pair.key.value !== 'symbol' && String(pair.key.value) === key,
  );
  if (own !== undefined) return { node: own.value, offset: startOf(own.key) };
  return map.items.filter(isMerge).flatMap((pair) => inMerged(pair.value, key, document))[0];
}

/** `<<`: the parser gives it as a symbol of that name. */
function isMerge(pair: Pair): boolean {
  return isScalar(pair.key) && typeof pair.key.value === 'symbol';
}

function inMerged(value: unknown, key: string, document: Document): Found[] {
  const source = resolved(value, document);
  const maps = isSeq(source) ? source.items.map((item) => resolved(item, document)) : [source];
  return maps.filter(isMap).flatMap((map) => inMap(map, key, document) ?? []);
}
