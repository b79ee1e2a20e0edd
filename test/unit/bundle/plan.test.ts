import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BundlePlan, planBundle, planLongList, type PlanOptions } from '../../../src/bundle/plan.ts';
import { isSparse } from '../../../src/bundle/plan-items.ts';
import type { FileEntry } from '../../../src/domain/file-entry.ts';
import { componentsOf } from '../../../src/domain/terms.ts';
import { current, entry, listedAtMs, listing, options } from './entries.ts';

const nameOf = ({ path }: { path: Buffer }): string => path.toString('latin1');
const plan = (entries: readonly FileEntry[], more: Partial<PlanOptions> = {}): BundlePlan =>
  planBundle(entries, { ...options, ...more });
const byReason = (result: BundlePlan): Record<string, string[]> => {
  const found: Record<string, string[]> = {};
  for (const omission of result.omissions) (found[omission.reason] ??= []).push(omission.path.toString());
  return found;
};

describe('databases of the configuration', () => {
  const small = entry('.openclaw/state/openclaw.sqlite', { sizeBytes: 2e6 });
  const middle = entry('.openclaw/agents/a/agent/openclaw-agent.sqlite', { sizeBytes: 300e6 });
  const large = entry('.openclaw/agents/b/agent/openclaw-agent.sqlite', { sizeBytes: 300e6 + 1 });
  const tierA = componentsOf('A');
  const all = { profile: current, components: componentsOf('B') };
  const componentsOfCopies = (copies: readonly FileEntry[]): Record<string, string[]> => {
    const { segments } = plan(copies, { ...all, base: 'copies', reuse: false, segmentBytes: 1e9 });
    return Object.fromEntries(segments.map(({ component, members }) => [component, members.map(nameOf)]));
  };

  it('are class 1 while they fit tier A, all together', () => {
    expect(componentsOfCopies([small, middle])).toEqual({ config: [middle, small].map(nameOf) });
    expect(plan([small, middle], { profile: current, components: tierA }).databases).toEqual([middle, small]);
  });

  it('are class 2 beyond that, the largest of them', () => {
    expect(componentsOfCopies([small, middle, large])).toEqual({
      config: [middle, small].map(nameOf),
      transcripts: [nameOf(large)],
    });
    expect(plan([small, middle, large], all).databases).toHaveLength(3);
  });

  it('are left out of a tier A then, with a reason of their own, and are not even copied', () => {
    const result = plan([small, middle, large], { profile: current, components: tierA });
    expect(result.databases).toEqual([middle, small]);
    expect(byReason(result)).toEqual({ 'too-large-for-tier-a': [nameOf(large)] });
    const copies = plan([large, middle], { profile: current, components: tierA, base: 'copies' });
    expect(byReason(copies)).toEqual({ 'too-large-for-tier-a': [nameOf(large)] });
  });

  it('count only when they are taken at all', () => {
    const result = plan([small, middle, large], { ...all, exclude: [nameOf(middle)] });
    expect(result.databases.map(nameOf)).toEqual([large, small].map(nameOf));
    expect(componentsOfCopies([small, large])).toEqual({ config: [large, small].map(nameOf) });
  });

  it('of conversations alone are class 2 whatever their size', () => {
    const sessions = entry('.openclaw/transcripts/sessions.sqlite', { sizeBytes: 10 });
    const { segments } = plan([sessions], { base: 'copies', reuse: false });
    expect(segments.map(({ component }) => component)).toEqual(['transcripts']);
  });
});

describe('a plan, whatever the listing', () => {
  it('puts each entry into one segment, one database or one omission', () => {
    fc.assert(
      fc.property(listing, (entries) => {
        const result = plan(entries);
        const wholes = result.segments
          .filter(({ kind }) => kind !== 'range')
          .flatMap(({ members }) => members.map(nameOf));
        const ranged = new Set(
          result.segments.filter(({ kind }) => kind === 'range').flatMap(({ members }) => members.map(nameOf)),
        );
        const all = [...wholes, ...ranged, ...result.databases.map(nameOf), ...result.omissions.map(nameOf)];
        expect(all.toSorted()).toEqual(entries.map(nameOf).toSorted());
      }),
    );
  });

  it('tiles each large file with ranges, exactly and in order', () => {
    fc.assert(
      fc.property(listing, (entries) => {
        const files = new Map<string, { member: FileEntry; at: number }>();
        for (const { members, range, sizeBytes } of plan(entries).segments) {
          if (range === undefined) continue;
          const [member] = members as [FileEntry];
          const at = files.get(nameOf(member))?.at ?? 0;
          expect(range).toEqual({ offset: at, length: sizeBytes });
          expect(range.length).toBeGreaterThan(0);
          expect(range.length).toBeLessThanOrEqual(options.segmentBytes);
          files.set(nameOf(member), { member, at: at + range.length });
        }
        for (const { member, at } of files.values()) expect(at).toBe(member.sizeBytes);
        for (const one of entries) {
          const large =
            one.type === 'file' && one.sizeBytes > options.segmentBytes && one.links === 1 && !isSparse(one);
          const taken = !/node_modules|^Documents/.test(nameOf(one));
          expect(files.has(nameOf(one))).toBe(large && taken);
        }
      }),
    );
  });

  it('keeps all names of an inode in one segment, directories apart and last', () => {
    fc.assert(
      fc.property(listing, (entries) => {
        const { segments } = plan(entries);
        const places = new Map<string, Set<string>>();
        for (const { id, kind, members } of segments) {
          for (const { inode, links, type } of members) {
            expect(type === 'directory').toBe(kind === 'directories');
            if (links > 1) places.set(inode, (places.get(inode) ?? new Set()).add(id));
          }
        }
        for (const ids of places.values()) expect(ids.size).toBe(1);
        const kinds = segments.map(({ kind }) => kind);
        expect(
          kinds.indexOf('directories') < 0 ||
            kinds.slice(kinds.indexOf('directories')).every((kind) => kind === 'directories'),
        ).toBe(true);
      }),
    );
  });

  it('depends on what is listed, not on its order, and repeats itself', () => {
    fc.assert(
      fc.property(
        listing.chain((entries) =>
          fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
        ),
        ([entries, shuffled]) => {
          expect(plan(shuffled)).toEqual(plan(entries));
          expect(plan([...entries, ...entries])).toEqual(plan(entries));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('makes at most so many segments, by doubling them', () => {
    fc.assert(
      fc.property(listing, fc.integer({ min: 14, max: 40 }), (entries, maxSegments) => {
        const result = plan(entries, { segmentBytes: 500, maxSegments });
        const unsplittable = 2 * 3; // a tar and a directory segment of each component: nothing doubles below that
        expect(result.segments.length).toBeLessThanOrEqual(Math.max(maxSegments, unsplittable));
      }),
    );
  });

  it('says settled and reusable only of segments whose members are all old', () => {
    fc.assert(
      fc.property(listing, (entries) => {
        for (const { members, reusable } of plan(entries).segments) {
          const young = members.some(({ ctimeNs }) => ctimeNs > BigInt(listedAtMs - 2000) * 1_000_000n);
          expect(reusable).toBe(!young);
        }
      }),
    );
  });
});

describe('cuts', () => {
  const many = Array.from({ length: 2000 }, (_, at) =>
    entry(`workspace/${Math.floor(at / 50)}/f${at}`, { sizeBytes: (at * 31) % 700, inode: `i${at}` }),
  );
  const fingerprints = (entries: readonly FileEntry[]): Set<string> =>
    new Set(plan(entries).segments.map(({ fingerprint }) => fingerprint));

  it('let nearly all segments be reused after one file was added, changed or removed', () => {
    const before = fingerprints(many);
    expect(before.size).toBeGreaterThan(70);
    for (const at of [0, 333, 1000, 1999]) {
      const one = many[at] as FileEntry;
      const added = fingerprints([...many, entry(Buffer.concat([one.path, Buffer.from([0xff])]), { inode: 'new' })]);
      const changed = fingerprints(many.with(at, { ...one, sizeBytes: one.sizeBytes + 9, mtimeNs: one.mtimeNs + 1n }));
      const removed = fingerprints(many.toSpliced(at, 1));
      for (const after of [added, changed, removed])
        expect([...after].filter((fingerprint) => !before.has(fingerprint)).length).toBeLessThanOrEqual(5);
    }
  });

  it('leave a segment at most so many members, however small they are', () => {
    const tiny = Array.from({ length: 70_000 }, (_, at) => entry(`workspace/${at}`, { sizeBytes: 0, inode: `t${at}` }));
    const { segments } = plan(tiny, { segmentBytes: 256 * 1024 * 1024 });
    expect(Math.max(...segments.map(({ members }) => members.length))).toBeLessThanOrEqual(65_536);
    expect(segments.length).toBeLessThan(8);
  });

  it('keep an oversized file with two names whole, since only a tar can link them', () => {
    const pair = ['workspace/a', 'workspace/b'].map((path) =>
      entry(path, { sizeBytes: 99_999, inode: 'pair', links: 2 }),
    );
    const { segments } = plan(pair);
    expect(segments).toMatchObject([{ kind: 'tar', sizeBytes: 99_999, members: pair }]);
  });

  it('put names of one inode that lie in two components into the first of them', () => {
    const pair = ['workspace/a', '.openclaw/b'].map((path) => entry(path, { inode: 'cross', links: 2 }));
    expect(plan(pair).segments).toMatchObject([
      { component: 'config', members: [{ inode: 'cross' }, { inode: 'cross' }] },
    ]);
  });

  it('take every file as a range when told to, an empty one as an empty range', () => {
    const files = [
      entry('.openclaw/transcripts/a.jsonl', { sizeBytes: 0 }),
      entry('.openclaw/transcripts/b.jsonl', { sizeBytes: 7 }),
      entry('.openclaw/transcripts/l', { type: 'symlink' }),
    ];
    const ranges = plan(files, { wholeAsRange: true, supplement: true }).segments.map(
      ({ kind, range, reusable, supplement }) => ({ kind, range, reusable, supplement }),
    );
    expect(ranges).toEqual([
      { kind: 'tar', range: undefined, reusable: false, supplement: true },
      { kind: 'range', range: { offset: 0, length: 0 }, reusable: false, supplement: true },
      { kind: 'range', range: { offset: 0, length: 7 }, reusable: false, supplement: true },
    ]);
  });
});

describe('what becomes of a file', () => {
  it('follows the legacy profile', () => {
    const entries = [
      entry('.openclaw', { type: 'directory' }),
      entry('.openclaw/config/openclaw.json'),
      entry('.openclaw/other.json'),
      entry('.openclaw/transcripts', { type: 'directory' }),
      entry('.openclaw/transcripts/a.jsonl'),
      entry('workspace/src/main.c'),
      entry('workspace/node_modules/x/index.js'),
      entry('.openclaw/tmp/scratch'),
      entry('.openclaw/gateway.lock'),
      entry('.openclaw/agents.sqlite', { sizeBytes: 5000 }),
      entry('.openclaw/agents.sqlite-wal'),
      entry('.openclaw/agents.sqlite-shm'),
      entry('workspace/agents.sqlite-wal'),
      entry('Documents/private.txt'),
      entry('.openclaw/gateway.sock', { type: 'socket' }),
      entry('workspace/pipe', { type: 'fifo' }),
      entry('workspace/null', { type: 'device' }),
      entry('workspace/secret-project/a/b'),
    ];
    const result = plan(entries, { exclude: ['workspace/secret-project'] });
    const members = result.segments.map(
      ({ component, kind, members: held }) => `${component} ${kind}: ${held.map(nameOf).join(' ')}`,
    );
    expect(members).toEqual([
      'config tar: .openclaw/config/openclaw.json .openclaw/other.json',
      'transcripts tar: .openclaw/transcripts/a.jsonl',
      'workspace tar: workspace/agents.sqlite-wal workspace/src/main.c',
      'config directories: .openclaw',
      'transcripts directories: .openclaw/transcripts',
    ]);
    expect(result.databases.map(nameOf)).toEqual(['.openclaw/agents.sqlite']);
    expect(byReason(result)).toEqual({
      'database-sidecar': ['.openclaw/agents.sqlite-shm', '.openclaw/agents.sqlite-wal'],
      device: ['workspace/null'],
      excluded: ['workspace/secret-project/a/b'],
      fifo: ['workspace/pipe'],
      outside: ['Documents/private.txt'],
      rebuildable: ['.openclaw/tmp/scratch', 'workspace/node_modules/x/index.js'],
      socket: ['.openclaw/gateway.sock'],
      volatile: ['.openclaw/gateway.lock'],
    });
  });

  it('follows the current profile: the workspace inside the root, media among the transcripts', () => {
    const entries = [
      '.openclaw/openclaw.json',
      '.openclaw/workspace/a',
      '.openclaw/media/b',
      '.openclaw/state/openclaw.sqlite',
      '.openclaw/agents/main/agent/openclaw-agent.sqlite',
    ].map((path) => entry(path));
    const result = plan(entries, { profile: current });
    expect(result.segments.map(({ component, members }) => [component, ...members.map(nameOf)])).toEqual([
      ['config', '.openclaw/openclaw.json'],
      ['transcripts', '.openclaw/media/b'],
      ['workspace', '.openclaw/workspace/a'],
    ]);
    expect(result.databases).toHaveLength(2);
  });

  it('takes what lies in a root and under no rule for configuration', () => {
    const profile = { ...current, rules: [] };
    expect(plan([entry('.openclaw/x')], { profile }).segments).toMatchObject([{ component: 'config' }]);
  });

  it('leaves out, by its reason, what the tier does not hold, its databases too', () => {
    const result = plan([entry('.openclaw/transcripts/a'), entry('.openclaw/transcripts/a.db'), entry('.openclaw/b')], {
      components: componentsOf('A'),
    });
    expect(byReason(result)).toEqual({ 'other-tier': ['.openclaw/transcripts/a', '.openclaw/transcripts/a.db'] });
    expect(result.databases).toEqual([]);
  });

  it('plans copies of databases by their home-relative names, never reusable', () => {
    const [segment] = plan([entry('.openclaw/agents.sqlite')], { base: 'copies' }).segments;
    expect(segment).toMatchObject({ component: 'config', base: 'copies', reusable: false });
  });

  it('tells plists from logs on the host, and leaves its directories alone', () => {
    const entries = [
      entry('Library/LaunchDaemons/com.slimvps.openclaw-lane1.plist'),
      entry('var/log/openclaw.log'),
      entry('var/log', { type: 'directory' }),
    ];
    const result = plan(entries, { base: 'host', exclude: ['**'] });
    expect(result.segments.map(({ component, base }) => [component, base])).toEqual([
      ['plists', 'host'],
      ['logs', 'host'],
    ]);
    expect(byReason(result)).toEqual({ outside: ['var/log'] });
  });
});

describe('identity', () => {
  const file = entry('workspace/a', { inode: 'fixed' });
  const idOf = (one: FileEntry, more: Partial<PlanOptions> = {}): string =>
    plan([one], more).segments[0]?.fingerprint ?? '';

  it('changes with name, size, times, inode, mode, profile, recipients, base, kind and key', () => {
    const others = [
      idOf({ ...file, path: Buffer.from('workspace/b') }),
      idOf({ ...file, sizeBytes: 101 }),
      idOf({ ...file, mtimeNs: file.mtimeNs + 1n }),
      idOf({ ...file, ctimeNs: file.ctimeNs + 1n }),
      idOf({ ...file, inode: 'other' }),
      idOf({ ...file, mode: 0o600 }),
      idOf({ ...file, type: 'symlink' }),
      idOf(file, { profile: { ...options.profile, id: 'openclaw-2026' } }),
      idOf(file, { recipientsDigest: 'cd'.repeat(32) }),
      idOf(file, { base: 'copies' }),
      idOf(file, { supplement: true }),
      idOf(file, { wholeAsRange: true }),
      idOf(file, { fingerprintKey: Buffer.alloc(32, 8) }),
    ];
    expect(new Set([idOf(file), ...others]).size).toBe(others.length + 1);
    expect(idOf(file)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('does not change with a device number, which is another after a reboot', () => {
    expect(idOf({ ...file, device: '99' })).toBe(idOf(file));
  });

  it('numbers segments from where it is told', () => {
    const { segments } = plan([entry('workspace/a'), entry('.openclaw/b')], { firstNumber: 41, idPrefix: 'x-' });
    expect(segments.map(({ id }) => id)).toEqual(['x-0041', 'x-0042']);
  });

  it('never says reusable when told not to reuse', () => {
    expect(plan([file], { reuse: false }).segments[0]?.reusable).toBe(false);
  });
});

describe('names of one file in several components', () => {
  const name = (path: string, inode = '7'): FileEntry => entry(path, { inode, links: 2 });

  it('lie with the first component, and are counted as what a restore of the others leaves out', () => {
    const result = plan([name('.openclaw/config/a'), name('workspace/a'), name('workspace/b')]);
    const [segment] = result.segments.filter(({ kind }) => kind === 'tar');
    expect(segment).toMatchObject({ component: 'config' });
    expect(segment?.members.map(nameOf)).toEqual(['.openclaw/config/a', 'workspace/a', 'workspace/b']);
    expect(result.linkedElsewhere).toBe(2);
  });

  it('count nothing within one component, nor where the other name is not taken', () => {
    expect(plan([name('workspace/a'), name('workspace/b')]).linkedElsewhere).toBe(0);
    expect(plan([name('workspace/a'), name('workspace/node_modules/a')]).linkedElsewhere).toBe(0);
    expect(plan([name('.openclaw/config/a'), name('workspace/a', '8')]).linkedElsewhere).toBe(0);
  });
});

describe('a long list', () => {
  it('is planned as a short one is, and timers go on meanwhile', async () => {
    const entries = Array.from({ length: 40_000 }, (_, at) => entry(`workspace/folder-${at % 97}/file-${at}`));
    const asShort = plan(entries);
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const asLong = await planLongList(entries, options);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
    expect(asLong).toEqual(asShort);
    expect(asLong.segments.reduce((sum, { members }) => sum + members.length, 0)).toBe(entries.length);
  });
});
