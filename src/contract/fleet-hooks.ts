// `hooks` of fleet.yaml: which program or service does what only the operator's own surroundings can.

import { z } from 'zod';
import { durationSchema } from './fleet-units.ts';
import { hookKinds, type HookKind } from './hooks.ts';
import { secretRefSchema } from './secret-ref.ts';

const minuteMs = 60_000;

/** What installs OpenClaw or a Mac takes long, and is not done twice unasked. */
const slow = { timeoutMs: 30 * minuteMs, attempts: 1 };
const quick = { timeoutMs: minuteMs, attempts: 3 };

/** Where the fleet file does not say. */
export const hookPresets: Readonly<Record<HookKind, { readonly timeoutMs: number; readonly attempts: number }>> = {
  alert: quick,
  upgrade: slow,
  // it installs too, but is wanted badly: it is the way back
  pin: { ...slow, attempts: 3 },
  provision: slow,
  fence: quick,
  dns: quick,
};

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a variable has letters, digits and _ only');

/** These are the caller's own. */
const ownHeaders = /^(?:connection|content-length|content-type|host|idempotency-key|transfer-encoding)$/i;

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}$/, 'a header name has letters, digits and dashes')
  .refine((name) => !ownHeaders.test(name), 'this header is set by Clawback itself');

const plainText = z
  .string()
  .regex(/^[\x20-\x7e]{0,1000}$/, 'one line of at most 1,000 plain characters, or a reference to a secret');

const url = z
  .string()
  .max(2000, 'a URL has at most 2,000 characters')
  .refine(
    (text) => refuseHookUrl(text) === undefined,
    'an https:// URL without user and password (http:// to this machine only)',
  );

/** Why a hook may not be called there; undefined when it may. The URL itself is not repeated: it may be a secret. */
export function refuseHookUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return 'it is no URL';
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'it holds a user or a password';
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return 'it is neither https:// nor http://';
  return isLoopback(hostname) ? undefined : 'it is http:// to another machine, where only https:// is allowed';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

const hookSchema = z
  .strictObject({
    command: z
      .array(z.string().max(4096, 'an argument has at most 4,096 characters'))
      .min(1, 'a command names its program')
      .max(32, 'a command has at most 32 arguments')
      .optional()
      .describe(
        "a program, relative to the fleet file or absolute, and its arguments; run without a shell in the fleet file's folder",
      ),
    env: z
      .record(variable, secretRefSchema)
      .optional()
      .describe('variables of the command, beside PATH, HOME and LANG: each a reference to a secret'),
    http: z
      .strictObject({
        url: z
          .union([url, secretRefSchema], {
            error: 'an https:// URL (http:// to this machine only), or a reference to a secret',
          })
          .meta({ title: 'URL or [secret](#secret-references)' })
          .describe('where'),
        method: z.literal('POST').default('POST').describe('how'),
        headers: z
          .record(
            headerName,
            z
              .union([plainText, secretRefSchema], { error: 'one line of text, or a reference to a secret' })
              .meta({ title: 'text or [secret](#secret-references)' }),
          )
          .optional()
          .describe('headers of the request: text, or references to secrets'),
      })
      .optional()
      .describe('instead of a command: a service that is called'),
    timeout: durationSchema({ from: '1s', to: '4h' })
      .optional()
      .describe('after which one attempt is ended; default 60s, of `upgrade`, `pin` and `provision` 30m'),
    attempts: z
      .int('a whole number')
      .min(1, 'at least 1')
      .max(5, 'at most 5')
      .optional()
      .describe('how often it is tried when it fails, 1 to 5; default 3, of `upgrade` and `provision` 1'),
  })
  .refine(
    (hook) => (hook.command === undefined) !== (hook.http === undefined),
    'exactly one of command and http is needed',
  )
  .refine((hook) => hook.env === undefined || hook.command !== undefined, {
    path: ['env'],
    message: 'env goes with command; a request has http.headers',
  });

export type FleetHook = z.infer<typeof hookSchema>;

export const hooksSchema = z.partialRecord(z.enum(hookKinds), hookSchema);
