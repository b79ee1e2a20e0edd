// Calls a hook that is a service: one POST, JSON in and out. A redirect is refused, for it would carry what was said, and
// the headers' secrets, elsewhere; certificates are checked as Node checks them (NODE_EXTRA_CA_CERTS adds some).

import { limits } from '../domain/limits.ts';
import type { HookOutcome, HookQuestion, HttpCall } from './hook-call.ts';

/** @throws the signal's reason when aborted */
export async function callHttp(call: HttpCall, question: HookQuestion): Promise<HookOutcome> {
  question.signal.throwIfAborted();
  const inTime = AbortSignal.timeout(question.timeoutMs);
  try {
    const response = await fetch(call.url, {
      method: 'POST',
      headers: { ...call.headers, 'content-type': 'application/json', 'idempotency-key': question.key },
      body: question.body,
      redirect: 'manual',
      signal: AbortSignal.any([question.signal, inTime]),
    });
    return await outcomeOf(response);
  } catch (error) {
    question.signal.throwIfAborted();
    if (inTime.aborted) return failed(`did not answer within ${question.timeoutMs / 1000} s`);
    return failed(`could not be called (${codeOf(error)})`);
  }
}

async function outcomeOf(response: Response): Promise<HookOutcome> {
  const { status } = response;
  if (response.ok) return readAnswer(response);
  await response.body?.cancel();
  if (status >= 300 && status < 400)
    return failed(`answered a redirect (HTTP status ${status}), which is not followed`, false);
  // what says that the request itself is wrong will say so again
  return failed(`answered HTTP status ${status}`, status >= 500 || status === 408 || status === 429);
}

async function readAnswer({ body }: Response): Promise<HookOutcome> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.length;
    // leaving the loop cancels the rest
    if (sizeBytes > limits.hookAnswerBytes) return { kind: 'too-large' };
    chunks.push(chunk);
  }
  return { kind: 'answer', bytes: Buffer.concat(chunks) };
}

function failed(reason: string, again = true): HookOutcome {
  return { kind: 'failed', reason, again };
}

/** The library's text may quote the URL. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no code';
}
