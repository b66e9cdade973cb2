import { orderId, workflowIdOf } from '../../domain/ids.ts';
import { createCheckouts } from '../place-order.ts';
import type { Section } from './section.ts';

/** The time an order takes on a machine that has nothing else to do. */
export const oneAtATime: Section = {
  name: 'orders',
  async run({ client, environment, books, quick }) {
    const warmUp = quick ? 5 : 20;
    const orders = quick ? 20 : 200;
    const checkouts = createCheckouts(environment.urls.api);
    const startedMs = new Map<string, number>();
    for (let index = -warmUp; index < orders; index += 1) {
      const beganMs = performance.timeOrigin + performance.now();
      const id = await checkouts.placed(`one-${index}`);
      await client.workflow.getHandle(workflowIdOf(orderId(id))).result();
      if (index >= 0) startedMs.set(id, beganMs);
    }
    checkouts.close();
    const times = books.times(startedMs);
    const { toShipmentGenerated: shipped, toCompleted: completed } = times;
    return {
      facts: { ...times },
      figures: [
        {
          figure: 'checkout to shipment_generated, one at a time',
          value: `p50 ${shipped.p50} ms, p99 ${shipped.p99} ms`,
        },
        {
          figure: 'checkout to completed, one at a time',
          value: `p50 ${completed.p50} ms, p99 ${completed.p99} ms`,
          goal: 'target p50 below 250 ms',
        },
      ],
    };
  },
};
