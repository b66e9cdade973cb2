import type { OrderId } from '../../domain/ids.ts';
import type { ShipmentRow, ShipmentState, ShipmentStatements } from '../../ports/store/goods.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

const columns = `OrderId, N, State, ProviderShipmentId, RateId, Carrier, Service, TrackingCode, LabelUrl, LabelCostAmount,
      LabelCostCurrency`;

export const shipmentSql = {
  find: `SELECT ${columns} FROM Shipments WHERE OrderId = ? AND N = ?`,
  list: `SELECT ${columns} FROM Shipments WHERE OrderId = ? ORDER BY N`,
  ordersOf: `SELECT DISTINCT OrderId FROM Shipments WHERE ProviderShipmentId = ?`,
  put: `INSERT INTO Shipments (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId, N) DO UPDATE SET State = excluded.State, ProviderShipmentId = excluded.ProviderShipmentId,
      RateId = excluded.RateId, Carrier = excluded.Carrier, Service = excluded.Service,
      TrackingCode = excluded.TrackingCode, LabelUrl = excluded.LabelUrl, LabelCostAmount = excluded.LabelCostAmount,
      LabelCostCurrency = excluded.LabelCostCurrency`,
};

interface ShipmentRecord {
  OrderId: OrderId;
  N: number;
  State: ShipmentState;
  ProviderShipmentId: string | null;
  RateId: string | null;
  Carrier: string | null;
  Service: string | null;
  TrackingCode: string | null;
  LabelUrl: string | null;
  LabelCostAmount: string | null;
  LabelCostCurrency: string | null;
}

export function createShipments(connection: Connection): Synchronous<ShipmentStatements> {
  return {
    find({ orderId, n }) {
      const record = connection.get<ShipmentRecord>(shipmentSql.find, orderId, n);
      return record && shipmentOf(record);
    },
    list: (orderId) => connection.all<ShipmentRecord>(shipmentSql.list, orderId).map(shipmentOf),
    ordersOf: (providerShipmentId) =>
      connection
        .all<{ OrderId: OrderId }>(shipmentSql.ordersOf, providerShipmentId)
        .map(({ OrderId: orderId }) => orderId),
    put(row) {
      connection.run(
        shipmentSql.put,
        row.orderId,
        row.n,
        row.state,
        row.providerShipmentId ?? null,
        row.rateId ?? null,
        row.carrier ?? null,
        row.service ?? null,
        row.trackingCode ?? null,
        row.labelUrl ?? null,
        row.labelCost?.amount ?? null,
        row.labelCost?.currency ?? null,
      );
    },
  };
}

const shipmentOf = (record: ShipmentRecord): ShipmentRow => ({
  orderId: record.OrderId,
  n: record.N,
  state: record.State,
  ...(record.ProviderShipmentId !== null && { providerShipmentId: record.ProviderShipmentId }),
  ...(record.RateId !== null && { rateId: record.RateId }),
  ...(record.Carrier !== null && { carrier: record.Carrier }),
  ...(record.Service !== null && { service: record.Service }),
  ...(record.TrackingCode !== null && { trackingCode: record.TrackingCode }),
  ...(record.LabelUrl !== null && { labelUrl: record.LabelUrl }),
  ...(record.LabelCostAmount !== null &&
    record.LabelCostCurrency !== null && {
      labelCost: { amount: record.LabelCostAmount, currency: record.LabelCostCurrency },
    }),
});
