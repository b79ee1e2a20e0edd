// The command line. Started by ./clawback on the pinned Node.

import { runCli } from './run-cli.ts';
import { realSurroundings } from './surroundings.ts';

const around = realSurroundings();
// `| head` closes our stdout: what is left to say has no reader.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
// Connections that are still closing must not hold the shell's prompt back.
process.exit(await runCli(process.argv.slice(2), around));
