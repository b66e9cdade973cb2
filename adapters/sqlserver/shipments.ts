import type { OrderId } from '../../domain/ids.ts';
import type { ShipmentRow, ShipmentState, ShipmentStatements } from '../../ports/store/goods.ts';
import { upsert } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { numberOf, present } from './values.ts';

const columns = `OrderId, N, State, ProviderShipmentId, RateId, Carrier, Service, TrackingCode, LabelUrl, LabelCostAmount,
        LabelCostCurrency`;

export const shipmentSql = statements('shipments', {
  find: {
    index: 'PK_Shipments',
    text: () => `SELECT ${columns} FROM dbo.Shipments WHERE OrderId = @OrderId AND N = @N`,
  },
  list: {
    index: 'PK_Shipments',
    text: () => `SELECT ${columns} FROM dbo.Shipments WHERE OrderId = @OrderId ORDER BY N`,
  },
  ordersOf: {
    index: 'IX_Shipments_Provider',
    text: () => `SELECT DISTINCT OrderId FROM dbo.Shipments WHERE ProviderShipmentId = @ProviderShipmentId`,
  },
  put: {
    index: 'PK_Shipments',
    text: () => `UPDATE dbo.Shipments SET State = @State, ProviderShipmentId = @ProviderShipmentId, RateId = @RateId,
        Carrier = @Carrier, Service = @Service, TrackingCode = @TrackingCode, LabelUrl = @LabelUrl,
        LabelCostAmount = @LabelCostAmount, LabelCostCurrency = @LabelCostCurrency
      WHERE OrderId = @OrderId AND N = @N;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.Shipments (${columns})
        SELECT @OrderId, @N, @State, @ProviderShipmentId, @RateId, @Carrier, @Service, @TrackingCode, @LabelUrl,
          @LabelCostAmount, @LabelCostCurrency
        WHERE NOT EXISTS (SELECT 1 FROM dbo.Shipments WHERE OrderId = @OrderId AND N = @N)`,
  },
});

export function createShipments(session: Session): ShipmentStatements {
  return {
    async find({ orderId, n }) {
      const [row] = await session.rows(shipmentSql.find, { OrderId: orderId, N: n });
      return row && shipmentOf(row);
    },
    list: async (orderId) => (await session.rows(shipmentSql.list, { OrderId: orderId })).map(shipmentOf),
    ordersOf: async (providerShipmentId) =>
      (await session.rows(shipmentSql.ordersOf, { ProviderShipmentId: providerShipmentId })).map(
        (row) => row['OrderId'] as OrderId,
      ),
    async put(row) {
      const values = {
        OrderId: row.orderId,
        N: row.n,
        State: row.state,
        ProviderShipmentId: row.providerShipmentId ?? null,
        RateId: row.rateId ?? null,
        Carrier: row.carrier ?? null,
        Service: row.service ?? null,
        TrackingCode: row.trackingCode ?? null,
        LabelUrl: row.labelUrl ?? null,
        LabelCostAmount: row.labelCost?.amount ?? null,
        LabelCostCurrency: row.labelCost?.currency ?? null,
      };
      await upsert(() => session.rows(shipmentSql.put, values));
    },
  };
}

export const shipmentOf = (row: Row): ShipmentRow => ({
  orderId: row['OrderId'] as OrderId,
  n: numberOf(row['N']),
  state: row['State'] as ShipmentState,
  ...present('providerShipmentId', row['ProviderShipmentId'] as string | null),
  ...present('rateId', row['RateId'] as string | null),
  ...present('carrier', row['Carrier'] as string | null),
  ...present('service', row['Service'] as string | null),
  ...present('trackingCode', row['TrackingCode'] as string | null),
  ...present('labelUrl', row['LabelUrl'] as string | null),
  ...(row['LabelCostAmount'] !== null &&
    row['LabelCostCurrency'] !== null && {
      labelCost: {
        amount: row['LabelCostAmount'] as string,
        currency: row['LabelCostCurrency'] as string,
      },
    }),
});
