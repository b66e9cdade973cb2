import { expect, it } from 'vitest';
import { topology } from './topology.ts';

it('leads every dead letter to a queue that is there: explicit key, bound, durable', () => {
  const routes = topology.queues.flatMap(({ deadLetter }) => (deadLetter === undefined ? [] : [deadLetter]));
  const durable = new Set(topology.queues.filter((queue) => queue.durable).map(({ name }) => name));
  const reached = routes.map(({ exchange, routingKey }) =>
    topology.bindings.find((binding) => binding.exchange === exchange && binding.routingKey === routingKey),
  );
  expect(routes.length).toBeGreaterThan(0);
  expect(reached.map((binding) => binding !== undefined && durable.has(binding.queue))).not.toContain(false);
});

it('declares an alternate exchange before the exchange that names it', () => {
  const names = topology.exchanges.map(({ name }) => name);
  const named = topology.exchanges.map(({ alternateExchange }, index) =>
    alternateExchange === undefined ? true : names.slice(0, index).includes(alternateExchange),
  );
  expect(named).not.toContain(false);
});

it('gives priorities to classic queues only and a delivery limit to every quorum queue', () => {
  const wrong = topology.queues.filter(({ kind, maxPriority, deliveryLimit }) =>
    kind === 'quorum'
      ? maxPriority !== undefined || deliveryLimit === undefined
      : deliveryLimit !== undefined,
  );
  expect(wrong).toEqual([]);
});

it('binds only what it declares', () => {
  const exchanges = new Set(topology.exchanges.map(({ name }) => name));
  const queues = new Set(topology.queues.map(({ name }) => name));
  expect(
    topology.bindings.filter(({ queue, exchange }) => !queues.has(queue) || !exchanges.has(exchange)),
  ).toEqual([]);
});
