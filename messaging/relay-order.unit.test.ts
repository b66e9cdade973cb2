import { setTimeout as sleep } from 'node:timers/promises';
import { array, assert, asyncProperty, boolean, constantFrom, integer, record } from 'fast-check';
import { expect, it } from 'vitest';
import { orderId } from '../domain/ids.ts';
import type { PublishAnswer } from '../ports/broker.ts';
import { systemClock } from '../ports/clock.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createMemoryOutbox } from './memory-outbox.ts';
import { createRelay } from './relay.ts';

const logger = createLogger({ process: 'test', level: 'silent' });
const metrics = createMetrics();
const timing = {
  sweepMs: 5,
  passGapMs: 0,
  unavailableMs: 1,
  maximumUnavailableMs: 2,
  retryMs: 1,
  maximumRetryMs: 2,
};

const confirmed: PublishAnswer = { status: 'confirmed' };
const unavailable: PublishAnswer = { status: 'unavailable', reason: 'away' };
const unroutable: PublishAnswer = { status: 'unroutable', reason: 'NO_ROUTE' };

/** What happens to one publication. */
const fate = record({
  delayMs: integer({ min: 0, max: 4 }),
  answer: constantFrom(confirmed, confirmed, confirmed, unavailable, unroutable),
  /** The broker has the message although it did not say so. */
  arrives: boolean(),
});
type Fate = typeof fate extends { generate(...args: never[]): { value: infer T } } ? T : never;
const kind: Fate = { delayMs: 0, answer: confirmed, arrives: true };

const message = (order: number, sequence: number): OutboxMessage => ({
  id: `o${order}-${sequence}`,
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  type: 'order.created.v1',
  payload: '{}',
  destination: 'exchange:orders.exchange',
  orderId: orderId(`o${order}`),
  sequence,
  traceparent: '',
});

/** A broker that does to each publication what its fate says, and the order in which messages reached it. */
function createFatefulBroker(fates: Iterator<Fate>) {
  const arrived: OutboxMessage[] = [];
  const broker = { arrived, overlapped: false };
  const createPublisher = () => {
    const atWork = new Set<string>();
    return {
      async publish(sent: OutboxMessage): Promise<PublishAnswer> {
        const { delayMs, answer, arrives } = fates.next().value ?? kind;
        broker.overlapped ||= atWork.has(sent.orderId);
        atWork.add(sent.orderId);
        await sleep(delayMs);
        if (answer.status === 'confirmed' || (answer.status === 'unavailable' && arrives)) arrived.push(sent);
        atWork.delete(sent.orderId);
        return answer;
      },
    };
  };
  return { broker, createPublisher };
}

function firstSequences(arrived: readonly OutboxMessage[]): Map<string, number[]> {
  const firsts = arrived.filter((sent, n) => arrived.findIndex(({ id }) => id === sent.id) === n);
  const groups = Map.groupBy(firsts, (sent) => sent.orderId as string);
  return new Map([...groups].map(([order, sent]) => [order, sent.map(({ sequence }) => sequence)]));
}

const runs = record({
  fates: array(fate, { minLength: 1, maxLength: 60 }),
  storeFails: array(boolean(), { maxLength: 20 }),
  orders: integer({ min: 1, max: 6 }),
  perOrder: integer({ min: 1, max: 8 }),
  relays: integer({ min: 1, max: 2 }),
  /** Both relays believe that they hold every partition: a lease ran out while its owner was asleep. */
  sharedLeases: boolean(),
});

it('first publications keep the order of every order, and nothing is lost, whatever broker and store do', async () => {
  await assert(
    asyncProperty(runs, async ({ fates, storeFails, orders, perOrder, relays, sharedLeases }) => {
      const { broker, createPublisher } = createFatefulBroker(fates.values());
      const faults = storeFails.values();
      const fault = () => {
        if (faults.next().value === true) throw new Error('store away');
      };
      const outbox = createMemoryOutbox({ fault, sharedLeases });
      const started = Array.from({ length: relays }, (_, n) => {
        const bell = { ring() {}, listen: async () => ({ close: async () => {} }) };
        const deps = { publisher: createPublisher(), owner: `relay-${n}`, clock: systemClock, bell };
        return createRelay({ ...deps, store: outbox.store, logger, metrics, timing });
      });
      await Promise.all(started.map((relay) => relay.start()));
      for (let n = 1; n <= perOrder; n += 1) {
        for (let order = 0; order < orders; order += 1) outbox.add(message(order, n));
        await sleep(1);
      }
      await expect.poll(() => outbox.due().length, { timeout: 3_000, interval: 2 }).toBe(0);
      await Promise.all(started.map((relay) => relay.stop()));

      expect(broker.overlapped).toBe(false);
      const firsts = firstSequences(broker.arrived);
      for (const sequences of firsts.values()) {
        expect(sequences).toEqual(sequences.map((_, index) => index + 1));
      }
      const published = outbox.rows.filter((row) => row.publishedAtUtc !== undefined);
      const lost = published.filter((row) => !firsts.get(row.orderId)?.includes(row.sequence));
      expect(lost).toEqual([]);
    }),
    { numRuns: 80 },
  );
}, 60_000);
