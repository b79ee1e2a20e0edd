// Run as a process by temporal-cli.ts: `sdk-download.ts <folder> <version>` has the SDK download the dev server's
// program into the folder (it starts it once, which shows that it runs). Exit status 1 and one line when refused.

import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir = '', version = ''] = process.argv.slice(2);
try {
  const executable = { type: 'cached-download', downloadDir, version } as const;
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable, ip: '127.0.0.1' } });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`${String(error).replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
