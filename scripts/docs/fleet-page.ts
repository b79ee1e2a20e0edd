// docs/fleet.md and docs/fleet.schema.json: the reference of fleet.yaml, from the schema that checks it.

import { sampleFleet } from '../../src/config/sample-fleet.ts';
import { fleetJsonSchema } from '../../src/contract/fleet.ts';
import { generatedNote, table } from './markdown.ts';

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

type Row = readonly [field: string, type: string, fallback: string, meaning: string];

export function renderFleetSchema(): string {
  return `${JSON.stringify({ title: 'fleet.yaml of Clawback', ...fleetJsonSchema() }, null, 2)}\n`;
}

export function renderFleetPage(): string {
  const schema = fleetJsonSchema() as Schema;
  const required = new Set(schema.required);
  const sections = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    `## ${name}`,
    `${capital(field.description ?? '')}.`,
    table(
      ['field', 'type', 'default', 'meaning'],
      rowsOf(name, field, required.has(name)).filter((row) => row[0] !== name || !hasFields(field)),
    ),
  ]);
  const reference = schema.$defs?.['SecretRef'];
  return [
    generatedNote,
    '# fleet.yaml',
    'One file describes the whole fleet. `./clawback config check` shows every error at once, with line and column. Unknown keys are errors; secrets stand in it by reference only, and a relative path is relative to the file. For completion in an editor, point it at [fleet.schema.json](fleet.schema.json), as the first line of the example does.',
    '## An example',
    `\`\`\`yaml\n${sampleFleet()}\`\`\``,
    ...sections,
    '## Secret references',
    `${capital(reference?.description ?? '')}. A literal is refused. One newline at the end of the value is dropped, it may have 64 KiB, and a command may take 10 seconds.`,
    table(['field', 'type', 'meaning'], (reference?.anyOf ?? []).flatMap(waysOf)),
    '## Types',
    table(['type', 'form'], typeRows),
    '',
  ].join('\n\n');
}

const typeRows: readonly (readonly string[])[] = [
  ['name', 'lower-case letters, digits and inner dashes, at most 40 characters'],
  ['duration', '`45s`, `90m`, `24h`, `7d`, `1h30m`; a unit is needed'],
  ['size', '`64KiB`, `256MiB`, `1GiB`'],
  [
    'path',
    'relative to the fleet file, or absolute; `~/` is the home of whoever runs the worker (in `keychain`: of the lane)',
  ],
  ['absolute path', 'begins with `/`, does not end with it, has no `..`'],
  ['glob', "below the lane's home: `*` and `?` within a name, `**` across folders"],
];

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function hasFields(schema: Schema): boolean {
  return (
    schema.properties !== undefined || schema.oneOf !== undefined || typeof schema.additionalProperties === 'object'
  );
}

/** A field's own row, and those of the fields below it. */
function rowsOf(field: string, schema: Schema, isRequired: boolean): Row[] {
  const own: Row = [`\`${field}\``, typeOf(schema), fallbackOf(schema, isRequired), schema.description ?? ''];
  const entry = schema.additionalProperties;
  if (isChoice(schema.propertyNames))
    return typeof entry === 'object' && hasFields(entry) ? fieldRows(`${field}.KIND`, entry) : [own];
  if (typeof entry === 'object')
    return hasFields(entry) ? fieldRows(`${field}.NAME`, entry) : [[`\`${field}.NAME\``, typeOf(entry), '–', own[3]]];
  if (schema.items?.properties !== undefined) return [own, ...fieldRows(`${field}[]`, schema.items)];
  return schema.properties === undefined ? [own] : [...(field.includes('.') ? [own] : []), ...fieldRows(field, schema)];
}

function fieldRows(field: string, schema: Schema): Row[] {
  const alternatives = schema.oneOf ?? [schema];
  return alternatives.flatMap(({ properties, required }) =>
    Object.entries(properties ?? {}).flatMap(([name, child]) =>
      rowsOf(`${field}.${name}`, child, required?.includes(name) ?? false),
    ),
  );
}

function isChoice(schema: Schema | undefined): boolean {
  return schema?.enum !== undefined;
}

function typeOf(schema: Schema): string {
  if (schema.$ref?.endsWith('/SecretRef') === true) return '[secret](#secret-references)';
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.items !== undefined)
    return `list of ${schema.items.title ?? (schema.items.type === 'string' ? 'text' : 'items')}`;
  return nameOfType(schema.type);
}

function nameOfType(type: string | undefined): string {
  const names: Readonly<Record<string, string>> = { string: 'text', integer: 'number', object: 'map' };
  return names[type ?? ''] ?? type ?? '';
}

function fallbackOf(schema: Schema, isRequired: boolean): string {
  if (isRequired) return 'required';
  const isEmpty =
    schema.default === undefined || JSON.stringify(schema.default) === '{}' || JSON.stringify(schema.default) === '[]';
  return isEmpty ? '–' : `\`${String(schema.default)}\``;
}

function waysOf(way: Schema): string[][] {
  return Object.entries(way.properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field),
    field.description ?? '',
  ]);
}
