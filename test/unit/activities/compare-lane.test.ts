// A lane compared with the golden bundle, over a real SSH connection: names stay on the lane, counts come back.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storedOf } from '../../../src/activities/restore/open-stored.ts';
import { compareLaneStep } from '../../../src/activities/verify/compare-lane.ts';
import type { IndexEntry } from '../../../src/bundle/index-file.ts';
import type { ObjectFault } from '../../../src/contract/results.ts';
import type { UncheckedDatabase } from '../../../src/contract/verify.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { LaneTarget } from '../../../src/domain/lane-target.ts';
import type { HostPool } from '../../../src/lane/host-pool.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { golden } from '../../golden/make.ts';
import { type LocalHost, startLocalHost } from '../lane/local-host.ts';
import { GoldenStores, runStep } from './golden-stores.ts';

const place = { fleet: golden.fleet, lane: golden.lane, store: 'primary' };
const signal = new AbortController().signal;

let local: LocalHost;
let shell: LaneShell;
let home: string;
let stores: GoldenStores;
let homeSegments: readonly string[];

beforeAll(async () => {
  local = await startLocalHost();
  shell = await local.shell();
  home = shell.target.home;
});
afterAll(() => local.stop());

beforeEach(async () => {
  stores = new GoldenStores();
  const { segments } = stores.manifest;
  homeSegments = segments.filter(({ kind, base }) => kind === 'tar' && base === 'home').map(({ id }) => id);
  for (const id of homeSegments) {
    const segment = { bundle: golden.bundle, id };
    const stored = storedOf(stores.deps, { ...place, segment, signal }, stores.manifest);
    const input = await buffer(await stored.plain());
    execFileSync('bsdtar', ['-xpf', '-', '-C', home, '--no-same-owner'], { input });
  }
  execFileSync('chmod', ['-R', 'a+rX', home]);
});
afterEach(() => {
  stores.remove();
  for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true, force: true });
});

interface Rest {
  readonly pool?: HostPool;
  readonly unchecked?: readonly UncheckedDatabase[];
  readonly target?: LaneTarget;
}

const compare = (
  faults: readonly ObjectFault[] = [],
  bundle: string | null = golden.bundle,
  { pool, unchecked = [], target = shell.target }: Rest = {},
) => {
  const lease = async () => local.connect();
  const step = compareLaneStep({ ...stores.deps, pool: pool ?? ({ lease } as unknown as HostPool) });
  return runStep(step, { ...place, target, bundle, segments: homeSegments, faults, unchecked });
};
const report = () => {
  const path = join(home, '.clawback/report');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
const filesOfHome = () =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('.clawback'))
    .map((entry) => join(entry.parentPath, entry.name));

/** Files of the bundle with content and a name in UTF-8, which lie in the home. */
async function comparableOfHome() {
  const found: (IndexEntry & { readonly segment: string })[] = [];
  for (const segment of homeSegments) {
    const wanted = { ...place, segment: { bundle: golden.bundle, id: segment }, signal };
    const { entries } = await storedOf(stores.deps, wanted, stores.manifest).index();
    found.push(...entries.map((entry) => ({ ...entry, segment })));
  }
  return found.filter(({ path, type, sizeBytes, sparse }) => path && type === 'file' && sizeBytes > 0 && !sparse);
}

/** Other bytes under the same size and time. */
function rot(path: string): void {
  const before = `${path}.before`;
  execFileSync('cp', ['-p', path, before]);
  writeFileSync(
    path,
    readFileSync(path).map((byte) => byte ^ 1),
  );
  execFileSync('touch', ['-r', before, path]);
  rmSync(before);
}

describe('a lane compared with its newest bundle', () => {
  it('has the same bytes where size and time are the same', async () => {
    const live = await compare();
    expect(live).toMatchObject({ state: 'compared', different: 0 });
    expect(live.compared).toBeGreaterThan(live.changed);
    expect(report()).toBe('');
  });

  it('is told of a file that rotted, and no one else; what was changed in the open is no fault', async () => {
    const files = filesOfHome().filter((path) => existsSync(path) && statSync(path).size > 0);
    for (const path of files) rot(path);
    const live = await compare();
    expect(live.different).toBeGreaterThan(0);
    expect(report()).toContain('other bytes or unreadable: "');
    for (const path of files) execFileSync('touch', [path]);
    expect(await compare()).toMatchObject({ different: 0 });
    expect(readdirSync(join(home, '.clawback/tmp'))).toEqual([]);
  });

  it('is compared file by file where tar gives up on one of them, which is told', async () => {
    const tar = join(home, 'tar-that-gives-up');
    const gives = 'case "$*" in "-cf - "*) echo "tar: x: Input/output error" >&2; exit 1 ;; esac';
    writeFileSync(tar, `#!/bin/sh\n${gives}\nexec ${shell.target.host.tools.tar} "$@"\n`);
    execFileSync('chmod', ['755', tar]);
    const { host } = shell.target;
    const target = { ...shell.target, host: { ...host, tools: { ...host.tools, tar } } };
    const whole = await compare();
    expect(await compare([], golden.bundle, { target })).toEqual(whole);
    const [entry] = await comparableOfHome();
    rot(join(home, entry?.path ?? ''));
    expect(await compare([], golden.bundle, { target })).toEqual({ ...whole, different: 1 });
  });

  it('is told of a file that cannot be read', async () => {
    const whole = await compare();
    const [entry] = await comparableOfHome();
    execFileSync('chmod', ['000', join(home, entry?.path ?? '')]);
    expect(await compare()).toEqual({ ...whole, different: 1 });
    expect(report()).toContain(`or unreadable: ${JSON.stringify(entry?.path)}`);
  });

  it('has the names of databases for which there was no room in its report', async () => {
    const [entry] = await comparableOfHome();
    const id = entry?.segment ?? '';
    const unchecked = [{ bundle: golden.bundle, segment: id, sizeBytes: entry?.sizeBytes ?? 0 }];
    expect(await compare([], null, { unchecked })).toMatchObject({ state: 'skipped' });
    expect(report()).toContain(`${id}: a database of ${entry?.sizeBytes} bytes was not checked, `);
    expect(report()).toContain(JSON.stringify(entry?.path));
  });

  it('has the names that a damaged segment holds in its report', async () => {
    const [segment = ''] = homeSegments;
    const about = { bundle: golden.bundle, segment, component: 'workspace', object: 'segment' } as const;
    expect(await compare([{ ...about, what: 'damaged', store: 'primary' }], null)).toMatchObject({ state: 'skipped' });
    expect(report()).toContain(`${golden.bundle} ${segment}: its segment is damaged, affects "`);
  });

  it('that does not answer is told; a silent store is tried again', async () => {
    const lease = async () => {
      throw new Failure('HostUnreachable', 'no answer');
    };
    const silent = await compare([], golden.bundle, { pool: { lease } as unknown as HostPool });
    expect(silent).toEqual({ state: 'silent', compared: 0, changed: 0, different: 0 });
    stores.lose('primary');
    await expect(compare()).rejects.toMatchObject({ type: 'StoreUnreachable' });
  });
});
