// How old the newest backup of each class is. A suspect bundle counts as none, and is told.

import type { Manifest } from '../bundle/manifest.ts';
import type { FleetFile } from '../config/fleet-file.ts';
import { Failure } from '../domain/failure.ts';
import { classOf, type DataClass } from '../domain/terms.ts';
import type { BundleShelf } from './bundle-shelf.ts';
import type { Seen } from './lane-probe.ts';
import { fromEither } from './shelves.ts';

export interface Capture {
  readonly bundle: string;
  readonly capturedAt: string;
  readonly ageMs: number;
}

export interface Captures {
  readonly class1: Capture | null;
  readonly class2: Capture | null;
  /** Bundles, newest first, that were passed over: suspect or unusable. */
  readonly passedOver: readonly { readonly bundle: string; readonly why: string }[];
  /** The replica, where that was read in the store's stead, and why; it may be behind. */
  readonly instead: { readonly replica: string; readonly why: string } | null;
}

/** Two months of daily bundles: what is older than all of them is said to be none. */
const mostManifests = 60;

async function readCaptures(shelf: BundleShelf, nowMs: number): Promise<Omit<Captures, 'instead'>> {
  let [class1, class2]: (Capture | null)[] = [null, null];
  const passedOver: { bundle: string; why: string }[] = [];
  for (const bundle of (await shelf.list()).slice(0, mostManifests)) {
    const shelved = await shelf.look(bundle);
    if ('failure' in shelved) passedOver.push({ bundle, why: shelved.failure.message });
    else if (shelved.manifest.suspect?.length)
      passedOver.push({ bundle, why: `suspect: ${shelved.manifest.suspect.join(', ')}` });
    else {
      class1 ??= captureOf(shelved.manifest, 1, nowMs);
      class2 ??= captureOf(shelved.manifest, 2, nowMs);
    }
    if (class1 && class2) break;
  }
  return { class1: class1 ?? null, class2: class2 ?? null, passedOver };
}

function captureOf({ bundle, capturedAt, segments }: Manifest, dataClass: DataClass, nowMs: number): Capture | null {
  if (!segments.some(({ component }) => classOf(component) === dataClass)) return null;
  return { bundle, capturedAt, ageMs: nowMs - Date.parse(capturedAt) };
}

/** Of the lane's store or, where it does not answer, of its replica. Neither is told, and hides nothing else. */
export async function lookAtCaptures(file: FleetFile, lane: string, nowMs: number): Promise<Seen<Captures>> {
  try {
    const { read, instead } = await fromEither(file, lane, (shelf) => readCaptures(shelf, nowMs));
    return { seen: { ...read, instead: instead ? { replica: instead.replica, why: instead.why.message } : null } };
  } catch (error) {
    if (error instanceof Failure) return { unseen: { code: error.code, message: error.message } };
    throw error;
  }
}
