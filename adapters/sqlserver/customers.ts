import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus } from '../../domain/order.ts';
import type { CustomerReads, PersonalDataStatements } from '../../ports/customers.ts';
import { owesCondition } from './debts.ts';
import { statements, type Session } from './statement.ts';
import { numberOf } from './values.ts';

/** What stays of a mail whose personal data was erased. */
const erased = `N'{"erased":true}'`;

export const customerSql = statements('customers', {
  orders: {
    index: 'IX_Orders_Customer, PK_Refunds, PK_Disputes, PK_Payments',
    text: () => `SELECT TOP (@Limit) Mine.OrderId, Mine.Status,
        CASE WHEN ${owesCondition('Mine')} THEN 1 ELSE 0 END AS Owes
      FROM dbo.Orders AS Mine
      WHERE Mine.CustomerId = @CustomerId AND Mine.OrderId > @OrderId ORDER BY Mine.OrderId`,
  },
  /* Both times together say that an unpublished one was given up. */
  eraseMails: {
    index: 'IX_OutboxMessages_Task, PK_OutboxMessages',
    text: () => `UPDATE dbo.OutboxMessages SET Payload = ${erased}, PublishedAtUtc = COALESCE(PublishedAtUtc, @NowUtc),
        SetAsideAtUtc = CASE
          WHEN PublishedAtUtc IS NULL THEN COALESCE(SetAsideAtUtc, @NowUtc) ELSE SetAsideAtUtc
        END
      OUTPUT inserted.Id
      WHERE OrderId = @OrderId AND Sequence = 0 AND Payload <> ${erased}`,
  },
  mails: {
    index: 'IX_DeadLetters_Order, PK_DeadLetters',
    text: () => `SELECT DeadLetterId, MessageId, State FROM dbo.DeadLetters
      WHERE OrderReference = @OrderReference AND MessageType LIKE N'email.%' AND State <> 'replaying'
        AND (DATALENGTH(Content) > 0 OR Error <> N'')`,
  },
  eraseDeadLetter: {
    index: 'PK_DeadLetters',
    text: () => `UPDATE dbo.DeadLetters SET Content = 0x, Envelope = N'{"properties":{},"headers":{}}', Patch = NULL, Error = N'',
        ReplayError = NULL, State = CASE WHEN State = 'open' THEN 'discarded' ELSE State END,
        SettledAtUtc = COALESCE(SettledAtUtc, @SettledAtUtc)
      WHERE DeadLetterId = @DeadLetterId`,
  },
});

export const createCustomerReads = (session: Session): CustomerReads => ({
  async orders({ customerId, after, limit }) {
    const values = { CustomerId: customerId, OrderId: after ?? '', Limit: limit };
    const rows = await session.rows(customerSql.orders, values);
    return rows.map((row) => ({
      orderId: row['OrderId'] as OrderId,
      status: row['Status'] as OrderStatus,
      owes: numberOf(row['Owes']) === 1,
    }));
  },
});

export const createPersonalData = (session: Session): PersonalDataStatements => ({
  eraseMails: async ({ orderId, nowUtc }) =>
    (await session.rows(customerSql.eraseMails, { OrderId: orderId, NowUtc: nowUtc })).length,
  async eraseDeadLetters({ orderId, nowUtc }) {
    const letters = await session.rows(customerSql.mails, { OrderReference: orderId });
    for (const letter of letters) {
      const values = { DeadLetterId: letter['DeadLetterId'] as string, SettledAtUtc: nowUtc };
      await session.rows(customerSql.eraseDeadLetter, values);
    }
    return letters.map((letter) => ({
      id: letter['DeadLetterId'] as string,
      messageId: letter['MessageId'] as string,
      wasOpen: letter['State'] === 'open',
    }));
  },
});
