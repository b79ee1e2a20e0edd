// Five projects: the unit tests first, then all that starts servers or hosts, three files at a time: much of their time
// is waiting, for real clocks take part.

import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const oldest = 24;
if (Number.parseInt(process.versions.node, 10) < oldest) {
  throw new Error(
    `tests need Node ${oldest}, this is ${process.version}: use npm test, or put node_modules/.bin first on PATH`,
  );
}

// Hundreds of processes of the same modules are started: what Node has compiled is kept, as the launcher keeps it.
process.env['NODE_COMPILE_CACHE'] ??= resolve(import.meta.dirname, 'node_modules/.cache/clawback/node');

// Two pages have commands that install Python packages, which are used once here: not compiled, that takes half the time.
process.env['PIP_NO_COMPILE'] ??= '1';

const second = 1000;
const unitWorkers = 4;
const serverWorkers = 3;
const first = 0;
const then = 1;

interface WithServers {
  readonly include?: readonly string[];
  readonly timeoutMs: number;
  /** Builds the workflow bundle and finds or fetches the two Temporal servers first; the S3 server always. */
  readonly temporal: boolean;
  /** Makes the keys that rigs copy. */
  readonly rigs?: boolean;
  /** A second try, which the report shows as such: where real time and a busy machine take part. */
  readonly retry?: number;
}

function withServers(
  name: string,
  { include = [], timeoutMs, temporal, rigs = false, retry = 0 }: WithServers,
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`, ...include],
      pool: 'forks',
      maxWorkers: serverWorkers,
      retry,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      sequence: { groupOrder: then },
      globalSetup: [
        'test/setup/versitygw.ts',
        ...(temporal ? ['test/setup/temporal.ts'] : []),
        ...(rigs ? ['test/setup/keys.ts'] : []),
      ],
    },
  };
}

const unit: TestProjectInlineConfiguration = {
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: unitWorkers,
    // of 143 CPU seconds 30 went into loading the same modules for each of 141 files
    isolate: false,
    testTimeout: 20 * second,
    hookTimeout: 30 * second,
    sequence: { groupOrder: first },
  },
};

const whole = { lines: 100 };

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/count-reporter.ts', './test/setup/results-reporter.ts'],
    projects: [
      unit,
      withServers('conformance', { include: ['test/bed/**/*.test.ts'], timeoutMs: 60 * second, temporal: false }),
      withServers('workflows', { timeoutMs: 60 * second, temporal: true }),
      withServers('faults', { timeoutMs: 180 * second, temporal: true, rigs: true, retry: 1 }),
      withServers('e2e', { timeoutMs: 300 * second, temporal: true, rigs: true, retry: 1 }),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/domain/**', 'src/bundle/**', 'src/activities/failures.ts'],
      reporter: ['text', 'html'],
      thresholds: { 'src/domain/**': whole, 'src/bundle/**': whole, 'src/activities/failures.ts': whole },
    },
  },
});
