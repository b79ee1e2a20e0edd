// Reads fleet.yaml and finds every error at once, each with its line and column: YAML, schema, what lies between
// fields, key files. Secrets are not resolved: most of them are only on the workers that need them.

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { type Fleet, fleetSchema, keysSchema } from '../contract/fleet.ts';
import { hostSchema } from '../contract/fleet-host.ts';
import { laneSpecOf } from '../contract/fleet-lane.ts';
import type { FleetHook } from '../contract/fleet-hooks.ts';
import { crossCheck, type FleetPath, type FleetRemark, fleetWarnings } from '../contract/fleet-rules.ts';
import type { SecretRef } from '../contract/secret-ref.ts';
import { limits } from '../domain/limits.ts';
import { isReadableByOthers, resolvePath } from './private-path.ts';
import { type PublicKeys, readPublicKeys, refuseHostKey } from './public-keys.ts';
import { readStoreCertificates, type StoreCertificates } from './store-certificates.ts';
import { parseYaml, type YamlSource } from './yaml-source.ts';

/** One error or warning: where it stands, from 1, and at which field (`hosts.mac-1.port`). */
export interface FleetNote {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

export interface FleetCheck {
  readonly errors: readonly FleetNote[];
  readonly warnings: readonly FleetNote[];
}

/** The file as it was read; `fleet`, `keys` and `certificates` are there when there are no errors. */
export interface ReadFleet extends FleetCheck {
  /** SHA-256 of its bytes, hex. */
  readonly digest: string;
  readonly fleet?: Fleet;
  readonly keys?: PublicKeys;
  readonly certificates?: StoreCertificates;
}

/** Checks a fleet file for `clawback config check`. Never throws for what is wrong in the file, or for its absence. */
export async function checkFleet(path: string): Promise<FleetCheck> {
  const { errors, warnings } = await readFleet(path);
  return { errors, warnings };
}

/** Reads and checks a fleet file. May be called again. */
export async function readFleet(path: string): Promise<ReadFleet> {
  const bytes = await readBounded(path);
  if (typeof bytes === 'string')
    return { digest: '', errors: [{ line: 1, column: 1, path: '', message: bytes }], warnings: [] };
  const digest = createHash('sha256').update(bytes).digest('hex');
  const source = parseYaml(bytes.toString('utf8'));
  const yamlErrors = source.errors.map((error) => ({ ...error, path: '' }));
  if (source.value === undefined || yamlErrors.length > 0) return { digest, errors: yamlErrors, warnings: [] };
  const found = await checkValue(source.value, dirname(resolve(path)), digest);
  const noted = (remarks: readonly FleetRemark[]): FleetNote[] => notesOf(source, remarks);
  return { ...found, digest, errors: noted(found.errors), warnings: noted(found.warnings) };
}

async function readBounded(path: string): Promise<Buffer | string> {
  try {
    const { size } = await stat(path);
    if (size > limits.fleetFileBytes) return `the file is ${size} bytes, at most ${limits.fleetFileBytes} are read`;
    const bytes = await readFile(path);
    return isUtf8(bytes) ? bytes : 'the file is not UTF-8 text';
  } catch (error) {
    return `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
  }
}

interface CheckedValue {
  readonly errors: readonly FleetRemark[];
  readonly warnings: readonly FleetRemark[];
  readonly fleet?: Fleet;
  readonly keys?: PublicKeys;
  readonly certificates?: StoreCertificates;
}

async function checkValue(value: unknown, baseDir: string, digest: string): Promise<CheckedValue> {
  const parsed = fleetSchema.safeParse(value);
  const keysOf = keysSchema.safeParse((value as { readonly keys?: unknown } | null)?.keys);
  const checkedKeys = keysOf.success ? await readPublicKeys(keysOf.data, baseDir) : undefined;
  const stores = (value as { readonly stores?: unknown } | null)?.stores;
  const { certificates, errors: certificateErrors } = await readStoreCertificates(stores, baseDir);
  const between = [...crossCheck(value), ...hostKeyErrors(value), ...(checkedKeys?.errors ?? []), ...certificateErrors];
  if (!parsed.success)
    return { errors: [...parsed.error.issues.flatMap((issue) => remarksOf(issue, value)), ...between], warnings: [] };
  const warnings = [...fleetWarnings(parsed.data), ...(await exposedSecrets(parsed.data, baseDir))];
  const errors = between.length > 0 ? between : sizeErrors(parsed.data, digest);
  if (errors.length > 0 || checkedKeys === undefined) return { errors, warnings };
  return { errors, warnings, fleet: parsed.data, keys: checkedKeys.keys, certificates };
}

function hostKeyErrors(value: unknown): FleetRemark[] {
  const hosts = (value as { readonly hosts?: unknown } | null)?.hosts;
  return Object.entries(typeof hosts === 'object' && hosts !== null ? hosts : {}).flatMap(([name, host]) => {
    const hostKey = hostSchema.shape.hostKey.safeParse((host as { readonly hostKey?: unknown } | null)?.hostKey).data;
    const message = hostKey === undefined ? undefined : refuseHostKey(hostKey);
    return message === undefined ? [] : [{ path: ['hosts', name, 'hostKey'], message }];
  });
}

/** A specification is a result in Temporal's history and a target an input of every activity: both are bounded. */
function sizeErrors(fleet: Fleet, digest: string): FleetRemark[] {
  return Object.keys(fleet.lanes).flatMap((name): FleetRemark[] => {
    const spec = laneSpecOf(fleet, digest, name);
    const tooLarge = (part: unknown, what: string, limitBytes: number, cure: string): FleetRemark[] => {
      const actualBytes = Buffer.byteLength(JSON.stringify(part));
      const message = `the lane's ${what} is ${actualBytes} bytes, at most ${limitBytes} go through Temporal: ${cure}`;
      return actualBytes > limitBytes ? [{ path: ['lanes', name], message }] : [];
    };
    if (spec === undefined) return [];
    return [
      ...tooLarge(spec, 'specification', limits.laneSpecBytes, 'fewer or shorter exclusions and secrets'),
      ...tooLarge(spec.target, 'target', limits.laneTargetBytes, 'shorter paths, fewer tools, or an ed25519 host key'),
    ];
  });
}

interface RefAt {
  readonly path: FleetPath;
  readonly ref: SecretRef | undefined;
}

function secretRefs(fleet: Fleet): RefAt[] {
  const { ssh, keys, lanes, stores, hooks } = fleet;
  return [
    { path: ['ssh', 'key'], ref: ssh.key },
    { path: ['ssh', 'passphrase'], ref: ssh.passphrase },
    { path: ['keys', 'fingerprint'], ref: keys.fingerprint },
    { path: ['keys', 'manifest', 'private'], ref: keys.manifest.private },
    { path: ['keys', 'receipt', 'private'], ref: keys.receipt?.private },
    { path: ['keys', 'opening'], ref: keys.opening },
    ...Object.entries(lanes).map(([name, lane]) => ({
      path: ['lanes', name, 'keychain', 'password'],
      ref: lane.keychain.password,
    })),
    ...Object.entries(stores).flatMap(([name, store]) =>
      store.kind === 's3'
        ? Object.entries(store.credentials).flatMap(([use, credential]) =>
            Object.entries(credential ?? {}).map(([part, ref]) => ({
              path: ['stores', name, 'credentials', use, part],
              ref,
            })),
          )
        : [],
    ),
    ...Object.entries(hooks).flatMap(([kind, hook]) => (hook ? hookRefs(['hooks', kind], hook) : [])),
  ];
}

function hookRefs(path: FleetPath, { env = {}, http }: FleetHook): RefAt[] {
  const values: [FleetPath, string | SecretRef][] = [
    ...Object.entries(env).map(([name, ref]): [FleetPath, SecretRef] => [[...path, 'env', name], ref]),
    ...(http ? [[[...path, 'http', 'url'], http.url] as [FleetPath, string | SecretRef]] : []),
    ...Object.entries(http?.headers ?? {}).map(([name, value]): [FleetPath, string | SecretRef] => [
      [...path, 'http', 'headers', name],
      value,
    ]),
  ];
  return values.flatMap(([at, ref]) => (typeof ref === 'string' ? [] : [{ path: at, ref }]));
}

async function exposedSecrets(fleet: Fleet, baseDir: string): Promise<FleetRemark[]> {
  const remarks: FleetRemark[] = [];
  for (const { path, ref } of secretRefs(fleet)) {
    if (ref === undefined || !('file' in ref)) continue;
    const file = resolvePath(baseDir, ref.file);
    if (await isReadableByOthers(file))
      remarks.push({ path, message: `${ref.file} can be read by others than its owner; chmod 600 it` });
  }
  return remarks;
}

/** A schema's issue in our words: without "Invalid input", and one for each unknown key. */
function remarksOf(issue: z.core.$ZodIssue, value: unknown): FleetRemark[] {
  const path = issue.path as FleetPath;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key' }));
  if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  const message = issue.message.replace(/^Invalid (input|option): /, '');
  if (issue.code === 'custom' || valueAt(value, path) !== undefined) return [{ path, message }];
  return [{ path, message: message === issue.message ? `it is missing: ${message}` : 'it is missing' }];
}

function valueAt(value: unknown, path: FleetPath): unknown {
  return path.reduce<unknown>(
    (node, step) => (node as Record<string | number, unknown> | null | undefined)?.[step],
    value,
  );
}

function notesOf(source: YamlSource, remarks: readonly FleetRemark[]): FleetNote[] {
  const notes = remarks.map(({ path, message }) => ({ ...source.locate(path), path: path.join('.'), message }));
  return notes.sort((a, b) => a.line - b.line || a.column - b.column);
}
