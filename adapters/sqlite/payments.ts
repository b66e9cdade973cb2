import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { PaymentRow, PaymentState, PaymentStatements } from '../../ports/store/money.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

const columns = `OrderId, N, State, AmountMinor, Currency, IntentId, RefundId, CreateRequestedAtUtc, CreateKeyNumber,
      ConfirmKeyNumber, CancelKeyNumber, RefundKeyNumber, PaymentMethodId`;

export const paymentSql = {
  find: `SELECT ${columns} FROM Payments WHERE OrderId = ? AND N = ?`,
  list: `SELECT ${columns} FROM Payments WHERE OrderId = ? ORDER BY N`,
  ordersOf: `SELECT DISTINCT OrderId FROM Payments WHERE IntentId = ?`,
  put: `INSERT INTO Payments (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (OrderId, N) DO UPDATE SET State = excluded.State, AmountMinor = excluded.AmountMinor,
      Currency = excluded.Currency, IntentId = excluded.IntentId, RefundId = excluded.RefundId,
      CreateRequestedAtUtc = excluded.CreateRequestedAtUtc, CreateKeyNumber = excluded.CreateKeyNumber,
      ConfirmKeyNumber = excluded.ConfirmKeyNumber, CancelKeyNumber = excluded.CancelKeyNumber,
      RefundKeyNumber = excluded.RefundKeyNumber, PaymentMethodId = excluded.PaymentMethodId`,
};

interface PaymentRecord {
  OrderId: OrderId;
  N: number;
  State: PaymentState;
  AmountMinor: number;
  Currency: Currency;
  IntentId: string | null;
  RefundId: string | null;
  CreateRequestedAtUtc: string;
  CreateKeyNumber: number;
  ConfirmKeyNumber: number;
  CancelKeyNumber: number;
  RefundKeyNumber: number;
  PaymentMethodId: string | null;
}

export function createPayments(connection: Connection): Synchronous<PaymentStatements> {
  return {
    find({ orderId, n }) {
      const record = connection.get<PaymentRecord>(paymentSql.find, orderId, n);
      return record && paymentOf(record);
    },
    list: (orderId) => connection.all<PaymentRecord>(paymentSql.list, orderId).map(paymentOf),
    ordersOf: (intentId) =>
      connection
        .all<{ OrderId: OrderId }>(paymentSql.ordersOf, intentId)
        .map(({ OrderId: orderId }) => orderId),
    put(row) {
      connection.run(
        paymentSql.put,
        row.orderId,
        row.n,
        row.state,
        row.amount.amountMinor,
        row.amount.currency,
        row.intentId ?? null,
        row.refundId ?? null,
        row.createRequestedAtUtc,
        row.createKeyNumber,
        row.confirmKeyNumber,
        row.cancelKeyNumber,
        row.refundKeyNumber,
        row.paymentMethodId ?? null,
      );
    },
  };
}

const paymentOf = (record: PaymentRecord): PaymentRow => ({
  orderId: record.OrderId,
  n: record.N,
  state: record.State,
  amount: { amountMinor: record.AmountMinor, currency: record.Currency },
  ...(record.IntentId !== null && { intentId: record.IntentId }),
  ...(record.RefundId !== null && { refundId: record.RefundId }),
  createRequestedAtUtc: record.CreateRequestedAtUtc,
  createKeyNumber: record.CreateKeyNumber,
  confirmKeyNumber: record.ConfirmKeyNumber,
  cancelKeyNumber: record.CancelKeyNumber,
  refundKeyNumber: record.RefundKeyNumber,
  ...(record.PaymentMethodId !== null && { paymentMethodId: record.PaymentMethodId }),
});
