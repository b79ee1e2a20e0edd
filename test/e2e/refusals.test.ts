// What Clawback refuses, each by its name, with nothing changed: neither the lane, its gateway, its launchd job and its
// Keychain, nor the store.

import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest, ManifestSegment } from '../../src/bundle/manifest.ts';
import { indexKey, manifestKey, segmentKey } from '../../src/bundle/object-keys.ts';
import { startBackup } from '../../src/client/start.ts';
import { laneSectionId, queueRoles } from '../../src/contract/names.ts';
import type { FailureCode } from '../../src/domain/failure.ts';
import { type BedLane, bestBedKind } from '../bed/bed.ts';
import type { Rig } from '../rig/rig.ts';
import { gatewayPids } from '../rig/wreck.ts';
import {
  forgeBundle,
  type Forged,
  forgedTar,
  indexOf,
  newBundleId,
  putManifest,
  readManifest,
  tarOf,
} from './forge.ts';
import {
  asLane,
  backUp,
  editFleet,
  failureOf,
  keychain,
  refusalOf,
  restore,
  startRig,
  stopRig,
  unlockKeychain,
} from './kit.ts';

let rig: Rig;
/** Everything is tried on the first; the second is a neighbour without a keychain password; the third's host has another key. */
let lane: BedLane;
let neighbour: BedLane;
let moved: BedLane;
/** A good tier B of the first and of the second. */
let good: string;
let foreign: string;

const names = (code: FailureCode) => ({ code, changed: [] });

beforeAll(async () => {
  rig = await startRig({
    kind: bestBedKind(),
    hosts: [
      { name: 'mac-1', lanes: 2 },
      { name: 'mac-2', lanes: 1 },
    ],
    dataBytes: 3e6,
  });
  editFleet(rig, (fleet) => {
    const kept = fleet.lanes['lane-2']?.['keychain'] as Record<string, unknown> | undefined;
    delete kept?.['password'];
    const [one, other] = [fleet.hosts['mac-1'], fleet.hosts['mac-2']];
    if (one && other) other['hostKey'] = one['hostKey'];
    if (one) one['tools'] = { ...rig.bed.host('mac-1').tools, df: installDf() };
  });
  [lane, neighbour, moved] = rig.bed.lanes as [BedLane, BedLane, BedLane];
  await rig.startWorker(queueRoles.filter((role) => role !== 'vaultData'));
});

afterAll(() => stopRig(rig));

/** A df that says what a file tells it to; without that file, the real one. */
function installDf(): string {
  const { root, realRoot } = rig.bed.host('mac-1');
  const inside = root === '/' ? '' : root;
  const script = `#!/bin/sh\n[ -r ${inside}/private/free ] || exec /bin/df "$@"\necho header\necho "disk 1000000000 1 $(cat ${inside}/private/free) 99% /"\n`;
  writeFileSync(join(realRoot, 'private/df'), script, { mode: 0o755 });
  chmodSync(join(realRoot, 'private/df'), 0o755);
  return `${inside}/private/df`;
}

function setFreeBytes(bytes: number | undefined): void {
  const path = join(rig.bed.host('mac-1').realRoot, 'private/free');
  if (bytes === undefined) rmSync(path, { force: true });
  else writeFileSync(path, String(Math.floor(bytes / 1024)));
}

describe('a restore', () => {
  it('wants a worker on every queue', async () => {
    expect(await refusalOf(rig, lane, () => restore(rig, lane))).toMatchObject(names('NoPollers'));
    await rig.startWorker(['vaultData']);
  });

  it('wants a bundle', async () => {
    expect(await refusalOf(rig, lane, () => restore(rig, lane))).toMatchObject(names('NoRestorePoint'));
  });
});

describe('a bundle', () => {
  let kept: string;

  beforeAll(async () => {
    good = (await backUp(rig, lane)).bundle;
    foreign = (await backUp(rig, neighbour)).bundle;
    kept = join(rig.dir, 'kept');
    cpSync(rig.storePath, kept, { recursive: true, preserveTimestamps: true });
  });

  afterEach(() => {
    for (const name of readdirSync(rig.storePath)) rmSync(join(rig.storePath, name), { recursive: true });
    cpSync(kept, rig.storePath, { recursive: true, preserveTimestamps: true });
  });

  const refused = (bundle = good) => refusalOf(rig, lane, () => restore(rig, lane, { bundle }));

  it('of another lane is refused, its objects copied over', async () => {
    for (const folder of ['segments', 'indexes', 'manifests'])
      cpSync(join(rig.storePath, 'lane-2', folder), join(rig.storePath, 'lane-1', folder), { recursive: true });
    expect(await refused(foreign)).toMatchObject(names('BundleForeign'));
  });

  it('is refused when its manifest is of this lane and its segments of another', async () => {
    for (const folder of ['segments', 'indexes'])
      cpSync(join(rig.storePath, 'lane-2', folder), join(rig.storePath, 'lane-1', folder), { recursive: true });
    const bundle = newBundleId();
    await putManifest(rig, { ...readManifest(rig, 'lane-2', foreign), lane: 'lane-1', bundle });
    expect(await refused(bundle)).toMatchObject(names('BundleForeign'));
  });

  it('of another fleet is refused, whether or not it signs with the same key', async () => {
    const [bundle, other] = [newBundleId(), newBundleId()];
    const manifest = { ...readManifest(rig, 'lane-1', good), fleet: 'elsewhere' };
    await putManifest(rig, { ...manifest, bundle });
    const { privateKey } = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    await putManifest(rig, { ...manifest, bundle: other }, { privateKeyPem: privateKey });
    expect(await refused(bundle)).toMatchObject(names('BundleForeign'));
    expect(await refused(other)).toMatchObject(names('BundleSignatureBad'));
  });

  it('under the name of another is refused', async () => {
    const bundle = newBundleId();
    cpSync(object(manifestKey('lane-1', good)), object(manifestKey('lane-1', bundle)));
    expect(await refused(bundle)).toMatchObject(names('BundleDamaged'));
  });

  it('is refused with a changed, cut or foreign signature, and the message names it', async () => {
    const path = object(manifestKey('lane-1', good));
    const envelope = JSON.parse(readFileSync(path, 'utf8')) as {
      payload: string;
      signatures: { keyid: string; sig: string }[];
    };
    const payload = Buffer.from(envelope.payload, 'base64').toString('utf8');
    replaceObject(
      path,
      JSON.stringify({
        ...envelope,
        payload: Buffer.from(payload.replace('"tier":"B"', '"tier":"C"')).toString('base64'),
      }),
    );
    const refusal = await refused();
    expect(refusal).toMatchObject(names('BundleSignatureBad'));
    expect(refusal.message).toContain(good);
    replaceObject(
      path,
      JSON.stringify({
        ...envelope,
        signatures: envelope.signatures.map((one) => ({ ...one, sig: Buffer.alloc(64).toString('base64') })),
      }),
    );
    expect(await refused()).toMatchObject(names('BundleSignatureBad'));
    truncateSync(path, 200);
    expect(await refused()).toMatchObject(names('BundleDamaged'));
  });

  const tamperings: readonly [string, FailureCode, (paths: Tampered) => void][] = [
    ['a changed segment', 'BundleDamaged', ({ segment }) => flip(segment)],
    ['a cut segment', 'BundleDamaged', ({ segment }) => truncateSync(segment, readFileSync(segment).length - 1)],
    ['a segment with bytes behind it', 'BundleDamaged', ({ segment }) => writeFileSync(segment, 'x', { flag: 'a' })],
    ['a missing segment', 'ObjectMissing', ({ segment }) => rmSync(segment)],
    ['a segment in the place of another', 'BundleDamaged', ({ segment, other }) => swap(segment, other)],
    ['a changed index', 'BundleDamaged', ({ index }) => flip(index)],
    ['a cut index', 'BundleDamaged', ({ index }) => truncateSync(index, 100)],
    ['a missing index', 'ObjectMissing', ({ index }) => rmSync(index)],
    ['an index in the place of another', 'BundleDamaged', ({ index, otherIndex }) => swap(index, otherIndex)],
    ['a changed secrets segment', 'BundleDamaged', ({ secrets }) => flip(secrets)],
  ];

  it.each(tamperings)('with %s is refused as %s', async (_, code, tamper) => {
    tamper(tamperedPaths(readManifest(rig, 'lane-1', good)));
    expect(await refused()).toMatchObject(names(code));
  });

  const hostile: readonly [string, () => Promise<readonly Forged[]>][] = [
    ['a name with ..', async () => [await forgedTar([{ name: 'workspace/../../../../tmp/out', content: 'x' }])]],
    ['an absolute name', async () => [await forgedTar([{ name: '/tmp/out', content: 'x' }])]],
    ['a device', async () => [await forgedTar([{ name: 'workspace/tty', type: 'character-device' }])]],
    ['a fifo', async () => [await forgedTar([{ name: 'workspace/pipe', type: 'fifo' }])]],
    [
      'a symlink and a file through it',
      async () => [
        await forgedTar([
          { name: 'workspace/way', type: 'symlink', link: '/tmp' },
          { name: 'workspace/way/out', content: 'x' },
        ]),
      ],
    ],
    [
      'a symlink in one segment and a file through it in another',
      async () => [
        await forgedTar([{ name: 'workspace/way', type: 'symlink', link: '/tmp' }]),
        await forgedTar([{ name: 'workspace/way/out', content: 'x' }]),
      ],
    ],
    [
      'a symlink and a range through it',
      async () => [
        await forgedTar([{ name: 'workspace/way', type: 'symlink', link: '/tmp' }]),
        {
          ...(await forgedTar([{ name: 'workspace/way/out', content: 'four' }])),
          kind: 'range',
          range: { offset: 0, length: 4 },
          plain: Buffer.from('four'),
        },
      ],
    ],
    [
      'a symlink in a component of its own',
      async () => [
        await forgedTar([{ name: 'workspace/way', type: 'symlink', link: '/tmp' }]),
        await forgedTar([{ name: 'workspace/way/out', content: 'x' }], { component: 'transcripts' }),
      ],
    ],
    [
      'a supplement that writes through a symlink',
      async () => [
        await forgedTar([{ name: 'workspace/way', type: 'symlink', link: '/tmp/out' }]),
        {
          ...(await forgedTar([{ name: 'workspace/way', content: 'four' }])),
          kind: 'range',
          range: { offset: 0, length: 4 },
          plain: Buffer.from('four'),
          supplement: true,
        },
      ],
    ],
    [
      'a hard link to what lies outside',
      async () => [await forgedTar([{ name: 'workspace/passwd', type: 'link', link: '/etc/passwd' }])],
    ],
    [
      'a range with ..',
      async () => [
        {
          ...(await forgedTar([{ name: '../../out', content: 'four' }])),
          kind: 'range',
          range: { offset: 0, length: 4 },
          plain: Buffer.from('four'),
        },
      ],
    ],
    [
      'an archive that its index does not show',
      async () => [
        {
          ...(await forgedTar([{ name: 'workspace/fine', content: 'x' }])),
          plain: await tarOf([
            { name: 'workspace/fine', content: 'x' },
            { name: 'workspace/../../out', content: 'x' },
          ]),
        },
      ],
    ],
  ];

  it.each(hostile)('that holds %s is refused as hostile', async (_, forge) => {
    const bundle = await forgeBundle(rig, 'lane-1', good, await forge());
    expect(await refused(bundle)).toMatchObject(names('ArchiveHostile'));
  });

  it('is refused when its archive holds other content, or ranges that do not make up their file', async () => {
    const members = [{ name: 'workspace/fine', content: 'as written' }];
    const changed = await forgeBundle(rig, 'lane-1', good, [
      { ...(await forgedTar(members)), plain: await tarOf([{ name: 'workspace/fine', content: 'as changed' }]) },
    ]);
    expect(await refused(changed)).toMatchObject(names('BundleDamaged'));
    const holed: Forged = {
      component: 'workspace',
      kind: 'range',
      base: 'home',
      range: { offset: 4, length: 6 },
      plain: Buffer.from('ritten'),
      entries: indexOf(members),
    };
    expect(await refused(await forgeBundle(rig, 'lane-1', good, [holed]))).toMatchObject(names('BundleDamaged'));
  });

  it('sealed for another lane is refused though its manifest is signed for this one', async () => {
    const bundle = await forgeBundle(rig, 'lane-1', good, [
      await forgedTar([{ name: 'workspace/fine', content: 'x' }], { sealedFor: 'lane-2' }),
    ]);
    expect(await refused(bundle)).toMatchObject(names('BundleForeign'));
  });
});

describe('a host', () => {
  it('with too little room is told by the numbers', async () => {
    setFreeBytes(20e6);
    const refusal = await refusalOf(rig, lane, () => restore(rig, lane, { bundle: good }));
    setFreeBytes(undefined);
    expect(refusal).toMatchObject(names('DiskTooFull'));
    expect(refusal.message).toMatch(/has 19999744 bytes free, the staging tree needs \d{8}/);
  });

  // only there can a volume be put in its place
  it.runIf(bestBedKind() === 'namespaces')(
    'whose room ends while the tree is staged is refused as it would have been before',
    async () => {
      const [pid = 0] = gatewayPids(lane);
      const { uid, gid } = statSync(lane.realHome);
      const inside = (...argv: string[]): void => {
        const { status, stderr } = spawnSync('nsenter', ['--target', String(pid), '--mount', '--root', ...argv], {
          encoding: 'utf8',
        });
        if (status !== 0) throw new Error(stderr);
      };
      const place = `${lane.home}/.clawback`;
      inside('mount', '-t', 'tmpfs', '-o', `size=1m,mode=700,uid=${uid},gid=${gid}`, 'tmpfs', place);
      const refusal = await refusalOf(rig, lane, () => restore(rig, lane, { bundle: good }));
      inside('umount', place);
      expect(refusal).toMatchObject(names('DiskTooFull'));
    },
  );

  it('with another key is not talked to', async () => {
    expect(await refusalOf(rig, moved, () => backUp(rig, moved))).toMatchObject(names('HostKeyChanged'));
    expect(await refusalOf(rig, moved, () => restore(rig, moved))).toMatchObject(names('HostKeyChanged'));
  });

  it.each(['root', 'agent-lane-1'])('without the sudo rule for %s is refused', async (account) => {
    const host = rig.bed.host('mac-1');
    const without = async (operation: () => Promise<unknown>) => {
      host.setSudo(account, false);
      try {
        return await failureOf(operation());
      } finally {
        host.setSudo(account, true);
      }
    };
    // the look at the lane before and after needs the rules itself
    expect(
      await refusalOf(rig, lane, async () => Promise.reject(await without(() => backUp(rig, lane)))),
    ).toMatchObject(names('SudoRefused'));
    expect(
      await refusalOf(rig, lane, async () => Promise.reject(await without(() => restore(rig, lane, { bundle: good })))),
    ).toMatchObject(names('SudoRefused'));
  });
});

describe('a keychain', () => {
  it('that is locked, its password unknown, is refused', async () => {
    await keychain(rig, neighbour, 'lock-keychain');
    expect(await refusalOf(rig, neighbour, () => restore(rig, neighbour, { bundle: foreign }))).toMatchObject(
      names('KeychainLocked'),
    );
    expect(await refusalOf(rig, neighbour, () => backUp(rig, neighbour, { tier: 'A' }))).toMatchObject(
      names('KeychainLocked'),
    );
    await unlockKeychain(rig, neighbour);
  });

  it('whose password is wrong is refused', async () => {
    const path = join(rig.dir, 'keys', 'lane-1.keychain');
    writeFileSync(path, 'not the password');
    await keychain(rig, lane, 'lock-keychain');
    expect(await refusalOf(rig, lane, () => restore(rig, lane, { bundle: good }))).toMatchObject(
      names('KeychainPasswordWrong'),
    );
    expect(await refusalOf(rig, lane, () => backUp(rig, lane, { tier: 'A' }))).toMatchObject(
      names('KeychainPasswordWrong'),
    );
    writeFileSync(path, lane.keychainPassword);
    await unlockKeychain(rig, lane);
  });

  it('without an item that the fleet file names is refused by a backup', async () => {
    const { service, account } = lane.secrets[1] ?? lane.messageToken;
    const tool = rig.bed.host('mac-1').tools['security'] ?? '/usr/bin/security';
    await asLane(
      rig,
      neighbour,
      `${tool} delete-generic-password -s ${service} -a ${account.replace('1', '2')} ${neighbour.keychain}`,
    );
    expect(await refusalOf(rig, neighbour, () => backUp(rig, neighbour, { tier: 'A' }))).toMatchObject(
      names('KeychainItemMissing'),
    );
  });
});

describe('a fleet', () => {
  it('has the lanes of its file and no other', async () => {
    expect((await failureOf((await startBackup(rig.client, { lane: 'lane-9' })).result())).code).toBe('UnknownLane');
  });

  it('that changed between start and step is refused', async () => {
    // the lane is held until the file has changed: the backup began under the old one
    const holder = await rig.client.workflow.start('nobody knows this workflow', {
      taskQueue: 'nobody',
      workflowId: laneSectionId('bed', lane.lane),
    });
    const refusal = refusalOf(rig, lane, async () => {
      const backup = await startBackup(rig.client, { lane: lane.lane, tier: 'A' });
      await expect
        .poll(
          async () =>
            (await backup.fetchHistory()).events?.some(
              (event) => event.startChildWorkflowExecutionFailedEventAttributes,
            ),
          { timeout: 20_000 },
        )
        .toBe(true);
      await Promise.all([...rig.workers].map((worker) => worker.stop()));
      editFleet(rig, (fleet) => void (fleet.limits = { streams: 3 }));
      await rig.startWorker();
      await holder.terminate();
      return backup.result();
    });
    expect(await refusal).toMatchObject(names('FleetChanged'));
  });
});

// --- tampering ---------------------------------------------------------------------------------------------------

interface Tampered {
  readonly segment: string;
  readonly other: string;
  readonly index: string;
  readonly otherIndex: string;
  readonly secrets: string;
}

function object(key: string): string {
  return join(rig.storePath, key);
}

/** The paths of two segments of the workspace, their indexes, and the secrets. */
function tamperedPaths({ segments }: Manifest): Tampered {
  const segmentPath = ({ fingerprint, suffix }: ManifestSegment): string =>
    object(segmentKey('lane-1', fingerprint, suffix));
  const indexPath = ({ fingerprint, index }: ManifestSegment): string =>
    object(indexKey('lane-1', fingerprint, index.suffix));
  const [one, other] = segments
    .filter(({ kind }) => kind === 'tar')
    .toSorted((a, b) => b.sealedBytes - a.sealedBytes) as [ManifestSegment, ManifestSegment];
  const secrets = segments.find(({ kind }) => kind === 'secrets') as ManifestSegment;
  return {
    segment: segmentPath(one),
    other: segmentPath(other),
    index: indexPath(one),
    otherIndex: indexPath(other),
    secrets: segmentPath(secrets),
  };
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.length - 40;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  replaceObject(path, bytes);
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.swap`);
  renameSync(other, one);
  renameSync(`${one}.swap`, other);
}

function replaceObject(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, content);
}
