import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orderSubject } from '../../domain/audit.ts';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { fates } from './order-fates.ts';
import { readTrails, trailOf, writeTrails, type Trail } from './order-trails.ts';

/* Records the audit trail of every fate anew, for the stories told of them; with `npm run record-histories`. */
describe('recording audit trails', () => {
  let saga: SagaEnvironment;
  const trails: Record<string, Trail> = {};
  beforeAll(async () => {
    saga = await startSagaEnvironment();
  });
  afterAll(async () => {
    await writeTrails({ ...readTrails(), ...trails });
    await saga?.close();
  });

  test.each(Object.entries(fates))('%s', async (name, lead) => {
    const order = await lead(saga);
    await order.result().catch((error: unknown) => error);
    const { read } = saga.deps.store;
    const rows = await read.audit(orderSubject(order.orderId));
    expect(rows.length).toBeGreaterThan(1);
    const money = await read.money(order.orderId);
    if (!money) throw new Error(`Order ${order.orderId} has no books`);
    const events = await read.events({ orderId: order.orderId, afterSequence: 0 });
    trails[name] = trailOf(rows, money, events);
  });
});
