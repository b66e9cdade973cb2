import { expect, it } from 'vitest';
import { createApp } from '../app.ts';
import { TemporalUnavailable } from '../../ports/temporal.ts';
import { checkout, checkoutBody, fakeDeps, fakeWorkflows } from '../testing/fake-deps.ts';

async function counted(
  changes: Parameters<typeof fakeWorkflows>[0],
  act: (app: ReturnType<typeof createApp>) => Promise<unknown>,
) {
  const deps = fakeDeps({ workflows: fakeWorkflows(changes).workflows });
  await act(createApp(deps));
  const text = await deps.metrics.registry.metrics();
  return [
    ...text.matchAll(/^checkout(?:s_total|_duration_seconds_count)\{result="(.*)"\} ([1-9]\d*)$/gm),
  ].map(([, result, times]) => `${result} ${times}`);
}

it('counts and times each checkout once, by how it went', async () => {
  expect(await counted({}, (app) => checkout(app, checkoutBody()))).toEqual(['started 1', 'started 1']);
  expect(await counted({}, (app) => checkout(app, { customerId: 7 }))).toEqual(['refused 1', 'refused 1']);
  const away = () => Promise.reject(new TemporalUnavailable('gone', undefined));
  expect(await counted({ start: away }, (app) => checkout(app, checkoutBody()))).toEqual([
    'unavailable 1',
    'unavailable 1',
  ]);
  const bug = () => Promise.reject(new Error('a bug'));
  expect(await counted({ start: bug }, (app) => checkout(app, checkoutBody()))).toEqual([
    'error 1',
    'error 1',
  ]);
});

it('tells a replay of an Idempotency-Key from one that comes with another body', async () => {
  const again = await counted({}, async (app) => {
    for (let n = 0; n < 3; n += 1) await checkout(app, checkoutBody(), { 'idempotency-key': 'cart-1' });
    await checkout(app, { ...checkoutBody(), customerId: 'another' }, { 'idempotency-key': 'cart-1' });
  });
  expect(again.toSorted()).toEqual([
    'conflict 1',
    'conflict 1',
    'replayed 2',
    'replayed 2',
    'started 1',
    'started 1',
  ]);
});
