import { join } from 'node:path';
import { stopLeftovers } from '../leftovers.ts';
import { reserveFolder } from '../run-lock.ts';
import type { Dependency, LaunchContext } from './dependency.ts';
import { type RabbitmqAddresses, startRabbitmq } from './rabbitmq.ts';
import { type RedisAddresses, startRedis } from './redis.ts';
import { startTemporal, type TemporalAddresses } from './temporal.ts';

export type Services = {
  temporal: Dependency<TemporalAddresses>;
  rabbitmq: Dependency<RabbitmqAddresses>;
  redis: Dependency<RedisAddresses>;
  stop: () => Promise<void>;
};

/**
 * Starts Temporal, RabbitMQ and Redis side by side, after stopping what an earlier run left in the same folder.
 * The folder is reserved meanwhile: a second start in it is refused. When one cannot be had, the others are stopped again and the error names it.
 */
export async function startServices(context: LaunchContext): Promise<Services> {
  const release = reserveFolder(context.folder);
  for (const name of await stopLeftovers(join(context.folder, 'processes'))) {
    context.say(`${name}: stopped what an earlier run left behind`);
  }
  const starts = [
    reported(context, () => startTemporal(context)),
    reported(context, () => startRabbitmq(context)),
    reported(context, () => startRedis(context)),
  ] as const;
  const results = await Promise.allSettled(starts);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    for (const result of results) {
      if (result.status === 'fulfilled') await result.value.stop();
    }
    release();
    throw failed.reason;
  }
  const [temporal, rabbitmq, redis] = await Promise.all(starts);
  const stop = async () => {
    await Promise.all([temporal.stop(), rabbitmq.stop(), redis.stop()]);
    release();
  };
  return { temporal, rabbitmq, redis, stop };
}

/** The addresses under flat names, for tests, `.runtime/services.json` and whoever works on the code. */
export function serviceAddresses({ temporal, rabbitmq, redis }: Services) {
  return {
    temporalAddress: temporal.addresses.address,
    temporalUiUrl: temporal.addresses.uiUrl,
    temporalMetricsUrl: temporal.addresses.metricsUrl,
    temporalCli: temporal.addresses.cli,
    amqpUrl: rabbitmq.addresses.url,
    amqpManagementUrl: rabbitmq.addresses.managementUrl,
    rabbitmqMetricsUrl: rabbitmq.addresses.metricsUrl,
    redisUrl: redis.addresses.url,
  };
}

/** Starts one dependency and says where it came from and how long it took; of one that does not answer it has been said. */
export async function reported<Addresses>(
  context: LaunchContext,
  start: () => Promise<Dependency<Addresses>>,
): Promise<Dependency<Addresses>> {
  const startedAt = Date.now();
  const dependency = await start();
  if (dependency.version === '') return dependency;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  context.say(`${dependency.name} ${dependency.version} is ready (${dependency.source}, ${seconds} s)`);
  return dependency;
}
