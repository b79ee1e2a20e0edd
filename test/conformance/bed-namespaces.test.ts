import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bestBedKind } from '../bed/bed.ts';
import { bedSuite } from './bed-suite.ts';

/** What the machine must still be when a bed has come and gone. */
function machine(): unknown {
  const folder = (path: string): string[] | undefined => (existsSync(path) ? readdirSync(path) : undefined);
  const files = ['/etc/passwd', '/etc/group', '/etc/sudoers', '/etc/hosts'].map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined));
  return { files, folders: ['/Users', '/Library', '/private', '/etc/sudoers.d', '/opt', '/usr/bin', '/usr/local/bin'].map(folder), mounts: readFileSync('/proc/self/mounts', 'utf8') };
}

// unprivileged, there is nothing to test: the kind is refused
if (bestBedKind() === 'namespaces') {
  let before: unknown;
  beforeAll(() => {
    before = machine();
  });
  bedSuite('namespaces');
  afterAll(() => {
    expect(machine()).toEqual(before);
  });
} else {
  describe('a bed of kind namespaces', () => {
    it('is not chosen where this machine cannot make one', () => {
      expect(bestBedKind()).not.toBe('namespaces');
    });
  });
}
