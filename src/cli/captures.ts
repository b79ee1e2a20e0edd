// How old the newest backup of each class is. A suspect bundle counts as none, and is told.

import type { Manifest } from '../bundle/manifest.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { classOf, type DataClass } from '../domain/terms.ts';
import type { BundleShelf } from './bundle-shelf.ts';

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
}

/** Two months of daily bundles: what is older than all of them is said to be none. */
const mostManifests = 60;

export async function readCaptures(shelf: BundleShelf, nowMs: number): Promise<Captures> {
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

/** A store that cannot be read is told, and does not hide the rest of the status. */
export async function lookAtCaptures(
  shelf: BundleShelf,
  nowMs: number,
): Promise<
  { readonly seen: Captures } | { readonly unseen: { readonly code: FailureCode; readonly message: string } }
> {
  try {
    return { seen: await readCaptures(shelf, nowMs) };
  } catch (error) {
    if (error instanceof Failure) return { unseen: { code: error.code, message: error.message } };
    throw error;
  }
}
