// What a log line may hold: a closed list of fields with plain values. Whatever else is handed over is dropped, and
// of an unknown error only its name and where it was thrown: messages of libraries quote what they were given.

import { isFailure, isFailureCode } from '../domain/failure.ts';

/** The fields, by what they are: numbers, or short texts that name things and hold no content of a lane. */
const fieldKinds = {
  fleet: 'text',
  lane: 'text',
  host: 'text',
  tier: 'text',
  bundle: 'text',
  segment: 'text',
  component: 'text',
  store: 'text',
  key: 'text',
  queue: 'text',
  taskQueue: 'text',
  workflowId: 'text',
  workflowType: 'text',
  runId: 'text',
  activityId: 'text',
  activityType: 'text',
  namespace: 'text',
  workerId: 'text',
  step: 'text',
  tool: 'text',
  field: 'text',
  version: 'text',
  address: 'text',
  attempt: 'number',
  exitStatus: 'number',
  expectedBytes: 'number',
  actualBytes: 'number',
  sizeBytes: 'number',
  count: 'number',
  elapsedMs: 'number',
  pid: 'number',
} as const satisfies Record<string, 'text' | 'number'>;

type FieldName = keyof typeof fieldKinds;

/** Fields of a log line. There is none for a secret, a file of a lane, or free text. */
export type LogFields = {
  readonly [Name in FieldName]?: (typeof fieldKinds)[Name] extends 'number' ? number : string;
} & { readonly error?: unknown };

/** Longer texts are cut: an id or a name never is so long. */
const textLength = 512;
const stackLines = 12;

type Plain = Record<string, unknown>;

/** The allowed fields of what was handed over, typed or not (Temporal's runtime hands over records of its own). */
export function siftFields(fields: Readonly<Record<string, unknown>>): Plain {
  const sifted: Plain = {};
  for (const [name, value] of Object.entries(fields)) {
    const kind = Object.hasOwn(fieldKinds, name) ? fieldKinds[name as FieldName] : undefined;
    if (kind === 'text' && typeof value === 'string') sifted[name] = value.slice(0, textLength);
    if (kind === 'number' && (typeof value === 'number' || typeof value === 'bigint')) sifted[name] = Number(value);
  }
  if (fields['error'] !== undefined) sifted['error'] = describeError(fields['error']);
  return sifted;
}

function describeError(error: unknown): Plain {
  // Our own messages are made to be read by anyone (domain/failure.ts).
  if (isFailure(error))
    return { code: error.code, message: error.message.slice(0, 4 * textLength), ...siftFields({ ...error.context }) };
  const failure = ownFailure(error);
  if (failure) return { code: failure.code, message: failure.message.slice(0, 4 * textLength) };
  if (!(error instanceof Error)) return { name: typeof error };
  return { name: error.name.slice(0, textLength), at: framesOf(error) };
}

/** What of Temporal's errors is ours: a failure whose type is a code of the table, itself or below their wrappers. */
function ownFailure(error: unknown): { readonly code: string; readonly message: string } | undefined {
  for (let one = error, depth = 0; one instanceof Error && depth < wrappers; one = one.cause, depth++) {
    if ('type' in one && isFailureCode(one.type)) return { code: one.type, message: one.message };
  }
  return undefined;
}
/** A child's activity fails inside three. */
const wrappers = 5;

/** The frames of a stack, without the message that it begins with. */
function framesOf(error: Error): string[] {
  const lines = (error.stack ?? '').replace(error.message, '').split('\n');
  const frames = lines.filter((line) => /^ {4}at .*[:(]/.test(line));
  return frames.slice(0, stackLines).map((line) => line.trim().slice(0, textLength));
}
