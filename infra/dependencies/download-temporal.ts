import { TestWorkflowEnvironment } from '@temporalio/testing';

/** `node download-temporal.ts <folder> <version>`: lets the SDK fetch the Temporal CLI into the folder, then ends. */
const [downloadDir = '', version = ''] = process.argv.slice(2);
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir, version, ttl: '365d' } },
  });
  await environment.teardown();
} catch (error) {
  console.error(firstCause(error));
  process.exitCode = 1;
}

function firstCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${firstCause(error.cause)})`;
}
