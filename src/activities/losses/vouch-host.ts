// The vault's word for where lanes go: for a standby of the fleet file, or a host whose address came from the fleet's own
// hook, or from somebody whose plan was approved. The incident asks for it; others cannot, for they run no code of ours.

import type { VaultSteps } from '../../contract/steps.ts';
import { Failure } from '../../domain/failure.ts';
import { signVouched } from '../../receipt/vouched.ts';
import type { Deps } from '../deps.ts';
import { activity } from '../step.ts';

export function vouchHostStep({ keys, fleet }: Deps): VaultSteps['vouchHost'] {
  return activity(async (claim) => {
    const { host, record } = claim.on;
    if (record === undefined && fleet.hostFacts(host)?.standby !== true)
      throw new Failure('PlacementBad', `host ${host} is no standby of fleet ${fleet.name}`, { host });
    if (record !== undefined && fleet.hostTarget(host) !== undefined)
      throw new Failure('PlacementBad', `fleet ${fleet.name} has a host ${host} already`, { host });
    for (const lane of claim.lanes) fleet.laneSpec(lane, claim.on);
    const placement = { ...claim, vouchedAt: new Date().toISOString() };
    const { privateKeyPem } = await keys.receiptSigner();
    return { placement, envelope: signVouched(placement, privateKeyPem).toString('base64') };
  });
}
