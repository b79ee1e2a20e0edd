// What `npm ci` needs on another machine than the one that wrote the lock.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completed, type Lock, missingPackages } from '../../../scripts/complete-lock.ts';

const project = resolve(import.meta.dirname, '../../..');
const readJson = (name: string): unknown => JSON.parse(readFileSync(join(project, name), 'utf8'));

describe('package-lock.json', () => {
  it('holds the packages of every platform (else: node scripts/complete-lock.ts)', () => {
    expect(missingPackages(readJson('package-lock.json') as Lock)).toEqual({});
  });

  it('names no registry', () => {
    expect(readFileSync(join(project, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "http/);
  });

  it('holds no package whose install script is neither allowed nor denied', () => {
    const { packages } = readJson('package-lock.json') as { packages: Record<string, { hasInstallScript?: boolean }> };
    const { allowScripts } = readJson('package.json') as { allowScripts: Record<string, boolean> };
    const decided = Object.keys(allowScripts).map((name) => name.replace(/(?<=.)@[^@/]*$/, ''));
    const scripted = Object.entries(packages).filter(([path, { hasInstallScript }]) => path !== '' && hasInstallScript);
    const names = scripted.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    expect(decided).toEqual(expect.arrayContaining(names));
  });
});

describe('completing a lock', () => {
  const lock: Lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/tool': {
        version: '2.1.0',
        dev: true,
        optionalDependencies: {
          '@tool/linux-x64-gnu': '2.1.0',
          '@tool/darwin-arm64': '2.1.0',
          '@tool/linux-arm64-musl': '2.1.0',
        },
      },
      'node_modules/@tool/linux-x64-gnu': { version: '2.1.0', dev: true, optional: true },
    },
  };

  it('adds what is missing, with the platform that its name tells', () => {
    expect(missingPackages(lock)).toEqual({
      'node_modules/@tool/darwin-arm64': {
        version: '2.1.0',
        cpu: ['arm64'],
        os: ['darwin'],
        dev: true,
        optional: true,
      },
      'node_modules/@tool/linux-arm64-musl': {
        version: '2.1.0',
        cpu: ['arm64'],
        libc: ['musl'],
        os: ['linux'],
        dev: true,
        optional: true,
      },
    });
  });

  it('is done after one round and keeps what was there', () => {
    const whole = completed(lock);
    expect(missingPackages(whole)).toEqual({});
    expect(whole.packages).toMatchObject(lock.packages);
  });
});
