import { setTimeout as sleep } from 'node:timers/promises';
import { createCheckouts } from '../place-order.ts';
import { residentMiB } from '../process-usage.ts';
import { distributionOf, rounded } from '../statistics.ts';
import type { BenchContext, Section } from './section.ts';

const LANES = 20;
const TIMEOUT_MS = 600_000;

/** Memory with thousands of orders in flight, all held by a declined card, and how quickly one of them can still be moved on. */
export const heldOrders: Section = {
  name: 'held',
  async run(context) {
    const { environment, quick, books, say } = context;
    const orders = quick ? 200 : 5_000;
    const maxCachedWorkflows = Number(environment.env['MAX_CACHED_WORKFLOWS']);
    const before = residentMiB(environment.groups());
    const began = performance.now();
    const ids = await placeDeclined(context, orders);
    while (books.held() < orders) {
      if (performance.now() - began > TIMEOUT_MS)
        throw new Error(`${books.held()} of ${orders} orders are held; expected all`);
      await sleep(200);
    }
    const seconds = (performance.now() - began) / 1_000;
    await books.drained();
    const held = residentMiB(environment.groups());
    say(`  ${orders} orders held after ${rounded(seconds, 1)} s; moving some of them on`);
    const updateMs = distributionOf(await moveOn(context, ids, quick ? 20 : 200));
    const memory = { before: roundAll(before), held: roundAll(held) };
    return {
      facts: { orders, maxCachedWorkflows, seconds, memoryMiB: memory, updateMs },
      figures: [
        {
          figure: `${orders} orders held`,
          value: `after ${rounded(seconds, 0)} s, ${rounded(orders / seconds, 1)}/s`,
        },
        {
          figure: `memory then (maxCachedWorkflows ${maxCachedWorkflows})`,
          value: `API ${memory.held['api']} MiB (${memory.before['api']} before), worker ${memory.held['worker']} MiB (${memory.before['worker']} before)`,
        },
        {
          figure: 'an update then',
          value: `p50 ${updateMs.p50} ms, p99 ${updateMs.p99} ms, max ${updateMs.max} ms`,
        },
      ],
    };
  },
};

async function placeDeclined({ environment }: BenchContext, orders: number): Promise<string[]> {
  const checkouts = createCheckouts(environment.urls.api, { paymentMethodId: 'pm_card_chargeDeclined' });
  const ids: string[] = [];
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < orders; index = next++)
      ids.push(await checkouts.placed(`held-${index}`));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  checkouts.close();
  return ids;
}

/** Gives evenly spread orders a good card, one every 50 ms; milliseconds of each request. */
async function moveOn(
  { environment }: BenchContext,
  ids: readonly string[],
  count: number,
): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = ids[Math.floor((index * ids.length) / count)];
    const began = performance.now();
    const response = await fetch(`${environment.urls.api}/orders/${id}/payment`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ paymentMethodId: 'pm_card_visa' }),
    });
    if (response.status !== 200)
      throw new Error(`POST /orders/${id}/payment answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    took.push(performance.now() - began);
    await sleep(50);
  }
  return took;
}

const roundAll = (values: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Math.round(value)]));
