import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { distributionOf, type Distribution } from './statistics.ts';

/** Milliseconds from an order's checkout to two of its events, as the store has them. */
export interface OrderTimes {
  toShipmentGenerated: Distribution;
  toCompleted: Distribution;
}

/** The product's database, read beside it. */
export function openBooks(databaseFile: string) {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 1_000 });
  const unpublished = database.prepare(
    'SELECT COUNT(*) AS n FROM OutboxMessages WHERE PublishedAtUtc IS NULL',
  );
  const inState = database.prepare('SELECT COUNT(*) AS n FROM Orders WHERE SagaState = ?');
  const open = database.prepare(`SELECT COUNT(*) AS n FROM Orders WHERE SagaState NOT IN ('ended', 'held')`);
  const openStates = database.prepare(
    `SELECT SagaState || '/' || Status || '/' || Step AS State, COUNT(*) AS n FROM Orders
     WHERE SagaState NOT IN ('ended', 'held') GROUP BY 1`,
  );
  const events = database.prepare(
    `SELECT OrderId, Type, OccurredAtUtc FROM OutboxMessages WHERE Type IN ('shipment.generated.v1', 'order.completed.v1')`,
  );
  const numberOf = (row: unknown) => (row as { n: number }).n;

  return {
    unpublished: () => numberOf(unpublished.get()),
    held: () => numberOf(inState.get('held')),
    /** Waits until no order is on its way and every event is published. */
    async drained(timeoutMs = 600_000): Promise<void> {
      const deadline = Date.now() + timeoutMs;
      while (numberOf(open.get()) > 0 || numberOf(unpublished.get()) > 0) {
        if (Date.now() > deadline) {
          const states = openStates.all() as { State: string; n: number }[];
          const open = states.map(({ State, n }) => `${n} ${State}`).join(', ');
          throw new Error(
            `Not drained in ${timeoutMs / 1_000} s: orders ${open || 'none'}; ${numberOf(unpublished.get())} events unpublished`,
          );
        }
        await sleep(250);
      }
    },
    /** Times of the given orders; throws when one of them has not completed. */
    times(startedMs: ReadonlyMap<string, number>): OrderTimes {
      const took: Record<string, number[]> = { 'shipment.generated.v1': [], 'order.completed.v1': [] };
      for (const row of events.iterate()) {
        const { OrderId, Type, OccurredAtUtc } = row as {
          OrderId: string;
          Type: string;
          OccurredAtUtc: string;
        };
        const start = startedMs.get(OrderId);
        if (start !== undefined) took[Type]?.push(Date.parse(OccurredAtUtc) - start);
      }
      const completed = took['order.completed.v1'] ?? [];
      if (completed.length !== startedMs.size) {
        throw new Error(
          `${completed.length} of ${startedMs.size} orders have completed; expected all of them`,
        );
      }
      return {
        toShipmentGenerated: distributionOf(took['shipment.generated.v1'] ?? []),
        toCompleted: distributionOf(completed),
      };
    },
    close: () => database.close(),
  };
}

export type Books = ReturnType<typeof openBooks>;
