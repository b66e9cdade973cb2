import type { FulfillmentStatements } from '../../ports/store/goods.ts';
import { inserts } from './insert-or-update.ts';
import { statements, type Session } from './statement.ts';

export const fulfillmentSql = statements('fulfillments', {
  create: {
    index: 'PK_Fulfillments',
    text: () => `INSERT INTO dbo.Fulfillments (OrderId, FulfillmentId, State, CreatedAtUtc)
      OUTPUT inserted.OrderId
      SELECT @OrderId, @FulfillmentId, 'open', @CreatedAtUtc
      WHERE NOT EXISTS (SELECT 1 FROM dbo.Fulfillments WHERE OrderId = @OrderId)`,
  },
  cancel: {
    index: 'PK_Fulfillments',
    text: () => `UPDATE dbo.Fulfillments SET State = 'cancelled', CancelledAtUtc = @CancelledAtUtc
      OUTPUT inserted.FulfillmentId
      WHERE OrderId = @OrderId AND State = 'open'`,
  },
});

export function createFulfillments(session: Session): FulfillmentStatements {
  return {
    create: ({ orderId, fulfillmentId, createdAtUtc }) =>
      inserts(() =>
        session.rows(fulfillmentSql.create, {
          OrderId: orderId,
          FulfillmentId: fulfillmentId,
          CreatedAtUtc: createdAtUtc,
        }),
      ),
    async cancel({ orderId, cancelledAtUtc }) {
      const values = { OrderId: orderId, CancelledAtUtc: cancelledAtUtc };
      const [row] = await session.rows(fulfillmentSql.cancel, values);
      return row?.['FulfillmentId'] as string | undefined;
    },
  };
}
