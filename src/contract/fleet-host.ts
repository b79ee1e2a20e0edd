// A host of fleet.yaml: how SSH reaches it, where it stands, and how OpenClaw lies on it.

import { z } from 'zod';
import { defaultTools, type Tool } from '../domain/lane-target.ts';
import { profiles } from '../domain/profile.ts';
import { account, address, hostKey, macPath, port, region, timeZone } from './fleet-fields.ts';

const toolNames = Object.keys(defaultTools) as [Tool, ...Tool[]];

export const hostSchema = z.strictObject({
  address: address.describe('host name or IP address that SSH connects to'),
  port: port.default(22).describe('TCP port of SSH'),
  user: account.describe('account that SSH logs in as; it may sudo as docs/operating.md says'),
  hostKey: hostKey.describe('the pinned SSH host key, `type base64`; a host that shows another one is refused'),
  region,
  timeZone: timeZone
    .default('ask')
    .describe('IANA time zone of the host (backups run at its local time), or `ask` to ask the host'),
  profile: z
    .enum(
      profiles.map((profile) => profile.id),
      `a profile: ${profiles.map((profile) => profile.id).join(' or ')}`,
    )
    .describe('which layout of OpenClaw the lanes of this host have'),
  standby: z
    .boolean()
    .default(false)
    .describe('kept for the day that another host is lost: holds no lanes of its own until a playbook brings them'),
  arch: z
    .enum(['arm64', 'x86_64'], 'arm64 or x86_64')
    .optional()
    .describe('what `uname -m` says there; where both say it, lanes go only to a standby of the same'),
  root: z
    .union([z.literal('/'), macPath], { error: 'an absolute path without a slash at its end, or "/"' })
    .default('/')
    .describe('what stands for `/` on this host: `/` on a Mac, a folder where Macs are simulated'),
  tools: z
    .partialRecord(z.enum(toolNames), macPath)
    .default({})
    .describe(
      `paths of programs where they are not macOS's own: ${toolNames.join(', ')}; taken as they are, \`root\` is not put before them`,
    ),
});
