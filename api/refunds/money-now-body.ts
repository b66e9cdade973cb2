import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import { moneyActs, moneyNow, type MoneyNow } from '../../domain/money-act.ts';
import { isEnded, type OrderStatus, type SagaState } from '../../domain/order.ts';
import { hasLostRun, isTakenBack, type OrderPlace } from '../../domain/way-back.ts';
import type { StoredMoney } from '../../ports/store/money.ts';
import { moneyBody, moneyField } from '../http/fields.ts';

/** What may be done with the money of an order now. */
export const moneyNowBody = z
  .object({
    act: z.enum(moneyActs).openapi({
      description:
        '`cancel`: cancel the order, which gives back all that is left. `refund`: an operator refunds it, in parts or all, ' +
        'or pays it otherwise where it is owed. `return`: it ships; ask for a return. `wait`: the customer’s bank decides. ' +
        '`nothing`: there is nothing to give back, or it goes back by itself.',
    }),
    text: z.string().openapi({ description: 'The same in words that can be read to a customer.' }),
    refundable: moneyField.optional().openapi({ description: 'With `refund`: what can be refunded now.' }),
  })
  .openapi('MoneyNow', {
    example: {
      act: 'refund',
      text: '1499.00 INR can be refunded.',
      refundable: { amount: '1499.00', currency: 'INR' },
    },
  });

/** An order as its own record has it; more of it in `OrderView`. */
interface ShownOrder {
  status: OrderStatus;
  sagaState: SagaState;
  cancelRequested?: object | undefined;
  failure?: object | undefined;
  parked?: { activity?: string | undefined } | undefined;
}

/** What SQL says beside the order's own record, and when that is judged. */
interface Facts {
  money: StoredMoney;
  nowUtc: string;
}

/** Where the order stands by what it shows and SQL holds; for cancels, refunds and what is told of them. */
export const shownPlace = (order: ShownOrder, { money, nowUtc }: Facts): OrderPlace => ({
  status: order.status,
  compensating: !isEnded(order.status) && isTakenBack(order),
  shipping: order.sagaState === 'running' && (money.labelUntilUtc ?? '') > nowUtc,
  lost: hasLostRun(order),
});

/** What may be done with the order's money at that time. */
export const moneyNowOf = (orderId: OrderId, order: ShownOrder, facts: Facts): MoneyNow =>
  moneyNow({ orderId, ...shownPlace(order, facts) }, facts.money);

export const moneyNowBodyOf = ({ act, text, refundable }: MoneyNow): z.infer<typeof moneyNowBody> => ({
  act,
  text,
  ...(refundable ? { refundable: moneyBody(refundable) } : {}),
});
