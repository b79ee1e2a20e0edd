// Completes package-lock.json with the programs that packages ship for other platforms. A registry mirror that serves
// only its own platform's makes npm leave them out of the lock, and then `npm ci` refuses the lock ("Missing: … from
// lock file") and a Mac gets no linter. Their versions are pinned by the package that wants them; their digests are
// not known here, so they are left out. Run after `npm install`: `node scripts/complete-lock.ts`.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly license?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Record<string, LockedPackage>;
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

function isLocked(lock: Lock, name: string, version: string): boolean {
  const found = Object.entries(lock.packages);
  return found.some(([path, locked]) => path.endsWith(`node_modules/${name}`) && locked.version === version);
}

/** What such a package says about itself, by the convention of its name (`…-linux-arm64-musl`). */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/);
  const only = (known: readonly string[]): string[] => words.filter((word) => known.includes(word));
  const os = only(systems);
  const cpu = only(processors);
  const libc = words.flatMap((word) => ({ gnu: ['glibc'], musl: ['musl'] })[word] ?? []);
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) };
}

/** The optional packages that the lock does not hold, as entries for it. */
export function missingPackages(lock: Lock): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const wanted of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(wanted.optionalDependencies ?? {})) {
      if (!/^\d/.test(version) || isLocked(lock, name, version)) continue;
      const dev = wanted.dev === true ? { dev: true } : {};
      missing[`node_modules/${name}`] = { version, ...platformOf(name), ...dev, optional: true };
    }
  }
  return missing;
}

/** The lock with them, in npm's order of keys. */
export function completed(lock: Lock): Lock {
  const entries = Object.entries({ ...lock.packages, ...missingPackages(lock) });
  const packages = Object.fromEntries(entries.toSorted(([one], [two]) => one.localeCompare(two, 'en')));
  return { ...lock, packages };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const path = join(resolve(import.meta.dirname, '..'), 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock;
  const count = Object.keys(missingPackages(lock)).length;
  if (count > 0) writeFileSync(path, `${JSON.stringify(completed(lock), null, 2)}\n`);
  console.log(`package-lock.json: ${count} packages of other platforms added`);
}
