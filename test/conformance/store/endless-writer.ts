// Puts a body that never ends, for a test to kill: endless-writer.ts MODULE KEY BYTES ARG…, and says when so many are written

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../../src/store/store.ts';

const [module = '', key = '', afterBytes = '', ...args] = process.argv.slice(2);
const opener = (await import(module)) as { openStore(...args: string[]): Store };

const chunkBytes = 64 * 1024;

async function* endless(): AsyncGenerator<Buffer> {
  for (let count = 0; ; count += 1) {
    yield Buffer.alloc(chunkBytes, count);
    if (count === Math.ceil(Number(afterBytes) / chunkBytes)) process.stdout.write('writing\n');
    await sleep(5);
  }
}

await opener.openStore(...args).put(key, Readable.from(endless()));
