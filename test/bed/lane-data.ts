// Believable data for a lane, the same for the same seed: conversations as JSONL, a workspace with a repository of many
// small files and a few packs, configuration, channels, and the caches that a backup skips.

import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BedProfile } from './bed-types.ts';

export interface LaneDataOptions {
  /** The lane's home, as this process sees it. */
  readonly home: string;
  readonly profile: BedProfile;
  /** About so much of classes 1 and 2 together; caches come on top, a tenth of it. */
  readonly bytes: number;
  readonly seed: string;
}

/** A stream of numbers from a seed (xorshift32): the bed's data is the same on every machine. */
class Random {
  #state: number;

  constructor(seed: string) {
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE(0) | 1;
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  bytes(size: number): Buffer {
    const buffer = Buffer.alloc(Math.ceil(size / 4) * 4);
    for (let at = 0; at < buffer.length; at += 4) buffer.writeUInt32LE(this.below(0x1_0000_0000), at);
    return buffer.subarray(0, size);
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[this.below(from.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }
}

const words =
  'agent lane restore build deploy tokyo review please check the log again merge branch failing test port gateway channel message model route queue cache token budget index schema draft summary weather ticket invoice customer reply later today tomorrow quickly exactly about because between without'.split(
    ' ',
  );

interface Planting extends LaneDataOptions {
  readonly random: Random;
  readonly transcripts: string;
  readonly workspace: string;
}

/** Plants the data. Configuration, keychain and plist are made elsewhere. */
export function plantLaneData(options: LaneDataOptions): void {
  const legacy = options.profile === 'slimvps-legacy';
  const state = join(options.home, '.openclaw');
  const planting: Planting = {
    ...options,
    random: new Random(options.seed),
    transcripts: join(state, legacy ? 'transcripts' : 'agents/main/sessions'),
    workspace: join(options.home, legacy ? 'workspace' : '.openclaw/workspace'),
  };
  plantIdentity(planting, legacy ? join(state, 'config') : state);
  plantTranscripts(planting, Math.floor(options.bytes * 0.45));
  plantWorkspace(planting, Math.floor(options.bytes * 0.45));
  plantDatabase(
    planting,
    legacy ? join(state, 'transcripts/sessions.sqlite') : join(state, 'agents/main/agent/openclaw-agent.sqlite'),
    Math.floor(options.bytes * 0.1),
  );
  plantCaches(planting, Math.floor(options.bytes * 0.1));
}

let lastFolder = '';

function write(path: string, content: string | Buffer, mode = 0o600): void {
  const folder = dirname(path);
  if (folder !== lastFolder) mkdirSync(folder, { recursive: true, mode: 0o700 });
  lastFolder = folder;
  writeFileSync(path, content, { mode });
}

const phraseWords = 6;

/** 4,096 phrases of six words: a word at a time is several times slower, and compresses no less. */
function phrasesOf(random: Random): readonly string[] {
  return Array.from({ length: 4096 }, () => Array.from({ length: phraseWords }, () => random.pick(words)).join(' '));
}

const phrases = phrasesOf(new Random('phrases'));

function sentence(random: Random, count: number): string {
  let text = random.pick(phrases);
  for (let left = count - phraseWords; left > 0; left -= phraseWords) text += ` ${random.pick(phrases)}`;
  return text;
}

function plantIdentity(planting: Planting, config: string): void {
  const { random } = planting;
  write(
    join(config, 'channels/telegram.json'),
    `${JSON.stringify({ allowFrom: [random.below(1e9)], polling: true }, undefined, 2)}\n`,
  );
  write(
    join(config, 'routes.json'),
    `${JSON.stringify({ default: 'openclaw/default', fallbacks: ['local/small'] }, undefined, 2)}\n`,
  );
  write(
    join(config, 'credentials/whatsapp/main/creds.json'),
    `${JSON.stringify({ noiseKey: random.bytes(32).toString('base64'), registrationId: random.below(1e6) })}\n`,
  );
  write(join(config, 'identity.key'), random.bytes(32));
}

/** 2025-11-01, from which the planted files' times count. */
const epochSeconds = 1_761_955_200;

function turn(planting: Planting, session: string, at: number): string {
  const { random } = planting;
  const role = at % 2 === 0 ? 'user' : 'assistant';
  const content = sentence(random, role === 'user' ? 5 + random.below(25) : 20 + random.below(120));
  return `${JSON.stringify({ at: new Date((epochSeconds + at * 7) * 1000).toISOString(), session, role, content, id: random.bytes(8).toString('hex') })}\n`;
}

function plantTranscripts(planting: Planting, bytes: number): void {
  mkdirSync(planting.transcripts, { recursive: true, mode: 0o700 });
  const perFile = Math.max(64 << 10, Math.floor(bytes / 40));
  for (let written = 0, file = 0; written === 0 || written < bytes; file += 1) {
    const session = `agent:main:s${String(file).padStart(4, '0')}`;
    const path = join(planting.transcripts, `${session.replaceAll(':', '_')}.jsonl`);
    const goal = Math.min(perFile, Math.max(bytes - written, 512));
    let text = '';
    for (let at = 0; text.length < goal; at += 1) text += turn(planting, session, at);
    write(path, text);
    utimesSync(path, epochSeconds + file, epochSeconds + file);
    written += text.length;
  }
}

/** A quarter small source files, the rest packs, as a checkout of a grown repository is. */
function plantWorkspace(planting: Planting, bytes: number): void {
  const { random, workspace } = planting;
  write(join(workspace, 'AGENTS.md'), `# Agents\n\n${sentence(random, 40)}\n`, 0o644);
  const repository = join(workspace, 'project');
  for (const [name, content] of [
    ['HEAD', 'ref: refs/heads/main\n'],
    ['config', '[core]\n\trepositoryformatversion = 0\n'],
    ['refs/heads/main', `${random.bytes(20).toString('hex')}\n`],
  ] as const) {
    write(join(repository, '.git', name), content, 0o644);
  }
  symlinkSync('src/main.ts', join(repository, 'entry.ts'));
  const small = Math.floor(bytes / 4);
  for (let written = 0, file = 0; written < small; file += 1) {
    const text = `// ${sentence(random, 8)}\n${Array.from({ length: 10 + random.below(120) }, () => `export const ${random.pick(words)}${random.below(1e6)} = '${sentence(random, 6)}';`).join('\n')}\n`;
    write(
      join(repository, `src/area-${file % 40}/part-${Math.floor(file / 40) % 25}/file-${file}.ts`),
      text,
      random.below(20) === 0 ? 0o755 : 0o644,
    );
    written += text.length;
  }
  write(join(repository, 'src/main.ts'), `console.log('${sentence(random, 5)}');\n`, 0o644);
  for (let left = bytes - small; left > 0; left -= 16 << 20) {
    write(
      join(repository, `.git/objects/pack/pack-${random.bytes(20).toString('hex')}.pack`),
      random.bytes(Math.min(left, 16 << 20)),
      0o444,
    );
  }
}

function plantDatabase(planting: Planting, path: string, bytes: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY, session TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, at TEXT NOT NULL); BEGIN',
  );
  const insert = database.prepare('INSERT INTO turns (session, role, content, at) VALUES (?, ?, ?, ?)');
  for (let written = 0; written < bytes; written += 900)
    insert.run(
      'agent:main:archive',
      'assistant',
      sentence(planting.random, 120),
      new Date(epochSeconds * 1000).toISOString(),
    );
  database.exec('COMMIT');
  database.close();
}

/** Class 3: a backup that holds any of it is wrong. */
function plantCaches(planting: Planting, bytes: number): void {
  const { random, workspace, home } = planting;
  const piece = Math.max(1024, Math.floor(bytes / 30));
  for (let file = 0; file < 10; file += 1) {
    write(join(workspace, `project/node_modules/pkg-${file}/index.js`), random.bytes(piece), 0o644);
    write(join(home, `.openclaw/tmp/scratch-${file}`), random.bytes(piece));
    write(join(home, `.npm/_cacache/content-${file}`), random.bytes(piece), 0o644);
  }
}
