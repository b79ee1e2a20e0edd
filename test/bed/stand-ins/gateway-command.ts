// `openclaw gateway suspend` and `openclaw gateway resume <id>` on a bed host, as OpenClaw's own documentation has them
// (docs/cli/gateway/query.md; seen in openclaw-notes, 8): JSON on stdout, exit status 1 while work is under way after
// the wait, or when another suspension is held. Answers nothing else.

import { setTimeout as sleep } from 'node:timers/promises';

const [, , , verb = '', ...words] = process.argv;

function option(name: string): string | undefined {
  const at = words.indexOf(`--${name}`);
  return at < 0 ? undefined : words[at + 1];
}

const port = option('port') ?? process.env['OPENCLAW_GATEWAY_PORT'] ?? '18789';

interface Answer {
  readonly status?: string;
}

async function ask(body: object): Promise<{ readonly http: number; readonly answer: Answer }> {
  const response = await fetch(`http://127.0.0.1:${port}/${verb}`, { method: 'POST', body: JSON.stringify(body) });
  return { http: response.status, answer: (await response.json()) as Answer };
}

async function suspend(): Promise<boolean> {
  const requestId = option('request-id') ?? crypto.randomUUID();
  const untilMs = Date.now() + 1000 * Number(option('wait') ?? 0);
  for (;;) {
    const { http, answer } = await ask({ requestId });
    if (http !== 200 || answer.status === 'ready' || Date.now() >= untilMs) {
      process.stdout.write(`${JSON.stringify({ ...answer, requestId }, undefined, 2)}\n`);
      return http === 200 && answer.status === 'ready';
    }
    await sleep(200);
  }
}

async function resume(): Promise<boolean> {
  const { http, answer } = await ask({ suspensionId: words[0] });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return http === 200;
}

try {
  process.exitCode = (await (verb === 'suspend' ? suspend() : resume())) ? 0 : 1;
} catch (error) {
  process.stderr.write(`Gateway ${verb} failed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
