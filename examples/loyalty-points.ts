import { connectSubscriberStore } from '../adapters/sqlite/subscriber-store.ts';
import { connectSubscriber } from '../compose/connect-subscriber.ts';

/* Loyalty points: one point for each whole 100 of a completed order. A service of its own; the saga does not know it. */
const store = connectSubscriberStore({
  path: process.env['LOYALTY_DB'] ?? '.runtime/data/loyalty.sqlite',
  schema: 'CREATE TABLE IF NOT EXISTS Points (CustomerId TEXT PRIMARY KEY, Points INTEGER NOT NULL) STRICT;',
});
const { subscribe, close } = await connectSubscriber({ service: 'loyalty', store });

await subscribe({
  service: 'loyalty',
  subscription: 'points',
  events: ['order.completed.v1'],
  async handler({ payload }, { once, logger }) {
    const points = Math.floor((payload.totalAmount ?? 0) / 100);
    await once(({ sql }) => {
      sql.run(
        `INSERT INTO Points (CustomerId, Points) VALUES (?, ?)
         ON CONFLICT (CustomerId) DO UPDATE SET Points = Points + excluded.Points`,
        payload.customerId,
        points,
      );
    });
    logger.info({ customerId: payload.customerId, points }, 'points given');
  },
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void close().then(() => store.close()));
}
