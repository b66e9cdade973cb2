import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectSmtpMailer } from '../../adapters/smtp/smtp-mailer.ts';
import { startEmailConsumer } from '../../messaging/email-consumer.ts';
import { systemClock } from '../../ports/clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createVhost, uniqueName, type Vhost } from '../setup/isolation.ts';
import { until } from '../setup/saga-environment.ts';
import { startRelayingSaga } from '../support/relaying-saga.ts';

let vhost: Vhost;
let world: Awaited<ReturnType<typeof startRelayingSaga>>;
let mailer: ReturnType<typeof connectSmtpMailer>;
beforeAll(async () => {
  vhost = await createVhost('email-outage');
  world = await startRelayingSaga({ url: vhost.amqpUrl });
  mailer = connectSmtpMailer({ url: world.saga.config.SMTP_URL, from: 'orders@shop.example' });
  await startEmailConsumer({
    broker: world.broker,
    mailer,
    seen: { seen: async () => 'unavailable', remember: async () => {} },
    clock: systemClock,
    logger: createLogger({ process: 'test', level: 'silent' }),
    metrics: world.metrics,
    pauseMs: 200,
  });
});
afterAll(async () => {
  await world.close();
  mailer.close();
  await vhost.remove();
});

it('completes orders while the mail server is down for as long as it likes, and mails them all afterwards', async () => {
  const { saga } = world;
  await saga.faults([{ provider: 'smtp', kind: 'outage', mode: 'refuse' }]);
  const customers = Array.from({ length: 6 }, () => `${uniqueName('ada')}@customers.example`);
  const orders = await Promise.all(customers.map((customerEmail) => saga.start({ customerEmail })));
  for (const order of orders) {
    await saga.until(order.orderId, ({ status }) => status === 'completed', 30_000);
    await saga.check(order.orderId);
  }
  const subjects = async (to: string) => {
    const response = await fetch(`${saga.sandbox.url}/inbox.json?to=${encodeURIComponent(to)}`);
    const { mails } = (await response.json()) as { mails: { subject: string }[] };
    return mails.map(({ subject }) => subject).toSorted();
  };
  expect(await Promise.all(customers.map(subjects))).toEqual(customers.map(() => []));
  await saga.faults([]);
  for (const customer of customers) {
    const got = await until(
      () => subjects(customer),
      ({ length }) => length >= 2,
    );
    expect(got).toEqual(['Your order is confirmed', 'Your order is on its way']);
  }
});
