// What hosts say of their memory, as real ones printed it.

import { describe, expect, it } from 'vitest';
import { memoryOf, parseMemory } from '../../../src/lane/memory.ts';
import { startLocalHost } from './local-host.ts';

/** `vm_stat` of a Mac mini with Apple silicon and 32 GB, 16 kB pages; not under pressure. */
const calm = `memsize: 34359738368
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               15160.
Pages active:                            892723.
Pages inactive:                          889884.
Pages speculative:                         2084.
Pages throttled:                              0.
Pages wired down:                        142222.
Pages purgeable:                          11748.
"Translation faults":                6256987137.
Pages copy-on-write:                  172620941.
Pages zero filled:                   4157960280.
Pages reactivated:                     21783294.
Pages purged:                           2142750.
File-backed pages:                       516277.
Anonymous pages:                        1268414.
Pages stored in compressor:              329758.
Pages occupied by compressor:            120555.
Decompressions:                         7047053.
Compressions:                          16186727.
Pageins:                               49449896.
Pageouts:                               1289523.
Swapins:                                      0.
Swapouts:                                     0.
`;

/** The same of one with 16 GB that swaps. */
const pressed = `memsize: 17179869184
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                4518.
Pages active:                            194947.
Pages inactive:                          191193.
Pages speculative:                         3014.
Pages throttled:                              0.
Pages wired down:                        159117.
Pages purgeable:                            630.
"Translation faults":                 574921966.
Pages copy-on-write:                   38671927.
Pages zero filled:                    320571840.
Pages reactivated:                     75978152.
Pages purged:                          16666917.
File-backed pages:                       141843.
Anonymous pages:                         247311.
Pages stored in compressor:             1022243.
Pages occupied by compressor:            454496.
Decompressions:                        73011127.
Compressions:                          92304380.
Pageins:                                7854456.
Pageouts:                                320741.
Swapins:                                 470789.
Swapouts:                                929703.
`;

/** Of an Intel Mac with 4 kB pages and 8 GB. */
const intel = `memsize: 8589934592
Mach Virtual Memory Statistics: (page size of 4096 bytes)
Pages free:                                5268.
Pages active:                            440314.
Pages inactive:                          430905.
Pages speculative:                          878.
Pages throttled:                              0.
Pages wired down:                        398445.
Pages purgeable:                             69.
"Translation faults":                 508984629.
Pages copy-on-write:                    5668036.
Pages zero filled:                    347281743.
Pages reactivated:                    114745855.
Pages purged:                          13495647.
File-backed pages:                        88747.
Anonymous pages:                         783350.
Pages stored in compressor:             1760568.
Pages occupied by compressor:            820444.
`;

describe('memory', () => {
  it.each([
    ['a calm Mac', calm, 72, (1_268_414 - 11_748 + 142_222 + 120_555) * 16_384],
    ['a Mac that swaps', pressed, 82, (247_311 - 630 + 159_117 + 454_496) * 16_384],
    ['an Intel Mac', intel, 95, (783_350 - 69 + 398_445 + 820_444) * 4096],
  ])('of %s is used as Activity Monitor counts it', (_, text, percent, usedBytes) => {
    const { totalBytes, freeBytes } = parseMemory(text) ?? expect.fail();
    expect(totalBytes - freeBytes).toBe(usedBytes);
    expect(Math.round((usedBytes / totalBytes) * 100)).toBe(percent);
  });

  it('of Linux is what the kernel says is available', () => {
    const text = 'MemTotal:       16384000 kB\nMemFree:         1000000 kB\nMemAvailable:    8192000 kB\n';
    expect(parseMemory(text)).toEqual({ totalBytes: 16_384_000 * 1024, freeBytes: 8_192_000 * 1024 });
  });

  it('is not guessed where a number is missing', () => {
    for (const line of ['memsize: ', 'page size of ', 'Pages wired down: ', 'Anonymous pages: ', 'Pages purgeable: '])
      expect(parseMemory(calm.replace(line, 'nothing '))).toBeUndefined();
    expect(parseMemory('')).toBeUndefined();
  });

  it('of this machine is more than nothing, and not all free', async () => {
    const local = await startLocalHost();
    try {
      const { totalBytes, freeBytes } = await memoryOf(await local.shell());
      expect(freeBytes).toBeGreaterThan(0);
      expect(totalBytes).toBeGreaterThan(freeBytes);
    } finally {
      await local.stop();
    }
  });
});
