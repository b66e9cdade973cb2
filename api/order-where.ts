import { z } from '@hono/zod-openapi';
import { ageFormat, parseAgeMs } from '../domain/age.ts';
import type { OrderFilter } from '../domain/order-acts.ts';
import { orderStatuses, sagaStates, stepNames } from '../domain/order.ts';
import { knownCustomerIdField } from './fields.ts';
import { customerHashOf } from './order-identity.ts';

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
};

type Where = z.output<z.ZodObject<typeof whereFields>>;

/** The conditions as Temporal's search attributes know them. */
export function filterOf(where: Where, { nowUtc, key }: { nowUtc: string; key: string }): OrderFilter {
  const { status, sagaState, step, failureType, customerId, olderThan, youngerThan } = where;
  const ago = (text: string) => new Date(Date.parse(nowUtc) - (parseAgeMs(text) ?? 0)).toISOString();
  return {
    ...(status ? { status } : {}),
    ...(sagaState ? { sagaState } : {}),
    ...(step ? { step } : {}),
    ...(failureType ? { failureType } : {}),
    ...(customerId ? { customerHash: customerHashOf(customerId, key) } : {}),
    ...(olderThan ? { startedBeforeUtc: ago(olderThan) } : {}),
    ...(youngerThan ? { startedAfterUtc: ago(youngerThan) } : {}),
  };
}
