import type { ApiClient } from './api-client.ts';

const whole = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const begun = /^[0-9a-f-]{4,35}$/;

/**
 * The order that somebody means: its id, the name of its run (`order-<id>`), or the beginning of either, at least four
 * characters, where only one order of those that Temporal remembers begins so. Anything else is left to the API's answer.
 */
export async function orderIdOf(client: Pick<ApiClient, 'send'>, text: string): Promise<string> {
  const id = text
    .trim()
    .toLowerCase()
    .replace(/^order-/, '');
  if (whole.test(id)) return id;
  if (!begun.test(id)) return text;
  const { orders } = await client.send<{ orders: { orderId: string }[] }>(
    'GET',
    `/orders?idPrefix=${id}&limit=5`,
  );
  const [only, ...others] = orders.map(({ orderId }) => orderId);
  if (only === undefined) {
    throw new Error(`No order begins with "${id}" among those that Temporal remembers: give the whole id`);
  }
  if (others.length === 0) return only;
  throw new Error(
    `More than one order begins with "${id}":\n${[only, ...others].map((one) => `  ${one}`).join('\n')}`,
  );
}
