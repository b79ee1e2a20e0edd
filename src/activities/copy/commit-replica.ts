// The commit point of a copy: the manifest goes last, byte for byte, and only where all that it names lies beside it.

import { indexesPrefix, manifestKey, segmentsPrefix } from '../../bundle/object-keys.ts';
import type { BundleCopy } from '../../contract/copies.ts';
import type { VaultSteps } from '../../contract/steps.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { objectsOf } from '../bundle-objects.ts';
import type { Deps } from '../deps.ts';
import { readManifest } from '../manifests.ts';
import { readWhole } from '../read-whole.ts';
import { storedSizes } from '../stored-sizes.ts';
import { activity } from '../step.ts';

export function commitReplicaStep(deps: Deps): VaultSteps['commitReplica'] {
  return activity(async (copy, { signal }) => {
    const { lane, from, to, bundle } = copy;
    const { manifest, bytes } = await readManifest(deps, { ...copy, store: from, signal });
    const sizes = await storedSizes(deps.store(to), [segmentsPrefix(lane), indexesPrefix(lane)], signal);
    const absent = objectsOf(manifest).filter(({ key, expected }) => sizes.get(key) !== expected.sizeBytes);
    if (absent.length > 0)
      throw new Failure(
        'ReplicaDamaged',
        `the replica ${to} lost ${absent.length} objects of bundle ${bundle} while it was copied`,
        { bundle, store: to, count: absent.length },
      );
    try {
      await deps.store(to).put(manifestKey(lane, bundle), bytes, { signal });
      return { sentObjects: 1, sentBytes: bytes.length, presentObjects: 0 };
    } catch (error) {
      if (!isFailure(error, 'ObjectExists')) throw error;
    }
    await requireSame(deps, copy, bytes, signal);
    return { sentObjects: 0, sentBytes: 0, presentObjects: 1 };
  });
}

/** It is there already: by an earlier attempt, an earlier copy, or somebody else. */
async function requireSame(
  deps: Deps,
  { lane, to, bundle }: BundleCopy,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const there = await readWhole(await deps.store(to).get(manifestKey(lane, bundle), { signal }));
  if (there.equals(bytes)) return;
  throw new Failure('ReplicaDamaged', `the manifest of bundle ${bundle} at the replica ${to} has other bytes`, {
    bundle,
    store: to,
  });
}
