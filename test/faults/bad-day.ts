// What happens to a lane between its backup and its restore, so that "restored" and "as it was" differ in every
// component; and whether its gateway answers.

import { appendFileSync, chownSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed, BedLane } from '../bed/bed.ts';
import type { BedProfile } from '../bed/bed-types.ts';
import { setItem } from './lane-look.ts';

interface Places {
  readonly config: string;
  readonly transcripts: string;
  readonly workspace: string;
}

/** Where a profile's lane keeps what, below its home. */
const places: Readonly<Record<BedProfile, Places>> = {
  'slimvps-legacy': { config: '.openclaw/config', transcripts: '.openclaw/transcripts', workspace: 'workspace' },
  'openclaw-2026': {
    config: '.openclaw',
    transcripts: '.openclaw/agents/main/sessions',
    workspace: '.openclaw/workspace',
  },
};

/** Changes files, adds some, removes one, and replaces a Keychain item that the gateway does not need to answer. */
export async function liveOn(bed: Bed, lane: BedLane, mark: string): Promise<void> {
  const { config, transcripts, workspace } = places[lane.profile];
  write(lane, `${config}/routes.json`, `${JSON.stringify({ default: 'openclaw/default', mark })}\n`);
  write(lane, `${transcripts}/later-${mark}.jsonl`, `${JSON.stringify({ role: 'user', content: mark })}\n`);
  write(lane, `${workspace}/project/src/main.ts`, `console.log('${mark}');\n`);
  write(lane, `${workspace}/later-${mark}.txt`, `${mark}\n`);
  const folder = join(lane.realHome, transcripts);
  const oldest = readdirSync(folder).find((name) => /^agent_main_s\d+\.jsonl$/.test(name));
  if (oldest !== undefined) rmSync(join(folder, oldest));
  await setItem(bed, lane, 'openclaw-webhook', `webhook-${mark}`);
}

function write(lane: BedLane, relative: string, content: string): void {
  const path = join(lane.realHome, relative);
  const { uid, gid } = statSync(lane.realHome);
  const isNew = !existsSync(path);
  writeFileSync(path, content, { mode: 0o600 });
  if (isNew) chownSync(path, uid, gid);
}

/** The gateway writes on in a conversation while it is backed up. */
export function talk(lane: BedLane): void {
  const transcripts = join(lane.realHome, places[lane.profile].transcripts);
  const name = readdirSync(transcripts).find((one) => one.endsWith('.jsonl') && !one.includes('probe'));
  if (name === undefined) throw new Error(`lane ${lane.lane} has no transcript`);
  appendFileSync(join(transcripts, name), `${JSON.stringify({ role: 'user', content: 'and another thing' })}\n`);
}

/** Does a message get an answer within the time? Health alone proves nothing. */
export async function answersWithin(lane: BedLane, withinMs: number): Promise<boolean> {
  const untilMs = Date.now() + withinMs;
  for (;;) {
    if (await answers(lane)) return true;
    if (Date.now() > untilMs) return false;
    await sleep(500);
  }
}

async function answers(lane: BedLane): Promise<boolean> {
  const token = lane.values[lane.messageToken.service]?.toString('utf8') ?? '';
  const response = await fetch(`http://127.0.0.1:${lane.port}/v1/chat/completions`, {
    method: 'POST',
    signal: AbortSignal.timeout(5_000),
    headers: { authorization: `Bearer ${token}`, 'x-openclaw-session-key': 'agent:main:clawback-probe' },
    body: JSON.stringify({ model: 'openclaw/default', messages: [{ role: 'user', content: 'are you there?' }] }),
  }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
