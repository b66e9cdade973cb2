import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus } from '../../domain/order.ts';
import { owedOf, type Owed } from '../../domain/owed.ts';
import type { StoredMoney } from '../../ports/store/money.ts';
import type { AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import { moneyBody, moneyField } from '../http/fields.ts';

const utcTime = z.string().openapi({ format: 'date-time', example: '2026-01-02T03:04:05.678Z' });

/** What an order owes to its customer. */
export const owedBody = z
  .object({
    payment: z.int().openapi({ description: 'Number of the payment it is owed from.' }),
    amount: moneyField,
    why: z.enum(['disputed', 'settling', 'refund_failed', 'kept']).openapi({
      description:
        '`disputed`: the customer’s bank holds the charge; settled by itself when the dispute is over. `settling`: it is ' +
        'being settled by itself. `refund_failed`: a refund did not reach the customer. `kept`: the order ended and the ' +
        'money is here. The last two need a person.',
    }),
    act: z.enum(['wait', 'refund']).openapi({
      description:
        '`refund`: ask the customer where the money can go, then `POST …/refunds`, with `paidOtherwise` where it was paid ' +
        'past the payment provider.',
    }),
    sinceUtc: utcTime.optional(),
    disputeId: z.string().optional(),
    respondByUtc: utcTime.optional().openapi({ description: 'Until then the bank can be answered.' }),
    failure: z.string().optional(),
  })
  .openapi('Owed', {
    example: {
      payment: 1,
      amount: { amount: '1499.00', currency: 'INR' },
      why: 'disputed',
      act: 'wait',
      sinceUtc: '2026-01-02T03:04:05.678Z',
      disputeId: 'du_1PqExample',
      respondByUtc: '2026-01-09T03:04:05.000Z',
    },
  });

export const owedBodies = (status: OrderStatus, money: StoredMoney): z.infer<typeof owedBody>[] =>
  owedOf({ status, ...money }).map(bodyOf);

const bodyOf = ({ n, amount, why, sinceUtc, dispute, failure }: Owed): z.infer<typeof owedBody> => ({
  payment: n,
  amount: moneyBody(amount),
  why,
  act: why === 'disputed' || why === 'settling' || dispute ? 'wait' : 'refund',
  ...(sinceUtc ? { sinceUtc } : {}),
  ...(dispute ? { disputeId: dispute.disputeId } : {}),
  ...(dispute?.dueByUtc ? { respondByUtc: dispute.dueByUtc } : {}),
  ...(failure ? { failure } : {}),
});

/** The order's money for an answer that can do without: undefined where the store does not say it at once. */
export const moneyAtOnce = (deps: AppDeps, orderId: OrderId): Promise<StoredMoney | undefined> =>
  within(300, 'store', () => deps.store.read.money(orderId)).catch(() => undefined);
