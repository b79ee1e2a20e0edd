// Finds the Temporal dev server's program, and fetches it where it is nowhere: CLAWBACK_TEMPORAL_CLI, `temporal` on
// PATH, the cache, the SDK's own download, and where that is refused `go install` of the pinned version (about six
// minutes on two cores, once).

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  byGoInstall,
  type EnsureOptions,
  ensureTool,
  type FetchedTool,
  type Fetching,
  type FoundTool,
  locateTool,
  runTool,
} from './fetched-tool.ts';
import { isExecutable } from './tools-cache.ts';

/** Newer CLI versions carry a `replace` directive, which `go install` refuses. */
const version = 'v1.5.1';

const temporalCli: FetchedTool = {
  label: 'temporal server',
  program: 'temporal',
  version,
  variable: 'CLAWBACK_TEMPORAL_CLI',
  missing: 'TemporalMissing',
  ways: [
    { source: 'sdk-download', make: bySdk },
    byGoInstall(`github.com/temporalio/cli/cmd/temporal@${version}`, 'temporal', 'TemporalMissing'),
  ],
};

/** In a process of its own: the SDK's native runtime takes over signals, and can be installed only once. */
async function bySdk(folder: string, fetching: Fetching): Promise<string | undefined> {
  fetching.say('sdk-download', `asking for ${version}`);
  const script = join(import.meta.dirname, 'sdk-download.ts');
  const argv = [process.execPath, script, folder, version];
  const { status, last } = await runTool(argv, process.env, fetching, () => undefined);
  if (status !== 0) {
    fetching.say('sdk-download', `refused: ${last}`);
    return undefined;
  }
  for (const name of await readdir(folder)) {
    if (await isExecutable(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** The dev server's program where it is already on this machine. @throws Failure TemporalMissing */
export async function findTemporalCli(): Promise<string | undefined> {
  return (await locateTool(temporalCli))?.path;
}

/**
 * The dev server's program, fetched if need be; may be called again, and by several processes at once.
 * @throws Failure TemporalMissing
 */
export function ensureTemporalCli(options: EnsureOptions = {}): Promise<FoundTool> {
  return ensureTool(temporalCli, options);
}
