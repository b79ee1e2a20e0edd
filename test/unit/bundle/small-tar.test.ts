import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/bundle/digest.ts';
import { smallTar } from '../../../src/bundle/small-tar.ts';
import { auditTar } from '../../../src/bundle/tar-audit.ts';
import { entry } from './entries.ts';
import { collect, through } from './streams.ts';

describe('a small tar', () => {
  it('is an archive that our own audit passes, its files private and in order', async () => {
    const file = fc.record({
      name: fc.stringMatching(/^[a-z0-9.-]{1,30}[a-z]$/),
      content: fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 6 }), async (files) => {
        const audit = auditTar({ expect: 'list', members: files.map(({ name }) => entry(name)) });
        await through(await collect(smallTar(files)), audit.stream);
        const found = audit.result().entries.map(({ path, mode, sha256 }) => ({ path, mode, sha256 }));
        expect(found).toEqual(
          files.map(({ name, content }) => ({ path: name, mode: 0o600, sha256: sha256Hex(content) })),
        );
      }),
      { numRuns: 30 },
    );
  });
});
