import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect, it } from 'vitest';
import { partnerCertificate, partnerKey } from '../../adapters/webhook-http/testing/partner-certificate.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { certificatesOf, watchCertificates } from './watch-certificates.ts';

const endsAt = Date.parse('2126-10-28T11:22:30Z') / 1_000;

it('tells when certificates of servers and of our own end, and passes over one that cannot be had', async () => {
  const server = createServer({ cert: partnerCertificate, key: partnerKey }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const metrics = createMetrics('worker');
  const watch = watchCertificates({
    certificates: [
      { name: 'redis', host: '127.0.0.1', port: 1 },
      { name: 'rabbitmq', host: '127.0.0.1', port },
      { name: 'temporal-client', pem: partnerCertificate },
    ],
    metrics,
    logger: createLogger({ process: 'test', level: 'silent' }),
  });
  await expect
    .poll(() => metrics.registry.metrics())
    .toContain(`tls_certificate_expiry_timestamp_seconds{certificate="rabbitmq"} ${endsAt}`);
  const text = await metrics.registry.metrics();
  expect(text).toContain(`{certificate="temporal-client"} ${endsAt}`);
  expect(text).not.toContain('certificate="redis"');
  await watch.close();
  server.close();
});

it('looks at what is reached over TLS and at nothing else', () => {
  const plain = { AMQP_URL: 'amqp://127.0.0.1:5672', REDIS_URL: 'redis://127.0.0.1:6379' };
  expect(certificatesOf({ ...plain, temporal: { address: '127.0.0.1:7233' } })).toEqual([]);
  const pem = Buffer.from(partnerCertificate);
  const all = certificatesOf({
    AMQP_URL: 'amqps://broker.example/vhost',
    REDIS_URL: 'rediss://cache.example:6380',
    temporal: { address: 'shop.tmprl.example:7234', tls: { clientCertPair: { crt: pem, key: pem } } },
  });
  expect(all).toEqual([
    { name: 'rabbitmq', host: 'broker.example', port: 5671 },
    { name: 'redis', host: 'cache.example', port: 6380 },
    { name: 'temporal', host: 'shop.tmprl.example', port: 7234 },
    { name: 'temporal-client', pem },
  ]);
});
