import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/domain/limits.ts';
import { keepRoom } from '../../../src/lane/ballast.ts';
import { type Fence, takeFence } from '../../../src/lane/fence.ts';
import type { LaneShell } from '../../../src/lane/lane-shell.ts';
import { type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
beforeAll(async () => {
  local = await startLocalHost();
});
afterAll(() => local.stop());

const fence = (attempt: number): Fence => ({ sectionStartMs: 1_780_000_000_000, order: 1, attempt });
const ballastOf = (shell: LaneShell): string => shell.clawbackPath('stage/one/ballast');

/** A lane whose volume has so much room, or so df says. */
async function shellWith(freeKib: number): Promise<LaneShell> {
  const df = join(local.folder, `df-${freeKib}`);
  const rows = ['Filesystem 1024-blocks Used Available Capacity Mounted on', `map a b 9 8 ${freeKib} 90% /some place`];
  writeFileSync(df, `#!/bin/sh\ncat <<END\n${rows.join('\n')}\nEND\n`, { mode: 0o755 });
  return local.shell({ host: { ...local.host, tools: { ...local.host.tools, df } } });
}

describe('the ballast', () => {
  it('takes its room in blocks, not in a hole, and may be written again', async () => {
    const shell = await shellWith(1_000_000);
    for (const _ of [1, 2]) await keepRoom(shell, 'stage/one', {});
    const { size, blocks, mode } = statSync(ballastOf(shell));
    expect({ size, mode: mode & 0o777 }).toEqual({ size: limits.ballastBytes, mode: 0o600 });
    expect(blocks * 512).toBeGreaterThanOrEqual(limits.ballastBytes);
  });

  it('is refused, and leaves nothing, where it cannot be written', async () => {
    const shell = await shellWith(0);
    // a folder in its place refuses root too
    await shell.script('mkdir -p "$1"', [ballastOf(shell)]);
    await expect(keepRoom(shell, 'stage/one', {})).rejects.toMatchObject({
      code: 'DiskTooFull',
      context: { expectedBytes: limits.ballastBytes },
    });
  });

  it('stays while there is as much room beside it', async () => {
    const shell = await shellWith(limits.ballastBytes / 1024);
    await keepRoom(shell, 'stage/one', {});
    await takeFence(shell, fence(1));
    expect(existsSync(ballastOf(shell))).toBe(true);
  });

  it('goes with the first fence that finds less, and nothing else of the staging tree does', async () => {
    const shell = await shellWith(limits.ballastBytes / 1024 - 1);
    await keepRoom(shell, 'stage/one', {});
    await shell.script('mkdir "$1" && touch "$1/ballast" "$2"', [
      shell.clawbackPath('stage/one/home'),
      shell.clawbackPath('stage/one/other'),
    ]);
    await takeFence(shell, fence(1));
    expect(readdirSync(shell.clawbackPath('stage/one')).toSorted()).toEqual(['home', 'other']);
    expect(readdirSync(shell.clawbackPath('stage/one/home'))).toEqual(['ballast']);
  });

  it('is not needed for a fence: where none lies and df is no help, it is taken all the same', async () => {
    const shell = await local.shell({
      host: { ...local.host, tools: { ...local.host.tools, df: '/usr/bin/false' } },
    });
    await takeFence(shell, fence(1));
    expect(readdirSync(shell.clawbackPath('journal'))).toHaveLength(1);
  });
});

describe('a fence that cannot be made', () => {
  /** A file in the place of its folder, for a volume without a block. */
  async function taken(freeKib: number): Promise<unknown> {
    const shell = await shellWith(freeKib);
    mkdirSync(shell.clawbackPath(''), { recursive: true });
    writeFileSync(shell.clawbackPath('journal'), '');
    return takeFence(shell, fence(1)).catch((error: unknown) => error);
  }

  it('for want of room says so, and may be tried again', async () => {
    expect(await taken(0)).toMatchObject({
      code: 'HostCommandFailed',
      message: expect.stringMatching(
        /^lane lane-\d+ on local: no step can begin, for its volume is full; free some MB/,
      ),
    });
  });

  it('for another reason does not speak of room', async () => {
    expect(await taken(1_000)).toMatchObject({ message: expect.not.stringContaining('full') });
  });
});
