// Global setup of the tests that need Temporal: both servers' programs and the workflow bundle, handed over by path,
// as values (`inject('temporalCli')`) and in the environment for the processes that tests start.

import type { TestProject } from 'vitest/node';
import { ensureTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { ensureTestServer } from './test-server.ts';
import { ensureWorkflowBundle } from './workflow-bundle.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The dev server's program. */
    temporalCli: string;
    /** The time-skipping test server's program. */
    testServer: string;
    /** The bundled workflows: `workflowBundle: { codePath }`. */
    workflowBundle: string;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const [cli, testServer, workflowBundle] = await Promise.all([
    ensureTemporalCli(),
    ensureTestServer(),
    ensureWorkflowBundle(),
  ]);
  project.provide('temporalCli', cli.path);
  project.provide('testServer', testServer);
  project.provide('workflowBundle', workflowBundle);
  process.env['CLAWBACK_TEMPORAL_CLI'] = cli.path;
  process.env['CLAWBACK_TEST_SERVER'] = testServer;
  process.env['CLAWBACK_WORKFLOW_BUNDLE'] = workflowBundle;
}
