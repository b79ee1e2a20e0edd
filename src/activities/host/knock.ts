// Does a host run a command at all? Asked of hosts on which no lane can be asked.

import type { HostPool } from '../../lane/host-pool.ts';
import type { HostTarget } from '../../domain/lane-target.ts';

/** @throws what a connection throws */
export async function knock(pool: Pick<HostPool, 'lease'>, host: HostTarget, signal: AbortSignal): Promise<void> {
  const asked = await (await pool.lease(host, signal)).exec('exit 0', { signal });
  asked.stdin.end();
  asked.stdout.resume(); // unread, the channel never closes
  await asked.exited;
}
