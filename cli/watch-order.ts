import { setTimeout as sleep } from 'node:timers/promises';
import type { CliDeps } from './deps.ts';
import { orderIdOf } from './order-ids.ts';
import { orderLine, type OrderAnswer } from './order-tables.ts';

const POLL_MS = 1_000;
/** Events are read from the store four times a second; the last ones come after the state they belong to. */
const LATE_EVENTS_MS = 1_000;

/**
 * Prints the order's events and states as they come, until it has ended. States are polled, since not every change has
 * an event; without the event stream the states alone are shown.
 */
export async function watchOrder(deps: CliDeps, text: string, { json }: { json?: boolean }): Promise<void> {
  const client = deps.client();
  const path = `/orders/${encodeURIComponent(await orderIdOf(client, text))}`;
  const over = new AbortController();
  let shown = '';
  const show = (order: OrderAnswer) => {
    const line = orderLine(order);
    if (line === shown) return;
    shown = line;
    deps.print(json ? JSON.stringify(order) : `${timeOf(order.updatedAtUtc)}  ${line}`);
  };
  const read = () => client.send<OrderAnswer>('GET', path);

  let order = await read();
  show(order);
  const events = printEvents(deps, { path: `${path}/events`, signal: over.signal, json: json === true });
  while (order.sagaState !== 'ended') {
    await sleep(POLL_MS);
    order = await read();
    show(order);
  }
  await Promise.race([events, sleep(LATE_EVENTS_MS)]);
  over.abort();
  await events;
}

async function printEvents(
  deps: CliDeps,
  { path, signal, json }: { path: string; signal: AbortSignal; json: boolean },
): Promise<void> {
  try {
    for await (const event of deps.client().events(path, signal)) {
      deps.print(json ? JSON.stringify(event) : `${timeOf(event.occurredAtUtc)}  ${event.eventType}`);
    }
  } catch {
    // The states tell the same.
  }
}

const timeOf = (utc: string | undefined): string => (utc ?? new Date().toISOString()).slice(11, 19);
