// Bundles the workflows once for all tests (9-14 s under load otherwise, in each worker). The file's name is a digest
// of what goes into it, so that a run with unchanged sources finds the bundle of the one before.

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const project = resolve(import.meta.dirname, '../..');
const cache = join(project, 'node_modules/.cache/clawback');
const sources = ['src/workflows', 'src/contract', 'src/domain'];

async function sourceFiles(): Promise<string[]> {
  const found = await Promise.all(
    sources.map(async (folder) => {
      const names = await readdir(join(project, folder), { recursive: true });
      return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
    }),
  );
  return ['package-lock.json', ...found.flat().sort()];
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = await readFile(join(project, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Bundles of sources that are no more; a day, since another run may still use one. */
async function dropOldBundles(): Promise<void> {
  const dayAgoMs = Date.now() - 24 * 3600 * 1000;
  for (const name of await readdir(cache)) {
    const found = await stat(join(cache, name)).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < dayAgoMs) await rm(join(cache, name), { force: true });
  }
}

/** The path of the bundled workflows. */
export async function ensureWorkflowBundle(): Promise<string> {
  const path = join(cache, `workflows-${await digestOf(await sourceFiles())}.js`);
  const isThere = await stat(path).catch(() => undefined);
  if (isThere !== undefined) return path;
  const workflowsPath = join(project, 'src/workflows/index.ts');
  const payloadConverterPath = join(project, 'src/workflows/payload-converter.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: new DefaultLogger('WARN') });
  await mkdir(cache, { recursive: true });
  await dropOldBundles();
  const scratch = `${path}.${process.pid}`;
  await writeFile(scratch, code);
  await rename(scratch, path);
  return path;
}
