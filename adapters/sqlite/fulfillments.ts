import type { FulfillmentStatements } from '../../ports/store/goods.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const fulfillmentSql = {
  create: `INSERT INTO Fulfillments (OrderId, FulfillmentId, State, CreatedAtUtc) VALUES (?, ?, 'open', ?)
    ON CONFLICT (OrderId) DO NOTHING`,
  cancel: `UPDATE Fulfillments SET State = 'cancelled', CancelledAtUtc = ? WHERE OrderId = ? AND State = 'open'
    RETURNING FulfillmentId`,
};

export function createFulfillments(connection: Connection): Synchronous<FulfillmentStatements> {
  return {
    create: ({ orderId, fulfillmentId, createdAtUtc }) =>
      connection.run(fulfillmentSql.create, orderId, fulfillmentId, createdAtUtc) === 1,
    cancel: ({ orderId, cancelledAtUtc }) =>
      connection.get<{ FulfillmentId: string }>(fulfillmentSql.cancel, cancelledAtUtc, orderId)
        ?.FulfillmentId,
  };
}
