import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { askYesNo } from '../../../src/cli/ask.ts';
import { Cli } from '../../../src/cli/cli.ts';
import { Interrupts } from '../../../src/cli/interrupts.ts';
import { testAround } from './around.ts';

async function answered(typed: string): Promise<{ readonly yes: boolean; readonly shown: string }> {
  const around = testAround({ terminal: true });
  const asked = askYesNo(new Cli(around), 'Restore lane-1 now?');
  await turn();
  around.stdin.write(typed);
  return { yes: await asked, shown: around.err() };
}

describe('a question', () => {
  it.each([
    ['y\r', true],
    ['YES\r', true],
    [' y \r', true],
    ['n\r', false],
    ['\r', false],
    ['yup\r', false],
  ])('answered %j is %s', async (typed, yes) => {
    expect((await answered(typed)).yes).toBe(yes);
  });

  it('is shown on stderr, with no as what Enter means', async () => {
    expect((await answered('y\r')).shown).toContain('Restore lane-1 now? [y/N] ');
  });

  it('is no when Ctrl-C is pressed at it', async () => {
    const { yes } = await answered('\x03');
    expect(yes).toBe(false);
  });
});

describe('Ctrl-C', () => {
  it('leaves the work to itself the first time, and exits at once the second time', async () => {
    const exits: number[] = [];
    const interrupts = new Interrupts((status) => exits.push(status));
    const waiting = interrupts.unlessInterrupted(new Promise(() => undefined));
    interrupts.interrupt();
    expect(await waiting).toBeUndefined();
    expect(exits).toEqual([]);
    interrupts.interrupt();
    expect(exits).toEqual([130]);
  });

  it('changes nothing about work that is done, or that fails', async () => {
    const interrupts = new Interrupts(() => undefined);
    expect(await interrupts.unlessInterrupted(Promise.resolve(7))).toEqual({ value: 7 });
    await expect(interrupts.unlessInterrupted(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  it('before the work began keeps it from being waited for', async () => {
    const interrupts = new Interrupts(() => undefined);
    interrupts.interrupt();
    expect(await interrupts.unlessInterrupted(Promise.resolve(7))).toBeUndefined();
  });
});
