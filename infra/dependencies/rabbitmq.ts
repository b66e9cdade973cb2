import { configuredServer, hostOf } from './configured.ts';
import {
  type Candidate,
  createNotHere,
  type Dependency,
  firstThatWorks,
  type LaunchContext,
} from './dependency.ts';
import { dockerCandidate } from './docker.ts';
import { installRabbitmq } from './install-rabbitmq.ts';
import { installCommandFor } from './package-manager.ts';
import { brokerVersion } from './rabbitmq-answers.ts';
import { RABBITMQ, type RabbitmqAddresses, runRabbitmq } from './rabbitmq-private.ts';

export type { RabbitmqAddresses };

/** RabbitMQ with management and metrics: AMQP_URL, `rabbitmq-server` on PATH, the package manager, Docker. */
export async function startRabbitmq(context: LaunchContext): Promise<Dependency<RabbitmqAddresses>> {
  return firstThatWorks({
    name: RABBITMQ,
    candidates: rabbitmqCandidates(context),
    installCommand: await installCommandFor('rabbitmq', context.env),
    say: context.say,
  });
}

/** In the order they are tried. */
export function rabbitmqCandidates(context: LaunchContext): Candidate<RabbitmqAddresses>[] {
  return [
    { source: 'configured', start: () => useConfigured(context) },
    { source: 'path', start: () => runRabbitmq(context, 'path') },
    {
      source: 'package manager',
      start: async () => {
        await installRabbitmq(context);
        return runRabbitmq(context, 'package manager');
      },
    },
    dockerCandidate({
      name: RABBITMQ,
      services: ['rabbitmq'],
      context,
      addresses: {
        url: 'amqp://guest:guest@127.0.0.1:5672',
        managementUrl: 'http://guest:guest@127.0.0.1:15672',
        metricsUrl: 'http://127.0.0.1:15692/metrics',
      },
      version: (addresses) => brokerVersion(addresses.url),
    }),
  ];
}

async function useConfigured(context: LaunchContext): Promise<Dependency<RabbitmqAddresses>> {
  const url = context.env['AMQP_URL'];
  if (!context.useConfigured || !url) throw createNotHere('AMQP_URL is not set');
  const addresses = {
    url,
    managementUrl: context.env['RABBITMQ_MANAGEMENT_URL'] ?? '',
    metricsUrl: context.env['RABBITMQ_METRICS_URL'] ?? '',
  };
  return configuredServer(context, {
    name: RABBITMQ,
    setting: 'AMQP_URL',
    shown: hostOf(url),
    addresses,
    ask: () => brokerVersion(url),
  });
}
