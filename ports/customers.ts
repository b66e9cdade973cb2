import type { CustomerId, OrderId } from '../domain/ids.ts';
import type { OrderStatus } from '../domain/order.ts';

export interface CustomerReads {
  /** The customer's orders by id after the given one, at most `limit`; `owes`: the customer has money to get from it. */
  orders(input: {
    customerId: CustomerId;
    after?: OrderId;
    limit: number;
  }): Promise<{ orderId: OrderId; status: OrderStatus; owes: boolean }[]>;
}

/** Removing a customer's personal data, order by order. Call these after the order's row is locked (`orders.find`). */
export interface PersonalDataStatements {
  /**
   * Empties the mails of the order in the outbox and gives those up that were not published, so that later messages
   * go on. Returns how many were emptied now.
   */
  eraseMails(input: { orderId: OrderId; nowUtc: string }): Promise<number>;
  /**
   * Empties the order's dead letters that are mails; open ones become discarded, so that they leave their queue. One
   * that is being replayed is left as it is. Returns the emptied ones with the state they had.
   */
  eraseDeadLetters(input: {
    orderId: OrderId;
    nowUtc: string;
  }): Promise<{ id: string; messageId: string; wasOpen: boolean }[]>;
}
