// A reference to a secret: where its value is found, never the value itself. Exactly one way is named.
// A literal is refused, and no message repeats what was written in its place.

import { z } from 'zod';

const advice = 'give { env: NAME }, { file: PATH } or { command: [program, argument…] }';

function refusal(input: unknown): string {
  if (typeof input === 'string') return `a secret must not stand in this file: ${advice}`;
  if (input === undefined) return advice;
  return `a reference to a secret names exactly one of env, file, command: ${advice}`;
}

const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'the name of an environment variable has letters, digits and _ only')
  .describe('name of an environment variable of the worker');

const filePath = z
  .string()
  .min(1, 'a path must not be empty')
  .max(1024, 'a path has at most 1,024 characters')
  .regex(/^[^\0\n\r]*$/, 'a path is one line')
  .describe('path of a file, relative to the fleet file; it should be readable by its owner only');

const commandArgv = z
  .array(z.string().max(4096, 'an argument has at most 4,096 characters'))
  .min(1, 'a command names its program')
  .max(32, 'a command has at most 32 arguments')
  .describe(
    'a program and its arguments, run without a shell in the folder of the fleet file; its output is the secret',
  );

const waysOfReference = ['env', 'file', 'command'] as const;

function namesOneWay(input: unknown): boolean {
  if (typeof input !== 'object' || input === null) return false;
  const keys = Object.keys(input);
  return keys.length === 1 && waysOfReference.some((way) => way === keys[0]);
}

/** The zod schema of a reference to a secret. */
export const secretRefSchema = z
  .union(
    [z.strictObject({ env: envName }), z.strictObject({ file: filePath }), z.strictObject({ command: commandArgv })],
    {
      error: (issue) => (namesOneWay(issue.input) ? innerRefusal(issue) : refusal(issue.input)),
    },
  )
  .meta({ id: 'SecretRef', description: 'where a secret is found: exactly one of `env`, `file`, `command`' });

/** Of three alternatives, the one whose key was given says what is wrong with its value. */
function innerRefusal(issue: { readonly code?: string; readonly errors?: unknown }): string {
  const alternatives = Array.isArray(issue.errors)
    ? (issue.errors as readonly (readonly { code: string; message: string }[])[])
    : [];
  const fitting = alternatives.find((errors) => errors.every((error) => error.code !== 'unrecognized_keys'));
  return fitting?.[0]?.message ?? refusal(undefined);
}

export type SecretRef = z.infer<typeof secretRefSchema>;

/** How a reference is named in messages: never its value, and of a command only the program. */
export function describeSecretRef(ref: SecretRef): string {
  if ('env' in ref) return `env ${ref.env}`;
  if ('file' in ref) return `file ${ref.file}`;
  return `command ${ref.command[0]}`;
}
