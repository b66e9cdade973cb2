import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

/**
 * Connects to the Temporal server that Temporal's standard environment names (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
 * TEMPORAL_TLS…, or a profile). Rejects within ten seconds with what to check.
 */
export async function connectTemporal(): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  const connection = await NativeConnection.connect(connectionOptions).catch((cause: unknown) => {
    throw new Error(`Temporal does not answer at ${address}; start it (npm start) or set TEMPORAL_ADDRESS`, {
      cause,
    });
  });
  return { connection, namespace: namespace ?? 'default' };
}
