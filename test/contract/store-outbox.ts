import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import { at, newMessage, newOrderId, time, useDatabase } from './store-fixtures.ts';
import { outboxPartitions, type OutboxMessage, type PendingMessage } from '../../ports/store/messages.ts';

const everyPartition = Array.from({ length: outboxPartitions }, (_, partition) => partition);

export function describeOutbox(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 3);

  const add = (...messages: OutboxMessage[]) =>
    context.store.transaction(async (tx) => {
      for (const message of messages) await tx.messages.add(message);
    });
  const pending = (limit = 50) =>
    context.store.outbox.pending({ owner: 'relay-a', partitions: everyPartition, limit });
  const idsOf = (messages: readonly OutboxMessage[]) => messages.map(({ id }) => id);
  const ofOrder = () => {
    const orderId = newOrderId();
    return [1, 2, 3].map((sequence) => newMessage({ orderId, sequence, type: 'order.held.v1' }));
  };

  beforeEach(async () => {
    const { outbox } = context.store;
    await outbox.lease({ owner: 'relay-a', nowUtc: time(0), leaseMs: 3_600_000 });
    for (let left = await pending(500); left.length > 0; left = await pending(500)) {
      await outbox.markPublished({ ids: idsOf(left), publishedAtUtc: time(0) });
    }
  });

  it('returns unpublished messages as they came, oldest first, at most the limit', async () => {
    const messages = Array.from({ length: 7 }, (_, index) => newMessage(index % 2 ? { priority: 9 } : {}));
    await add(...messages);
    expect(await pending()).toEqual(messages.map((message) => ({ ...message, attempts: 0 })));
    expect(idsOf(await pending(3))).toEqual(idsOf(messages.slice(0, 3)));
    await context.store.outbox.markPublished({
      ids: [at(messages, 0).id, at(messages, 4).id],
      publishedAtUtc: time(1),
    });
    expect(idsOf(await pending(3))).toEqual([1, 2, 3].map((index) => at(messages, index).id));
  });

  it('returns only partitions that were asked for and that the relay holds', async () => {
    const { outbox } = context.store;
    await add(...Array.from({ length: 40 }, () => newMessage()));
    const parts = await Promise.all(
      everyPartition.map((partition) =>
        outbox.pending({ owner: 'relay-a', partitions: [partition], limit: 50 }),
      ),
    );
    expect(parts.flat()).toHaveLength(40);
    expect(parts.filter((part) => part.length > 0).length).toBeGreaterThan(4);
    expect(await outbox.pending({ owner: 'relay-b', partitions: everyPartition, limit: 50 })).toEqual([]);
  });

  it('keeps all messages of one order in one partition', async () => {
    const messages = ofOrder();
    await add(...messages);
    const { outbox } = context.store;
    const parts = await Promise.all(
      everyPartition.map((partition) =>
        outbox.pending({ owner: 'relay-a', partitions: [partition], limit: 50 }),
      ),
    );
    expect(parts.filter((part) => part.length > 0).map(idsOf)).toEqual([idsOf(messages)]);
  });

  it('refuses two messages of one id and two events of one sequence', async () => {
    const message = newMessage({ sequence: 1 });
    await add(message);
    await expect(add({ ...message, sequence: 2 })).rejects.toThrow('OutboxMessages');
    await expect(add(newMessage({ orderId: message.orderId, sequence: 1 }))).rejects.toThrow(
      'OutboxMessages',
    );
    await add(newMessage({ orderId: message.orderId }), newMessage({ orderId: message.orderId }));
  });

  it('sets a message aside at the given attempt and holds back only what follows it in its order', async () => {
    const { outbox } = context.store;
    const [blocked, free] = [ofOrder(), ofOrder()];
    await add(...blocked, ...free);
    const second = at(blocked, 1);
    const fail = (setAsideAfter: number) =>
      outbox.markFailed({ id: second.id, error: 'too large', setAsideAfter });
    expect(await fail(2)).toEqual({ setAside: false });
    const tried = (await pending()).find(({ id }) => id === second.id);
    expect(tried?.attempts).toBe(1);
    expect(await fail(2)).toEqual({ setAside: true });
    expect(idsOf(await pending())).toEqual([at(blocked, 0).id, ...idsOf(free)]);
    expect(await outbox.depth()).toEqual({ unpublished: 5, setAside: 1, oldestUtc: time(0) });
    await outbox.markPublished({ ids: [second.id], publishedAtUtc: time(1) });
    expect(idsOf(await pending())).toEqual([at(blocked, 0).id, at(blocked, 2).id, ...idsOf(free)]);
    expect((await outbox.depth()).setAside).toBe(0);
  });

  it('does not bring a published message back by a failure that is reported late', async () => {
    const { outbox } = context.store;
    const message = newMessage();
    await add(message);
    await outbox.markPublished({ ids: [message.id], publishedAtUtc: time(1) });
    expect(await outbox.markFailed({ id: message.id, error: 'late', setAsideAfter: 1 })).toEqual({
      setAside: false,
    });
    expect(await pending()).toEqual([]);
  });

  it('counts nothing when all is published', async () => {
    expect(await context.store.outbox.depth()).toEqual({ unpublished: 0, setAside: 0, oldestUtc: undefined });
  });

  it('deletes published messages that are old enough, at most the limit, and never an unpublished one', async () => {
    const { outbox } = context.store;
    while ((await outbox.purge({ publishedBeforeUtc: time(9), limit: 100 })) > 0);
    const messages = Array.from({ length: 6 }, () => newMessage());
    await add(...messages);
    await outbox.markPublished({ ids: idsOf(messages.slice(0, 4)), publishedAtUtc: time(10) });
    await outbox.markPublished({ ids: [at(messages, 4).id], publishedAtUtc: time(20) });
    const purge = () => outbox.purge({ publishedBeforeUtc: time(20), limit: 3 });
    expect([await purge(), await purge(), await purge()]).toEqual([3, 1, 0]);
    expect(idsOf(await pending())).toEqual([at(messages, 5).id]);
    expect(await outbox.purge({ publishedBeforeUtc: time(59), limit: 3 })).toBe(1);
    const later = newMessage({ orderId: at(messages, 5).orderId });
    await add(later);
    expect(idsOf(await pending()), 'written after a purge, yet before what was there').toEqual([
      at(messages, 5).id,
      later.id,
    ]);
  });

  describe('with two relays', () => {
    it('publishes each message once and in order per order while orders are written and a relay joins', async () => {
      const { stores, store } = context;
      const published: PendingMessage[] = [];
      const orders = Array.from({ length: 20 }, () => newOrderId());
      let written = 0;
      let writing = true;
      const write = async () => {
        for (let sequence = 1; sequence <= 15; sequence += 1) {
          await Promise.all(
            orders.map((orderId) => add(newMessage({ orderId, sequence, type: 'order.held.v1' }))),
          );
          written += orders.length;
        }
        writing = false;
      };
      const relay = async (own: Store, owner: string) => {
        while (writing || published.length < written) {
          const partitions = await own.outbox.lease({ owner, nowUtc: time(1), leaseMs: 3_600_000 });
          const batch = await own.outbox.pending({ owner, partitions, limit: 10 });
          published.push(...batch);
          await own.outbox.markPublished({ ids: idsOf(batch), publishedAtUtc: time(2) });
          if (batch.length > 0) byRelay.set(owner, (byRelay.get(owner) ?? 0) + batch.length);
        }
      };
      const byRelay = new Map<string, number>();
      await Promise.all([write(), relay(at(stores, 1), 'relay-a'), relay(at(stores, 2), 'relay-b')]);
      await store.outbox.releaseLeases('relay-b');
      expect(published).toHaveLength(300);
      expect(new Set(idsOf(published)).size).toBe(300);
      expect([...byRelay.keys()].sort(), 'both relays had work').toEqual(['relay-a', 'relay-b']);
      for (const orderId of orders) {
        const sequences = published
          .filter((message) => message.orderId === orderId)
          .map(({ sequence }) => sequence);
        expect(sequences).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
      }
    });
  });
}
