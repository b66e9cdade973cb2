import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus } from '../../domain/order.ts';
import type { CustomerReads, PersonalDataStatements } from '../../ports/customers.ts';
import type { Connection } from './connection.ts';
import { owesCondition } from './debts.ts';
import type { Synchronous } from './statements.ts';

/** What stays of a mail whose personal data was erased. */
const erased = `'{"erased":true}'`;

export const customerSql = {
  orders: `SELECT OrderId, Status, ${owesCondition('Mine')} AS Owes FROM Orders AS Mine
    WHERE CustomerId = ? AND OrderId > ? ORDER BY OrderId LIMIT ?`,
  /* Both times together say that an unpublished one was given up. */
  eraseMails: `UPDATE OutboxMessages SET Payload = ${erased}, PublishedAtUtc = COALESCE(PublishedAtUtc, ?1),
      SetAsideAtUtc = CASE WHEN PublishedAtUtc IS NULL THEN COALESCE(SetAsideAtUtc, ?1) ELSE SetAsideAtUtc END
    WHERE OrderId = ?2 AND Sequence = 0 AND Payload <> ${erased}`,
  mails: `SELECT Id, MessageId, State FROM DeadLetters
    WHERE OrderId = ? AND OrderId <> '' AND Type LIKE 'email.%' AND State <> 'replaying' AND (Content <> '' OR Error <> '')`,
  /* What a mail server said quotes the address that it refused. */
  eraseDeadLetter: `UPDATE DeadLetters SET Content = '', Envelope = '{"properties":{},"headers":{}}', Patch = NULL,
      Error = '', ReplayError = NULL,
      State = CASE WHEN State = 'open' THEN 'discarded' ELSE State END, SettledAtUtc = COALESCE(SettledAtUtc, ?1)
    WHERE Id = ?2`,
};

export const createCustomerReads = (connection: Connection): Synchronous<CustomerReads> => ({
  orders: ({ customerId, after, limit }) =>
    connection
      .all<{ OrderId: OrderId; Status: OrderStatus; Owes: number }>(
        customerSql.orders,
        customerId,
        after ?? '',
        limit,
      )
      .map(({ OrderId: orderId, Status: status, Owes }) => ({ orderId, status, owes: Owes === 1 })),
});

export const createPersonalData = (connection: Connection): Synchronous<PersonalDataStatements> => ({
  eraseMails: ({ orderId, nowUtc }) => connection.run(customerSql.eraseMails, nowUtc, orderId),
  eraseDeadLetters({ orderId, nowUtc }) {
    const letters = connection.all<{ Id: string; MessageId: string; State: string }>(
      customerSql.mails,
      orderId,
    );
    for (const { Id } of letters) connection.run(customerSql.eraseDeadLetter, nowUtc, Id);
    return letters.map(({ Id, MessageId, State }) => ({
      id: Id,
      messageId: MessageId,
      wasOpen: State === 'open',
    }));
  },
});
