// One question to the operator, on the terminal. Anything but yes is no; Ctrl-C is no too.

import { createInterface } from 'node:readline/promises';
import type { Cli } from './cli.ts';

export async function askYesNo(cli: Cli, question: string): Promise<boolean> {
  const { stdin, stderr, interrupts } = cli.around;
  const readline = createInterface({ input: stdin, output: stderr, terminal: true });
  // readline takes Ctrl-C from the terminal for itself
  readline.once('SIGINT', () => interrupts.interrupt());
  try {
    const answer = await readline.question(`${question} [y/N] `, { signal: interrupts.signal });
    return /^(y|yes)$/i.test(answer.trim());
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    cli.note('');
    return false;
  } finally {
    readline.close();
  }
}
