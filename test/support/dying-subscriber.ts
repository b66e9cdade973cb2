import { connectSubscriberStore } from '../../adapters/sqlite/subscriber-store.ts';
import { connectSubscriber } from '../../compose/connect-subscriber.ts';

/** A subscriber that dies by SIGKILL after its effect is durable and before the broker hears of it. */
const store = connectSubscriberStore({
  path: process.env['EFFECTS_DB'] ?? '',
  schema: 'CREATE TABLE IF NOT EXISTS Effects (EventId TEXT NOT NULL) STRICT;',
});
const { subscribe } = await connectSubscriber({ service: 'dying', store });
await subscribe({
  service: 'dying',
  events: ['order.completed.v1'],
  async handler({ eventId }, { once }) {
    await once(({ sql }) => void sql.run('INSERT INTO Effects (EventId) VALUES (?)', eventId));
    process.kill(process.pid, 'SIGKILL');
  },
});
