// `playbooks` of fleet.yaml: which recoveries act alone, which ask first, and whose word counts.

import { z } from 'zod';
import { approvals, defaultApproval, type Scenario } from '../domain/incident.ts';
import { durationSchema } from './fleet-units.ts';

const playbook = (scenario: Scenario) =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('may the watch open it? An operator may always'),
      approval: z
        .enum(approvals)
        .default(defaultApproval[scenario])
        .describe('`auto`: it acts alone; `required`: its plan waits for `./clawback approve`'),
      remindEvery: durationSchema({ from: '10s', to: '7d' })
        .prefault('15m')
        .describe('how often it reminds while it waits for somebody'),
    })
    .prefault({});

/** A public key as `~/.ssh/id_ed25519.pub` holds it; its comment is not looked at. */
const sshPublicKey = z
  .string()
  .max(1200)
  .regex(
    /^(?:sk-)?(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa)(?:@openssh\.com)? [A-Za-z0-9+/]{60,}={0,2}(?: [^\0\n\r]*)?$/,
    'an SSH public key on one line: `ssh-ed25519 AAAA… comment`',
  );

const approver = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9@._-]{0,79}$/, 'a name has letters, digits, "@", ".", "_" and "-", at most 80')
    .describe('who it is, as `approve --as` and receipts name him'),
  key: sshPublicKey.describe('his SSH public key'),
});

export const playbooksSchema = z.strictObject({
  'bad-upgrade': playbook('bad-upgrade').describe('a gateway that exits in a loop after an upgrade'),
  'disk-full': playbook('disk-full').describe('a full disk'),
  'cross-write': playbook('cross-write').describe('lanes that wrote into each other'),
  'region-loss': playbook('region-loss').describe('a region that does not answer'),
  'host-loss': playbook('host-loss').describe('a host that does not answer'),
  approvers: z
    .array(approver)
    .max(32, 'at most 32 approvers')
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'a name is given twice')
    .default([])
    .describe(
      "who may approve, by SSH signature (`./clawback approve` makes it with ssh-keygen); none: anybody's word is taken, and recorded as his own statement",
    ),
});

export type FleetPlaybooks = z.infer<typeof playbooksSchema>;
