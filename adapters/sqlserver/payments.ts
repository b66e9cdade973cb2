import type { OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { PaymentRow, PaymentState, PaymentStatements } from '../../ports/store/money.ts';
import { upsert } from './insert-or-update.ts';
import { statements, type Row, type Session } from './statement.ts';
import { isoOf, numberOf, present } from './values.ts';

export const paymentColumns = `OrderId, N, State, AmountMinor, Currency, IntentId, RefundId, CreateRequestedAtUtc,
        CreateKeyNumber, ConfirmKeyNumber, CancelKeyNumber, RefundKeyNumber, PaymentMethodId`;

export const paymentSql = statements('payments', {
  find: {
    index: 'PK_Payments',
    text: () => `SELECT ${paymentColumns} FROM dbo.Payments WHERE OrderId = @OrderId AND N = @N`,
  },
  list: {
    index: 'PK_Payments',
    text: () => `SELECT ${paymentColumns} FROM dbo.Payments WHERE OrderId = @OrderId ORDER BY N`,
  },
  ordersOf: {
    index: 'IX_Payments_Intent',
    text: () => `SELECT DISTINCT OrderId FROM dbo.Payments WHERE IntentId = @IntentId`,
  },
  put: {
    index: 'PK_Payments',
    text: () => `UPDATE dbo.Payments SET State = @State, AmountMinor = @AmountMinor, Currency = @Currency,
        IntentId = @IntentId, RefundId = @RefundId, CreateRequestedAtUtc = @CreateRequestedAtUtc,
        CreateKeyNumber = @CreateKeyNumber, ConfirmKeyNumber = @ConfirmKeyNumber,
        CancelKeyNumber = @CancelKeyNumber, RefundKeyNumber = @RefundKeyNumber, PaymentMethodId = @PaymentMethodId
      WHERE OrderId = @OrderId AND N = @N;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.Payments (${paymentColumns})
        SELECT @OrderId, @N, @State, @AmountMinor, @Currency, @IntentId, @RefundId, @CreateRequestedAtUtc,
          @CreateKeyNumber, @ConfirmKeyNumber, @CancelKeyNumber, @RefundKeyNumber, @PaymentMethodId
        WHERE NOT EXISTS (SELECT 1 FROM dbo.Payments WHERE OrderId = @OrderId AND N = @N)`,
  },
});

export function createPayments(session: Session): PaymentStatements {
  return {
    async find({ orderId, n }) {
      const [row] = await session.rows(paymentSql.find, { OrderId: orderId, N: n });
      return row && paymentOf(row);
    },
    list: async (orderId) => (await session.rows(paymentSql.list, { OrderId: orderId })).map(paymentOf),
    ordersOf: async (intentId) =>
      (await session.rows(paymentSql.ordersOf, { IntentId: intentId })).map(
        (row) => row['OrderId'] as OrderId,
      ),
    async put(row) {
      const values = {
        OrderId: row.orderId,
        N: row.n,
        State: row.state,
        AmountMinor: row.amount.amountMinor,
        Currency: row.amount.currency,
        IntentId: row.intentId ?? null,
        RefundId: row.refundId ?? null,
        CreateRequestedAtUtc: row.createRequestedAtUtc,
        CreateKeyNumber: row.createKeyNumber,
        ConfirmKeyNumber: row.confirmKeyNumber,
        CancelKeyNumber: row.cancelKeyNumber,
        RefundKeyNumber: row.refundKeyNumber,
        PaymentMethodId: row.paymentMethodId ?? null,
      };
      await upsert(() => session.rows(paymentSql.put, values));
    },
  };
}

export const paymentOf = (row: Row): PaymentRow => ({
  orderId: row['OrderId'] as OrderId,
  n: numberOf(row['N']),
  state: row['State'] as PaymentState,
  amount: { amountMinor: numberOf(row['AmountMinor']), currency: row['Currency'] as Currency },
  ...present('intentId', row['IntentId'] as string | null),
  ...present('refundId', row['RefundId'] as string | null),
  createRequestedAtUtc: isoOf(row['CreateRequestedAtUtc']),
  createKeyNumber: numberOf(row['CreateKeyNumber']),
  confirmKeyNumber: numberOf(row['ConfirmKeyNumber']),
  cancelKeyNumber: numberOf(row['CancelKeyNumber']),
  refundKeyNumber: numberOf(row['RefundKeyNumber']),
  ...present('paymentMethodId', row['PaymentMethodId'] as string | null),
});
