import { createVhost } from '../setup/isolation.ts';
import { startSagaEnvironment } from '../setup/saga-environment.ts';
import { startProduct } from './product-processes.ts';

/** API, worker and relay as processes of their own, on a broker vhost and a store of their own. */
export async function startOwnProduct(name: string, env: Record<string, string> = {}) {
  const vhost = await createVhost(name);
  const stops = [() => vhost.remove()];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0)) await stop();
  };
  try {
    const saga = await startSagaEnvironment({ workers: false, env: { AMQP_URL: vhost.amqpUrl, ...env } });
    stops.unshift(() => saga.close());
    const product = await startProduct(saga.env);
    stops.unshift(() => product.stop());
    return { saga, product, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export type OwnProduct = Awaited<ReturnType<typeof startOwnProduct>>;
