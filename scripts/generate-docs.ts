// Writes the pages that come from the code: docs/fleet.md and docs/fleet.schema.json from the schema of fleet.yaml,
// docs/failure-modes.md from the failure table, docs/cli.md from the tree of commands. `--check` writes nothing and fails when a file differs.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderCliDocs } from '../src/cli/docs.ts';
import { renderFailureModes } from './docs/failure-modes.ts';
import { renderFleetPage, renderFleetSchema } from './docs/fleet-page.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

/** The generated files, by their path in the project. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'docs/cli.md': renderCliDocs(),
    'docs/fleet.md': renderFleetPage(),
    'docs/fleet.schema.json': renderFleetSchema(),
    'docs/failure-modes.md': renderFailureModes(),
  };
}

/** The files below `root` that are missing or not what would be generated. */
export async function findStale(root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, text] of Object.entries(generatedFiles())) {
    const present = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (present !== text) stale.push(path);
  }
  return stale;
}

/** Writes those that are stale; gives their paths. */
export async function writeDocs(root: string): Promise<string[]> {
  const stale = await findStale(root);
  for (const path of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), generatedFiles()[path] ?? '');
  }
  return stale;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const stale = values.check ? await findStale(project) : await writeDocs(project);
  for (const path of stale)
    console.log(values.check ? `${path} is not what the code says: npm run docs` : `wrote ${path}`);
  return values.check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = await main();
