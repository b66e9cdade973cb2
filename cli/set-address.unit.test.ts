import { afterEach, expect, it, vi } from 'vitest';
import { createApp } from '../api/app.ts';
import { fakeDeps, fakeWorkflows, operatorKey, someOrder, summaryOf } from '../api/testing/fake-deps.ts';
import { createApiClient } from './api-client.ts';
import { ordersCommand } from './orders.ts';

afterEach(() => vi.unstubAllGlobals());

async function setAddress(...options: string[]) {
  const { workflows, acts } = fakeWorkflows({ describe: async () => summaryOf() });
  const app = createApp(fakeDeps({ workflows }));
  vi.stubGlobal('fetch', async (url: URL, init: RequestInit) => app.request(url.pathname, init));
  const command = ordersCommand({
    client: () => createApiClient('http://127.0.0.1', operatorKey),
    print: () => {},
    say: () => {},
    confirm: async () => true,
    atTerminal: false,
  });
  const args = ['set-address', someOrder, '--name', 'Asha\u200b Rao', '--street1', '1 Road', ...options];
  await command.parseAsync([...args, '--reason', 'by phone', '--actor', 'ana'], { from: 'user' });
  return acts;
}

it('takes an address without a postal code where its country has none, and texts as HTTP does', async () => {
  const acts = await setAddress(
    '--city',
    'Hong Kong',
    '--state',
    '',
    '--country',
    'HK',
    '--phone',
    '+85223456789',
  );
  expect(acts).toMatchObject([
    {
      name: 'shipping-address',
      act: { address: { name: 'Asha Rao', street1: '1 Road', city: 'Hong Kong', country: 'HK' } },
    },
  ]);
  expect(acts[0]).not.toHaveProperty('act.address.state');
});

it('says which part the country needs', async () => {
  await expect(setAddress('--city', 'Pune', '--state', 'MH', '--country', 'IN')).rejects.toThrow(
    /postalCode: required in IN, such as \d+/,
  );
});
