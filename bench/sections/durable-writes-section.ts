import { workflowIdOf, orderId } from '../../domain/ids.ts';
import { difference, durableWritesPerOrder, settledDurableWrites } from '../durable-writes.ts';
import { createCheckouts } from '../place-order.ts';
import type { BenchContext, Section } from './section.ts';

/** Durable writes in Temporal and bytes of history of a completed order, counted exactly over orders one at a time. */
export const durableWritesSection: Section = {
  name: 'writes',
  async run(context) {
    const { client, environment, quick } = context;
    const orders = quick ? 5 : 20;
    await placeAndAwait(context, 'writes-warm-up', 3);
    const before = await settledDurableWrites(environment.temporal);
    const ids = await placeAndAwait(context, 'writes', orders);
    const counted = difference(await settledDurableWrites(environment.temporal), before);
    const described = await client.workflow.getHandle(workflowIdOf(orderId(ids.at(-1) ?? ''))).describe();
    const { historyLength, historySize } = described;
    const facts = {
      orders,
      ...counted,
      perOrder: (counted.create + counted.update) / orders,
      historyLength,
      historySize,
    };
    const { create, update } = durableWritesPerOrder;
    return {
      facts,
      figures: [
        {
          figure: 'durable Temporal writes per order (create + update)',
          value: `${counted.create / orders} + ${counted.update / orders}`,
          goal: `declared ${create} + ${update}`,
        },
        { figure: 'history per order', value: `${historySize} bytes in ${historyLength} events` },
      ],
    };
  },
};

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
