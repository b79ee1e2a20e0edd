// Looks at a store, of a directory or of versitygw (whose objects are files too), all the while something runs on it:
// which objects there are, and whether one that was there is ever replaced by other bytes.

import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

interface Seen {
  readonly inode: bigint;
  readonly sizeBytes: bigint;
  readonly mtimeNs: bigint;
}

const everyMs = 100;

export class StoreWatch {
  readonly #root: string;
  #seen = new Map<string, Seen>();
  readonly #timer: NodeJS.Timeout;
  readonly #before: ReadonlySet<string>;
  #overwritten = 0;

  constructor(root: string) {
    this.#root = root;
    this.#look();
    this.#before = new Set(this.#seen.keys());
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** Objects that were replaced. */
  get overwritten(): number {
    return this.#overwritten;
  }

  /** Segments that came since the watch began, counted by fingerprint. */
  newSegments(lane: string): Map<string, number> {
    this.#look();
    const counts = new Map<string, number>();
    for (const key of this.#seen.keys()) {
      const fingerprint = new RegExp(`^${lane}/segments/([0-9a-f]{64})-`).exec(key)?.[1];
      if (fingerprint === undefined || this.#before.has(key)) continue;
      counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
    }
    return counts;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  #look(): void {
    const now = new Map<string, Seen>();
    for (const key of filesBelow(this.#root)) {
      const seen = identityOf(join(this.#root, key));
      if (seen === undefined || key.startsWith('.')) continue;
      const earlier = this.#seen.get(key);
      if (earlier && !isSame(earlier, seen)) this.#overwritten += 1;
      now.set(key, seen);
    }
    this.#seen = now;
  }
}

function isSame(one: Seen, other: Seen): boolean {
  return one.inode === other.inode && one.sizeBytes === other.sizeBytes && one.mtimeNs === other.mtimeNs;
}

function identityOf(path: string): Seen | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && { inode: stats.ino, sizeBytes: stats.size, mtimeNs: stats.mtimeNs };
}

/** Paths of all files, relative; what vanishes meanwhile is left out. */
function filesBelow(root: string): string[] {
  const files: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else files.push(relative(root, path));
    }
  };
  visit(root);
  return files;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Objects of a lane that none of its manifests names, and uploads that nobody finished. */
export function unnamedObjects(root: string, lane: string): string[] {
  const files = filesBelow(root);
  const named = new Set(
    files.filter((key) => key.startsWith(`${lane}/manifests/`)).flatMap((key) => namedBy(root, key)),
  );
  const uploads = ['.uploads/', '.sgwtmp/multipart/'];
  const isBundles = (key: string): boolean =>
    key.startsWith(`${lane}/`) && !/^[^/]+[/](receipts|verifications|tombstones)[/]/.test(key);
  return files.filter((key) => (isBundles(key) && !named.has(key)) || uploads.some((folder) => key.startsWith(folder)));
}

/** Objects that a manifest of a lane names, and that are not there: no bundle may lose one, whoever dies. */
export function missingObjects(root: string, lane: string): string[] {
  const files = new Set(filesBelow(root));
  const manifests = [...files].filter((key) => key.startsWith(`${lane}/manifests/`));
  return [...new Set(manifests.flatMap((key) => namedBy(root, key)))].filter((key) => !files.has(key));
}

interface NamedSegment {
  readonly fingerprint: string;
  readonly suffix: string;
  readonly index: { readonly suffix: string };
}

function namedBy(root: string, manifest: string): string[] {
  const [lane] = manifest.split('/');
  const { payload } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as { payload: string };
  const { segments } = JSON.parse(Buffer.from(payload, 'base64').toString()) as { segments: NamedSegment[] };
  const objects = segments.flatMap(({ fingerprint, suffix, index }) => [
    `${lane}/segments/${fingerprint}-${suffix}`,
    `${lane}/indexes/${fingerprint}-${index.suffix}`,
  ]);
  return [manifest, ...objects];
}
