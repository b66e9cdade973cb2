import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRabbitmqBroker } from '../adapters/rabbitmq/rabbitmq-broker.ts';
import { createSlackChat } from '../adapters/slack/slack-chat.ts';
import { connectSmtpMailer } from '../adapters/smtp/smtp-mailer.ts';
import { eventsDestination } from '../domain/destinations.ts';
import { orderId } from '../domain/ids.ts';
import type { Broker } from '../ports/broker.ts';
import { systemClock } from '../ports/clock.ts';
import type { SeenFilter } from '../ports/locks.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { startSandbox, type Sandbox } from '../sandbox/start-sandbox.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createVhost, uniqueName, type Vhost } from '../test/setup/isolation.ts';
import { until } from '../test/setup/saga-environment.ts';
import { connectStore } from '../compose/connect-store.ts';
import { exampleOf } from './contracts/event-contract.ts';
import { eventContracts } from './contracts/event-contracts.ts';
import { startEmailConsumer } from './email-consumer.ts';
import { startHelpDesk } from './help-desk.ts';
import { createRelay, type Relay } from './relay.ts';
import { createSubscribe } from './subscribe.ts';
import { topology } from './topology.ts';

const logger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
const metrics = createMetrics();
/** Without Redis: what is told once is told once by SQL. */
const seen: SeenFilter = { seen: async () => 'unavailable', remember: async () => {} };

let folder: string;
let vhost: Vhost;
let sandbox: Sandbox;
let store: Store;
let broker: Broker;
let relay: Relay;
let chatServer: Server;
const posts: string[] = [];
let chatStatus = 200;
const mailTo = `${uniqueName('desk')}@shop.example`;
let mailer: ReturnType<typeof connectSmtpMailer>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-saga-help-desk-'));
  vhost = await createVhost('help-desk');
  sandbox = await startSandbox();
  store = await connectStore({ SQL_URL: `sqlite:${join(folder, 'orders.sqlite')}` });
  broker = await connectRabbitmqBroker({ url: vhost.amqpUrl, topology, logger });
  const url = `smtp://127.0.0.1:${sandbox.smtpPort}`;
  mailer = connectSmtpMailer({ url, from: 'orders@shop.example' });
  chatServer = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (chatStatus === 200) posts.push((JSON.parse(text) as { text: string }).text);
      response.writeHead(chatStatus).end('ok');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => chatServer.once('listening', resolve));
  const clock = systemClock;
  await startHelpDesk({
    subscribe: createSubscribe<StoreTransaction>({ broker, seen, store, clock, logger, metrics }),
    read: store.read,
    mailTo,
    chat: createSlackChat({ url: `http://127.0.0.1:${(chatServer.address() as AddressInfo).port}/hook` }),
    apiUrl: 'https://api.example',
    clock,
  });
  await startEmailConsumer({ broker, mailer, seen, clock, logger, metrics, pauseMs: 200, laterMs: [300] });
  const bell = { ring() {}, listen: async () => ({ close: async () => {} }) };
  const timing = { sweepMs: 30 };
  relay = createRelay({
    store: store.outbox,
    publisher: broker,
    bell,
    clock,
    owner: 'relay',
    logger,
    metrics,
    timing,
  });
  await relay.start();
});
afterAll(async () => {
  await relay.stop();
  await broker.close();
  mailer.close();
  chatServer.closeAllConnections();
  chatServer.close();
  await store.close();
  await sandbox.close();
  await vhost.remove();
  await rm(folder, { recursive: true, force: true });
});

type HoldEvent = 'order.held.v1' | 'order.approval_requested.v1' | 'order.hold_reminded.v1';

function held(order: string, type: HoldEvent = 'order.held.v1') {
  const event = exampleOf(type, eventContracts[type]);
  const body = { ...event, eventId: randomUUID(), payload: { ...event.payload, orderId: order } };
  return {
    id: body.eventId,
    occurredAtUtc: new Date().toISOString(),
    type,
    payload: JSON.stringify(body),
    destination: eventsDestination,
    orderId: orderId(order),
    sequence: 1,
    traceparent: '',
  };
}

const inbox = async (to: string) => {
  const response = await fetch(`${sandbox.url}/inbox.json?to=${encodeURIComponent(to)}`);
  return ((await response.json()) as { mails: { subject: string; text: string }[] }).mails;
};
const mailsOf = async (order: string) =>
  (await inbox(mailTo)).filter(({ subject }) => subject.includes(order));
const postsOf = (order: string) => posts.filter((post) => post.includes(order));
const faults = (rules: unknown[]) =>
  fetch(`${sandbox.url}/sandbox/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rules }),
  });

it('tells of a hold once by mail and once in the chat, however often the event comes', async () => {
  const order = randomUUID();
  const event = held(order);
  for (let copy = 0; copy < 3; copy += 1) expect((await broker.publish(event)).status).toBe('confirmed');
  const [mail] = await until(
    () => mailsOf(order),
    (mails) => mails.length > 0,
  );
  expect(mail?.text).toContain(`curl -X POST 'https://api.example/orders/${order}/payment'`);
  await until(
    async () => postsOf(order).length,
    (count) => count > 0,
  );
  await sleep(500);
  expect((await mailsOf(order)).length).toBe(1);
});

it('asks for approval and reminds of a hold', async () => {
  const order = randomUUID();
  await broker.publish(held(order, 'order.approval_requested.v1'));
  await broker.publish(held(order, 'order.hold_reminded.v1'));
  const mails = await until(
    () => mailsOf(order),
    ({ length }) => length > 1,
  );
  const subjects = mails.map(({ subject }) => subject).sort();
  expect(subjects).toEqual([
    expect.stringMatching(/^Order .* waits for you until .*: awaiting_approval$/),
    expect.stringMatching(/^Reminder: order .* waits for you/),
  ]);
});

it('tells by mail while the chat is away', async () => {
  chatStatus = 503;
  const order = randomUUID();
  await broker.publish(held(order));
  await until(
    () => mailsOf(order),
    (mails) => mails.length === 1,
  );
  expect(postsOf(order)).toEqual([]);
  chatStatus = 200;
});

it('sends mails that came while the mail server was down once it is back', async () => {
  expect((await faults([{ id: 'down', provider: 'smtp', kind: 'outage', mode: 'refuse' }])).status).toBe(200);
  const orders = Array.from({ length: 5 }, () => randomUUID());
  for (const order of orders) await broker.publish(held(order));
  await sleep(1_500);
  expect(await mailsOf(orders[0] ?? '')).toEqual([]);
  await faults([]);
  for (const order of orders) {
    await until(
      () => mailsOf(order),
      (mails) => mails.length === 1,
    );
  }
});

it('lets a mail that is not taken now hold up no other, and sends it later', async () => {
  const greylisted = { provider: 'smtp', operation: 'deliver', kind: 'error', status: 451, times: 2 };
  expect((await faults([greylisted])).status).toBe(200);
  const orders = [randomUUID(), randomUUID(), randomUUID()];
  for (const order of orders) await broker.publish(held(order));
  const mailed = async () => (await Promise.all(orders.map(mailsOf))).map((mails) => mails.length);
  await until(mailed, (counts) => counts.every((count) => count === 1));
  const { values } = await metrics.messagesConsumed.get();
  const later = values.find(({ labels }) => labels.queue === 'email-queue' && labels.result === 'retry');
  expect(later?.value).toBe(2);
});

it('tells people in the words of the house, which other subscribers do not get', async () => {
  const order = randomUUID();
  const seenByOthers: string[] = [];
  const others = await createSubscribe({ broker, seen, clock: systemClock, logger, metrics })({
    service: 'partner',
    events: ['order.held.v1'],
    async handler(event) {
      if (event.payload.orderId === order) seenByOthers.push(JSON.stringify(event));
    },
  });
  const reason = 'insufficient_funds, says the bank of 4242';
  const event = held(order);
  const body = JSON.parse(event.payload) as { payload: object };
  const payload = JSON.stringify({ ...body, payload: { ...body.payload, reason } });
  await store.transaction((tx) => tx.messages.add({ ...event, payload }));
  const [mail] = await until(
    () => mailsOf(order),
    (mails) => mails.length > 0,
  );
  await until(
    async () => postsOf(order).length + seenByOthers.length,
    (count) => count > 1,
  );
  await others.close();
  expect(mail?.text.replaceAll(/\s+/g, ' ')).toContain(reason);
  expect(postsOf(order).join()).toContain(reason);
  expect(seenByOthers.join()).toContain('The payment was declined.');
  expect(seenByOthers.join()).not.toContain('4242');
});
