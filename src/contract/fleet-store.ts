// The stores of fleet.yaml: a folder, or a bucket of S3 or of what is compatible with it.

import type { WatchedPlace } from './watch-types.ts';
import { z } from 'zod';
import { keyPath, name, region } from './fleet-fields.ts';
import { durationSchema } from './fleet-units.ts';
import { secretRefSchema } from './secret-ref.ts';

/** Which store this one holds a copy of. */
const replicaOf = name
  .optional()
  .describe(
    'the store that this one is the replica of: bundles are copied here, sealed as they are; no lane names it as its own',
  );

const directoryStore = z.strictObject({
  kind: z.literal('directory').describe('a folder of the machine that the workers run on'),
  path: keyPath.describe(
    'a folder, relative to the fleet file, that `./clawback stores init` made a store; a missing one is an error, for the volume may not be mounted',
  ),
  region,
  replicaOf,
});

/** Bytes without TLS stay on the machine: only its own loopback is spoken to so. */
function isSafeEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username } = new URL(text);
  if (pathname !== '/' || search !== '' || hash !== '' || username !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname));
}

const endpoint = z
  .string()
  .max(256)
  .refine(isSafeEndpoint, 'an address such as https://s3.example.net, without a path; http only to the loopback')
  .meta({ title: 'address' });

const credential = z.strictObject({
  accessKeyId: secretRefSchema.describe('its access key id'),
  secretAccessKey: secretRefSchema.describe('its secret access key'),
  sessionToken: secretRefSchema.optional().describe('its session token, if it is a temporary one'),
});

const s3Store = z.strictObject({
  kind: z.literal('s3').describe('a bucket of S3, or of what is compatible with it (docs/s3.md)'),
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      "a bucket's name has 3 to 63 lower-case letters, digits, dots and dashes",
    )
    .describe('an existing bucket'),
  prefix: z
    .string()
    .max(200, 'a prefix has at most 200 characters')
    .regex(
      /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
      'a prefix is names of A-Z a-z 0-9 . _ - between slashes, without one at its ends',
    )
    .optional()
    .describe('what all keys in the bucket begin with, such as `clawback/tokyo`'),
  endpoint: endpoint.optional().describe("the provider's address; left out: AWS"),
  caFile: keyPath
    .optional()
    .describe(
      "certificates (PEM) of the authorities that may vouch for the endpoint's, and no others; left out: those that Node trusts",
    ),
  awsRegion: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, 'a region such as ap-northeast-1, or what the provider names')
    .describe('the region that requests are signed for: `ap-northeast-1`, or what the provider names (`auto`)'),
  forcePathStyle: z
    .boolean()
    .optional()
    .describe('the bucket in the path, not in the host name; left out: where there is an `endpoint`'),
  region,
  replicaOf,
  retention: durationSchema({ from: '1d', to: '3650d' })
    .optional()
    .describe(
      'how long each object is locked (Object Lock, GOVERNANCE; the bucket must have it); left out: not at all',
    ),
  credentials: z
    .strictObject({
      backup: credential.optional().describe('backup workers: put and list'),
      vault: credential.optional().describe('vault workers and the command line: get, put and list'),
      expiry: credential.optional().describe('delete; left out: that of `vault`'),
    })
    .default({})
    .describe("credentials by what they are for; one that is left out: what the AWS SDK's own chain finds"),
});

export const storeSchema = z.discriminatedUnion('kind', [directoryStore, s3Store], {
  error: "a store's kind: directory or s3",
});

export type FleetStore = z.infer<typeof storeSchema>;
export type FleetS3Credential = z.infer<typeof credential>;

/** Where a store answers, by TCP; undefined of a folder. */
export function endpointOf(store: FleetStore): WatchedPlace | undefined {
  if (store.kind === 'directory') return undefined;
  const domain = store.awsRegion.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(store.endpoint ?? `https://s3.${store.awsRegion}.${domain}`);
  const usual = url.protocol === 'https:' ? 443 : 80;
  return { region: store.region, address: url.hostname.replaceAll(/[[\]]/g, ''), port: Number(url.port) || usual };
}

/** Two stores in one place are one: each would sweep away what the other writes. */
export function placeOf(store: FleetStore): string {
  if (store.kind === 'directory') return store.path;
  return `bucket ${store.bucket} at ${store.endpoint ?? 'AWS'}${store.prefix === undefined ? '' : ` below ${store.prefix}`}`;
}
