// Believable data for a lane, the same for the same seed.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BedProfile } from './bed-types.ts';

export interface LaneDataOptions {
  readonly home: string;
  readonly profile: BedProfile;
  readonly bytes: number;
  readonly seed: string;
}

export async function plantLaneData(options: LaneDataOptions): Promise<void> {
  const transcripts = join(options.home, '.openclaw/transcripts');
  const workspace = join(options.home, options.profile === 'slimvps-legacy' ? 'workspace' : '.openclaw/workspace');
  mkdirSync(workspace, { recursive: true, mode: 0o700 });
  if (options.profile === 'slimvps-legacy') {
    mkdirSync(transcripts, { recursive: true, mode: 0o700 });
    writeFileSync(join(transcripts, 'agent_main_main.jsonl'), `${JSON.stringify({ role: 'user', content: 'hello' })}\n`, { mode: 0o600 });
  }
  writeFileSync(join(workspace, 'AGENTS.md'), '# Agents\n');
}
