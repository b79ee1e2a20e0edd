// `npm run fetch-servers`: the Temporal servers and the S3 server that the tests need, found or fetched, with the time
// that it took. One after the other where both are built: each build takes all cores.

import { ensureTemporalCli } from '../src/embedded/temporal-cli.ts';
import { ensureVersitygw } from '../src/embedded/versitygw.ts';
import { ensureTestServer } from '../test/setup/test-server.ts';

const startedAtMs = performance.now();
const [cli, testServer] = await Promise.all([ensureTemporalCli(), ensureTestServer()]);
console.log(`dev server: ${cli.path} (${cli.source}, ${Math.round(cli.elapsedMs / 1000)} s)`);
console.log(`test server: ${testServer} (${Math.round((performance.now() - startedAtMs) / 1000)} s)`);
const s3 = await ensureVersitygw();
console.log(`S3 server: ${s3.path} (${s3.source}, ${Math.round(s3.elapsedMs / 1000)} s)`);
