import { describe, expect, it } from 'vitest';
import { componentsIn, databaseRenames, swapRenames } from '../../../src/activities/restore/swap-units.ts';
import { type Profile, profileOf } from '../../../src/domain/profile.ts';
import { components } from '../../../src/domain/terms.ts';

function profile(id: string): Profile {
  const found = profileOf(id);
  if (!found) throw new Error(id);
  return found;
}
const legacy = profile('slimvps-legacy');
const current = profile('openclaw-2026');
const epoch = 1_795_377_003;
const stage = '.clawback/stage/r/home';

describe('what a restore renames', () => {
  it('swaps whole roots when the bundle holds every component of them', () => {
    const roots = [
      { root: '.openclaw', live: ['config', 'transcripts'], staged: ['config', 'transcripts'] },
      { root: 'workspace', live: ['a'], staged: ['a'] },
    ];
    expect(swapRenames(roots, { profile: legacy, components, epoch, stage })).toEqual([
      { from: '.openclaw', to: `.openclaw.bak.${epoch}` },
      { from: `${stage}/.openclaw`, to: '.openclaw' },
      { from: 'workspace', to: `workspace.bak.${epoch}` },
      { from: `${stage}/workspace`, to: 'workspace' },
    ]);
  });

  it('only moves in where the lane has nothing left', () => {
    const roots = [{ root: '.openclaw', live: undefined, staged: ['config'] }];
    expect(swapRenames(roots, { profile: legacy, components, epoch, stage })).toEqual([
      { from: `${stage}/.openclaw`, to: '.openclaw' },
    ]);
  });

  it('leaves a root alone that the bundle does not hold', () => {
    const roots = [{ root: 'workspace', live: ['a'], staged: undefined }];
    expect(swapRenames(roots, { profile: legacy, components, epoch, stage })).toEqual([]);
  });

  it('swaps only the children of the restored components, so that class 2 stays untouched under a tier A', () => {
    const roots = [
      { root: '.openclaw', live: ['config', 'transcripts', 'new'], staged: ['config', 'version'] },
      { root: 'workspace', live: ['a'], staged: undefined },
    ];
    const renames = swapRenames(roots, { profile: legacy, components: ['config', 'plists', 'secrets'], epoch, stage });
    expect(renames).toEqual([
      { from: '.openclaw/config', to: `.openclaw.bak.${epoch}/config` },
      { from: `${stage}/.openclaw/config`, to: '.openclaw/config' },
      { from: `${stage}/.openclaw/version`, to: '.openclaw/version' },
    ]);
  });

  it('takes the log of a replaced database away with it, and leaves that of another alone', () => {
    const live = ['a.sqlite', 'a.sqlite-shm', 'a.sqlite-wal', 'b.db', 'b.db-wal', 'notes', 'notes-wal'];
    const roots = [{ root: '.openclaw', live, staged: ['a.sqlite', 'notes'] }];
    const renames = swapRenames(roots, { profile: legacy, components: ['config'], epoch, stage });
    expect(renames.map(({ from, to }) => [from, to])).toEqual([
      ['.openclaw/a.sqlite-wal', `.openclaw.bak.${epoch}/a.sqlite-wal`],
      ['.openclaw/a.sqlite-shm', `.openclaw.bak.${epoch}/a.sqlite-shm`],
      ['.openclaw/a.sqlite', `.openclaw.bak.${epoch}/a.sqlite`],
      [`${stage}/.openclaw/a.sqlite`, '.openclaw/a.sqlite'],
      ['.openclaw/notes', `.openclaw.bak.${epoch}/notes`],
      [`${stage}/.openclaw/notes`, '.openclaw/notes'],
    ]);
  });

  it('never renames two things to one name, nor the same thing twice', () => {
    const names = ['config', 'transcripts', 'workspace', 'media', 'state', 'openclaw.json'];
    for (const chosen of [
      ['config'],
      ['transcripts'],
      ['workspace'],
      ['config', 'workspace'],
      [...components],
    ] as const) {
      const roots = [{ root: '.openclaw', live: names, staged: names }];
      const renames = swapRenames(roots, { profile: current, components: chosen, epoch, stage });
      expect(new Set(renames.map(({ to }) => to)).size).toBe(renames.length);
      expect(new Set(renames.map(({ from }) => from)).size).toBe(renames.length);
    }
  });

  it('knows which components lie in a root', () => {
    expect(componentsIn('.openclaw', legacy).toSorted()).toEqual(['config', 'transcripts']);
    expect(componentsIn('workspace', legacy)).toEqual(['workspace']);
    expect(componentsIn('.openclaw', current).toSorted()).toEqual(['config', 'transcripts', 'workspace']);
  });
});

describe('databases that lie among what is not restored', () => {
  const path = '.openclaw/agents/main/agent/openclaw-agent.sqlite';
  const swap = { profile: current, epoch, stage, renames: [] };

  it('are swapped alone, and their logs go with the old ones', () => {
    const live = new Set([path, `${path}-wal`, `${path}-shm`]);
    expect(databaseRenames([path], { ...swap, live })).toEqual([
      ...['-wal', '-shm', ''].map((log) => ({
        from: `${path}${log}`,
        to: `.openclaw.bak.${epoch}/agents/main/agent/openclaw-agent.sqlite${log}`,
      })),
      { from: `${stage}/${path}`, to: path },
    ]);
  });

  it('only move in where the lane has none', () => {
    expect(databaseRenames([path], { ...swap, live: new Set() })).toEqual([{ from: `${stage}/${path}`, to: path }]);
  });

  it('come with their tree where that is swapped', () => {
    const renames = [{ from: `${stage}/.openclaw/agents`, to: '.openclaw/agents' }];
    expect(databaseRenames([path], { ...swap, renames, live: new Set([path]) })).toEqual([]);
  });
});
