import { writeSync } from 'node:fs';
import { orderSubject } from '../../domain/audit.ts';
import { orderId } from '../../domain/ids.ts';
import { connectStore } from '../../compose/connect-store.ts';
import { addEvent, auditEntry, newOrder } from './store-fixtures.ts';

/**
 * A process of its own for the contract suite: `SQL_URL=… node store-child.ts connect` connects and closes;
 * `… hang <orderId>` writes an order and then stands still inside its transaction.
 */
const [command, id = ''] = process.argv.slice(2);
const store = await connectStore({ SQL_URL: process.env['SQL_URL'] ?? '' });
if (command === 'hang') {
  await store.transaction(async (tx) => {
    const order = newOrder({ orderId: orderId(id) });
    await tx.orders.insert(order);
    await addEvent(tx, order, 'order.created.v1');
    await tx.audit.append(auditEntry({ subject: orderSubject(id) }));
    writeSync(1, 'in transaction\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
await store.ping();
await store.close();
