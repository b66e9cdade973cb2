import { z } from '@hono/zod-openapi';
import { ageFormat, parseAgeMs } from '../../domain/age.ts';
import type { OrderFilter } from '../../domain/order-acts.ts';
import { providerNames, statusOf, type ProviderName } from '../../domain/providers.ts';
import { retriedStep } from '../../domain/retries.ts';
import { orderStatuses, sagaStates, stepNames, type OrderStatus } from '../../domain/order.ts';
import type { AppDeps } from '../app-deps.ts';
import { knownCustomerIdField } from '../http/fields.ts';
import { customerHashesOf, type CustomerHashKeys } from './order-identity.ts';
import { readStore } from '../http/read-store.ts';

const age = z
  .string()
  .refine((text) => parseAgeMs(text) !== undefined, `expected ${ageFormat}`)
  .openapi({ pattern: '^[1-9][0-9]{0,5}[smhd]$' })
  .optional();

/** Conditions on orders as people write them; a list and a bulk act take the same. */
export const whereFields = {
  status: z.enum(orderStatuses, 'expected an order status').optional(),
  sagaState: z.enum(sagaStates, 'expected a saga state').optional(),
  step: z
    .enum(stepNames, 'expected a step')
    .optional()
    .openapi({ description: 'Step at which the order is parked.' }),
  failureType: z
    .string()
    .regex(/^[A-Za-z]{1,64}$/, 'expected the name of a failure, such as ProviderUnavailable')
    .optional()
    .openapi({ description: 'Why it is held, parked or failed.', example: 'ProviderUnavailable' }),
  customerId: knownCustomerIdField.optional(),
  olderThan: age.openapi({ description: 'Placed longer ago than this.', example: '30m' }),
  youngerThan: age.openapi({ description: 'Placed within this time.', example: '7d' }),
  retryingMoreThan: z
    .string()
    .regex(/^\d{1,6}$/, 'expected a whole number')
    .optional()
    .openapi({
      description: 'Its step has failed more often than this and is tried again by itself.',
      example: '5',
    }),
  waitingFor: z.enum(providerNames, 'expected a provider').optional().openapi({
    description:
      'Its step keeps failing at this provider, or comes next while the provider is paused or held up.',
  }),
};

type Where = z.output<z.ZodObject<typeof whereFields>>;

/** The conditions as Temporal's search attributes know them. */
export function filterOf(
  where: Where,
  { nowUtc, keys }: { nowUtc: string; keys: CustomerHashKeys },
): OrderFilter {
  const { status, sagaState, step, failureType, customerId, olderThan, youngerThan } = where;
  const ago = (text: string) => new Date(Date.parse(nowUtc) - (parseAgeMs(text) ?? 0)).toISOString();
  return {
    ...(status ? { status } : {}),
    ...(sagaState ? { sagaState } : {}),
    ...(step ? { step } : {}),
    ...(failureType ? { failureType } : {}),
    ...(customerId ? { customerHash: customerHashesOf(customerId, keys) } : {}),
    ...(olderThan ? { startedBeforeUtc: ago(olderThan) } : {}),
    ...(youngerThan ? { startedAfterUtc: ago(youngerThan) } : {}),
  };
}

/** Statuses of running orders whose next step calls the provider. */
const nextAt: Record<ProviderName, OrderStatus[]> = {
  payments: ['inventory_reserved', 'payment_failed', 'payment_action_required', 'awaiting_approval'],
  carrier: ['fulfillment_created', 'address_rejected', 'payment_disputed'],
};

/** Most orders that these conditions find. */
const MAX_FOUND = 1_000;

/**
 * The conditions that Temporal's search attributes do not know: which orders keep failing, workers have noted in SQL. At
 * most 1,000, the most stubborn first. 503 while the store does not answer.
 */
export async function amongstOf(
  deps: AppDeps,
  { retryingMoreThan, waitingFor }: Pick<Where, 'retryingMoreThan' | 'waitingFor'>,
): Promise<Pick<OrderFilter, 'amongst'>> {
  if (retryingMoreThan === undefined && waitingFor === undefined) return {};
  const nowUtc = deps.clock.nowUtc();
  const moreThan = Number(retryingMoreThan ?? 0);
  const [notes, records] = await readStore(deps, (read) =>
    Promise.all([read.retries({ nowUtc, moreThan, limit: MAX_FOUND }), read.providers()]),
  );
  const found = notes.filter(
    ({ activity }) => waitingFor === undefined || retriedStep(activity)?.provider === waitingFor,
  );
  const orderIds = [...new Set(found.map(({ orderId }) => orderId))];
  const heldUp =
    waitingFor !== undefined &&
    retryingMoreThan === undefined &&
    statusOf(records, { provider: waitingFor, nowUtc }).state !== 'available';
  return { amongst: { orderIds, ...(heldUp ? { orRunning: nextAt[waitingFor] } : {}) } };
}
