// `npm run fetch-servers`: both Temporal servers that the tests need, found or fetched, with the time that it took.

import { ensureTemporalCli } from '../src/embedded/temporal-cli.ts';
import { ensureTestServer } from '../test/setup/test-server.ts';

const startedAtMs = performance.now();
const [cli, testServer] = await Promise.all([ensureTemporalCli(), ensureTestServer()]);
console.log(`dev server: ${cli.path} (${cli.source}, ${Math.round(cli.elapsedMs / 1000)} s)`);
console.log(`test server: ${testServer} (${Math.round((performance.now() - startedAtMs) / 1000)} s)`);
