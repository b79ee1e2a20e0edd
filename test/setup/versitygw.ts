// Global setup of the tests that need an S3 server: its program, built where it is nowhere; without it the run fails.

import { ensureVersitygw } from '../../src/embedded/versitygw.ts';

export default async function setup(): Promise<void> {
  process.env['CLAWBACK_VERSITYGW'] = (await ensureVersitygw()).path;
}
