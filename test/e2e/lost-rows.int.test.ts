import { expect, test } from 'vitest';
import { orderNotInStore } from '../../domain/failures.ts';
import { workflowIdOf } from '../../domain/ids.ts';
import { resolveParked } from '../../workflows/messages.ts';
import { until } from '../setup/saga-environment.ts';
import { createBreakableDeps } from './breakable-deps.ts';
import { act, expectEnd, newOrderId, sagaSuite } from './saga-suite.ts';

const { gone, wrap } = createBreakableDeps();
const saga = sagaSuite({
  wrap,
  env: { PROVIDER_POLICY: JSON.stringify({ maximumPerSecond: 1_000, circuit: { minimumCalls: 1e6 } }) },
});

test('a step whose order SQL does not know any more parks at once, and goes on when it is back', async () => {
  const orderId = newOrderId();
  const fault = {
    provider: 'stripe',
    operation: 'payment_intents.create',
    kind: 'outage',
    mode: '503',
  } as const;
  await saga().addFault({ ...fault, id: orderId, match: { orderId } });
  const order = await saga().start({ orderId });
  const handle = saga().client.workflow.getHandle(workflowIdOf(orderId));
  const pending = async () =>
    ((await handle.describe()).raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
  await until(pending, (names) => names.includes('processPayment'));
  gone.add(orderId);
  /* Long before the step's budget of half an hour. */
  const view = await saga().until(orderId, ({ sagaState }) => sagaState === 'parked');
  expect(view.parked).toMatchObject({ activity: 'payment', failureType: orderNotInStore });
  expect(view.parked?.failure).toMatch(/is not in the store.*restored from a backup/);
  /* Its own note is not retried without end. */
  await until(pending, (names) => names.length === 0);
  await saga().removeFault(orderId);
  gone.delete(orderId);
  await order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });
  await expectEnd(saga(), order, { status: 'completed' });
});
