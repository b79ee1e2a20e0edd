// The connection to Temporal, from the standard client configuration: environment variables and profiles, so
// that a local server, a self-hosted cluster and Temporal Cloud differ in a profile only.

import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Failure } from '../domain/failure.ts';

export interface Temporal {
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;

/** Connects. TemporalUnreachable names the address; InvalidInput when the client configuration cannot be read. */
export async function connectTemporal(): Promise<Temporal> {
  const { connectionOptions, namespace = 'default' } = readConfiguration();
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: connectTimeoutMs });
    return { client: new Client({ connection, namespace }), address, namespace, close: () => connection.close() };
  } catch (error) {
    throw new Failure(
      'TemporalUnreachable',
      `Temporal at ${address} (namespace ${namespace}) does not answer`,
      {},
      { cause: error },
    );
  }
}

function readConfiguration(): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(
      'InvalidInput',
      `Temporal's client configuration cannot be read: ${reason}`,
      { field: 'TEMPORAL_CONFIG_FILE' },
      { cause: error },
    );
  }
}
