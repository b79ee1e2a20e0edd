// Five projects, one after the other: unit tests in parallel, and what starts servers or hosts one file at a time.

import { defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

const oldest = 24;
if (Number.parseInt(process.versions.node, 10) < oldest) {
  throw new Error(
    `tests need Node ${oldest}, this is ${process.version}: use npm test, or put node_modules/.bin first on PATH`,
  );
}

const second = 1000;
const order = ['unit', 'conformance', 'workflows', 'faults', 'e2e'];

interface Serial {
  readonly include?: readonly string[];
  readonly timeoutMs: number;
  /** Builds the workflow bundle and finds or fetches the two Temporal servers first. */
  readonly temporal: boolean;
  /** A second try, which the report shows as such: where real time and a busy machine take part. */
  readonly retry?: number;
}

function serial(
  name: string,
  { include = [], timeoutMs, temporal, retry = 0 }: Serial,
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`, ...include],
      pool: 'forks',
      maxWorkers: 1,
      fileParallelism: false,
      retry,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      sequence: { groupOrder: order.indexOf(name) },
      ...(temporal && { globalSetup: ['test/setup/temporal.ts'] }),
    },
  };
}

const unit: TestProjectInlineConfiguration = {
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20 * second,
    hookTimeout: 30 * second,
    sequence: { groupOrder: order.indexOf('unit') },
  },
};

const whole = { lines: 100 };

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/count-reporter.ts'],
    projects: [
      unit,
      serial('conformance', { include: ['test/bed/**/*.test.ts'], timeoutMs: 60 * second, temporal: false }),
      serial('workflows', { timeoutMs: 60 * second, temporal: true }),
      serial('faults', { timeoutMs: 180 * second, temporal: true, retry: 1 }),
      serial('e2e', { timeoutMs: 300 * second, temporal: true, retry: 1 }),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/domain/**', 'src/bundle/**', 'src/activities/failures.ts'],
      reporter: ['text', 'html'],
      thresholds: { 'src/domain/**': whole, 'src/bundle/**': whole, 'src/activities/failures.ts': whole },
    },
  },
});
