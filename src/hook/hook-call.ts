// What a call of a hook is, and what comes of it. No text that a hook or its service wrote is in an outcome but its
// answer: it may quote a secret.

export interface CommandCall {
  readonly way: 'command';
  /** The program's absolute path, and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface HttpCall {
  readonly way: 'http';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HookQuestion {
  /** JSON. */
  readonly body: string;
  readonly key: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `again`: may another attempt end otherwise? */
export type HookOutcome =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly reason: string; readonly again: boolean }
  | { readonly kind: 'too-large' };
