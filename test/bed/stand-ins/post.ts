// Stands in for curl where a machine has none: posts stdin to a unix socket and prints the answer.

import { request } from 'node:http';

const [, , socketPath = '', url = ''] = process.argv;
const sent = request({ socketPath, path: new URL(url).pathname, method: 'POST' }, (response) =>
  response.pipe(process.stdout),
);
sent.on('error', () => process.exit(7));
process.stdin.pipe(sent);
