import { workflowIdOf, orderId } from '../../domain/ids.ts';
import { difference, durableWritesPerOrder, settledDurableWrites } from '../durable-writes.ts';
import { createCheckouts } from '../place-order.ts';
import type { BenchContext, Section } from './section.ts';

/**
 * Durable writes in Temporal and bytes of history of a completed order, over orders one at a time. Exact without the payment
 * provider's webhooks; with them a notice that finds its order still on its way costs a signal and the task it causes.
 */
export const durableWritesSection: Section = {
  name: 'writes',
  async run(context) {
    const { client, environment, quick } = context;
    const orders = quick ? 5 : 20;
    const target = `${environment.urls.api}/webhooks/stripe`;
    await setWebhookTarget(environment.urls.sandbox, null);
    await placeAndAwait(context, 'writes-warm-up', 3);
    const alone = await countWrites(context, 'writes', orders);
    await setWebhookTarget(environment.urls.sandbox, target);
    const noticed = await countWrites(context, 'writes-noticed', orders);
    const { historyLength, historySize } = await client.workflow
      .getHandle(workflowIdOf(orderId(alone.lastId)))
      .describe();
    const { create, update } = durableWritesPerOrder;
    return {
      facts: {
        orders,
        perOrder: alone.perOrder,
        perOrderWithWebhooks: noticed.perOrder,
        historyLength,
        historySize,
      },
      figures: [
        {
          figure: 'durable Temporal writes per order (create + update)',
          value: `${alone.perOrder.create} + ${alone.perOrder.update}`,
          goal: `declared ${create} + ${update}`,
        },
        {
          figure: '  with the payment provider’s webhooks',
          value: `${noticed.perOrder.create} + ${noticed.perOrder.update}`,
        },
        { figure: 'history per order', value: `${historySize} bytes in ${historyLength} events` },
      ],
    };
  },
};

async function countWrites(context: BenchContext, prefix: string, orders: number) {
  const { temporal } = context.environment;
  const before = await settledDurableWrites(temporal);
  const ids = await placeAndAwait(context, prefix, orders);
  const { create, update } = difference(await settledDurableWrites(temporal), before);
  return { perOrder: { create: create / orders, update: update / orders }, lastId: ids.at(-1) ?? '' };
}

async function setWebhookTarget(sandbox: string, webhookTarget: string | null): Promise<void> {
  const response = await fetch(`${sandbox}/sandbox/settings`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ webhookTarget }),
  });
  if (!response.ok)
    throw new Error(`PATCH /sandbox/settings answered ${response.status}: ${await response.text()}`);
}

async function placeAndAwait(
  { client, environment }: BenchContext,
  prefix: string,
  orders: number,
): Promise<string[]> {
  const checkouts = createCheckouts(environment.urls.api);
  const ids: string[] = [];
  for (let index = 0; index < orders; index += 1) {
    const id = await checkouts.placed(`${prefix}-${index}`);
    await client.workflow.getHandle(workflowIdOf(orderId(id))).result();
    ids.push(id);
  }
  checkouts.close();
  return ids;
}
