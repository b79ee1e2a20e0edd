// The check of a workflow's input: what is right comes back with its defaults, what is wrong with every wrong field.

import { z } from 'zod';

export type InputSchema = z.ZodType;
export type InputOf<S extends InputSchema> = z.infer<S>;

export type ParsedInput<T> =
  | { readonly ok: true; readonly input: T }
  | { readonly ok: false; readonly problems: string; readonly issues: readonly z.core.$ZodIssue[] };

/** Never throws. `problems` has a line for each wrong field. */
export function parseObject<S extends InputSchema>(schema: S, raw: unknown): ParsedInput<InputOf<S>> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, input: parsed.data };
  return { ok: false, problems: z.prettifyError(parsed.error), issues: parsed.error.issues };
}
