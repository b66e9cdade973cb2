import type { NativeConnection, Worker } from '@temporalio/worker';

/** Runs workers until the answer is called, which waits for what they do and closes their connection. */
export function runWorker(
  worker: Pick<Worker, 'run' | 'shutdown'>,
  connection: NativeConnection,
): () => Promise<void> {
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await connection.close();
  };
}
