import { expect, it } from 'vitest';
import { orderId, taskQueues } from '../../domain/ids.ts';
import { visibilityQuery } from './visibility.ts';

const queues = taskQueues('unit');
const orders = "WorkflowType = 'fulfillOrder' AND TaskQueue = 'unit-orders'";
const own = "(FailureType IS NULL OR FailureType != 'KeyReused')";

it('asks for the orders of this installation', () => {
  expect(visibilityQuery(queues, {})).toBe(`${orders} AND ${own}`);
});

it('joins every condition that is given', () => {
  expect(
    visibilityQuery(queues, {
      status: 'fulfillment_created',
      sagaState: 'parked',
      step: 'shipping',
      failureType: 'ProviderUnavailable',
      customerHash: 'ab12',
      open: true,
      orderIds: [orderId('a'), orderId('b')],
      callerId: 'shop-a',
      startedBeforeUtc: '2026-01-02T03:04:05.678Z',
      startedAfterUtc: '2026-01-01T00:00:00.000Z',
    }),
  ).toBe(
    `${orders} AND OrderStatus = 'fulfillment_created' AND SagaState = 'parked' AND ParkedStep = 'shipping' AND ` +
      "FailureType = 'ProviderUnavailable' AND CustomerHash = 'ab12' AND ExecutionStatus = 'Running' AND " +
      "WorkflowId IN ('order-a', 'order-b') AND (CallerId = 'shop-a' OR CallerId IS NULL) AND " +
      `${own} AND ` +
      "StartTime < '2026-01-02T03:04:05.678Z' AND StartTime > '2026-01-01T00:00:00.000Z'",
  );
});

it('looks among those that are retried or wait, of which there may be none', () => {
  const goes = "SagaState IN ('running', 'compensating')";
  const amongst = { orderIds: [orderId('a')], orRunning: ['fulfillment_created'] as const };
  expect(visibilityQuery(queues, { amongst })).toBe(
    `${orders} AND ((WorkflowId IN ('order-a') AND ${goes}) OR ` +
      `(SagaState = 'running' AND OrderStatus IN ('fulfillment_created'))) AND ${own}`,
  );
  expect(visibilityQuery(queues, { amongst: { orderIds: [] } })).toBe(
    `${orders} AND (WorkflowId IN ('none') AND ${goes}) AND ${own}`,
  );
});

it.each(["x' OR 'a' = 'a", 'a\\', '', 'a b', 'a"'])(
  'takes no value that could end its quotes: %j',
  (value) => {
    expect(() => visibilityQuery(queues, { failureType: value })).toThrow('letters, digits');
  },
);

it('asks for the orders of a customer under each key there has been', () => {
  expect(visibilityQuery(queues, { customerHash: ['ab12', 'cd34'] })).toBe(
    `${orders} AND CustomerHash IN ('ab12', 'cd34') AND ${own}`,
  );
});
