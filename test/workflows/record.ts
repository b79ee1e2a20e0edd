// `node test/workflows/record.ts`: records the histories that determinism.test.ts replays. Run it when a workflow that
// is not released yet has changed; a released one changes with `patched`, and keeps its histories.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.ts';
import { Bench, type Handle } from './bench.ts';
import { historiesFolder, scenarios } from './histories.ts';

/** What tells of the machine that recorded. */
const machine = ['identity', 'stackTrace', 'workerVersion', 'requestId'];
/** What replay does not read, and most of the bytes. The SDK's flags (`sdkMetadata`) stay: they steer replay. */
const unread = ['retryPolicy', 'meteringMetadata', 'taskId', 'historySizeBytes', 'sdkName', 'sdkVersion', 'header'];
const dropped = [...machine, ...unread];

type Fields = Record<string, unknown>;

function scrubbed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrubbed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !dropped.includes(key))
      .map(([key, inner]) => [key, shortened(key, scrubbed(inner))]),
  );
}

/** Replay compares which activity was scheduled, not with what; and a sticky queue is named after its process. */
function shortened(key: string, value: unknown): unknown {
  if (key === 'activityTaskScheduledEventAttributes') {
    const { activityId, activityType, workflowTaskCompletedEventId } = value as Fields;
    return { activityId, activityType, workflowTaskCompletedEventId };
  }
  if (key === 'workflowTaskScheduledEventAttributes') return { attempt: (value as Fields)['attempt'] };
  return value;
}

async function write(name: string, handle: Handle): Promise<number> {
  const history = scrubbed(JSON.parse(historyToJSON(await handle.fetchHistory())));
  const text = `${JSON.stringify(history)}\n`;
  await writeFile(join(historiesFolder, `${name}.json`), text);
  return text.length;
}

async function record(bench: Bench): Promise<void> {
  let bytes = 0;
  for (const [name, run] of Object.entries(scenarios)) {
    const handles = await run(bench, name);
    for (const [which, handle] of Object.entries(handles)) bytes += await write(`${name}.${which}`, handle);
  }
  process.stdout.write(`${Object.keys(scenarios).length} scenarios, ${bytes} bytes\n`);
}

const { path } = await ensureTemporalCli();
const bench = await Bench.open({ server: 'dev', program: path, bundle: await ensureWorkflowBundle() });
try {
  await rm(historiesFolder, { recursive: true, force: true });
  await mkdir(historiesFolder);
  await record(bench);
} finally {
  await bench.close();
}
