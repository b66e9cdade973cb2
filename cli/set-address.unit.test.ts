import { afterEach, expect, it, vi } from 'vitest';
import { createApp } from '../api/app.ts';
import {
  fakeDeps,
  fakeWorkflows,
  operatorKey,
  someOrder,
  summaryOf,
  viewOf,
} from '../api/testing/fake-deps.ts';
import { createApiClient } from './api-client.ts';
import { orderText, type OrderAnswer } from './order-tables.ts';
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
      act: {
        address: {
          name: 'Asha Rao',
          street1: '1 Road',
          city: 'Hong Kong',
          country: 'HK',
          phone: '+85223456789',
        },
      },
    },
  ]);
  expect(acts[0]).not.toHaveProperty('act.address.state');
});

it('says which part the country needs', async () => {
  await expect(setAddress('--city', 'Pune', '--state', 'MH', '--country', 'IN')).rejects.toThrow(
    /postalCode: required in IN, such as \d+/,
  );
});

const abroad = ['--city', 'Hong Kong', '--country', 'HK'];

it.each([
  [
    'none for a parcel through customs',
    abroad,
    /phone: required, since the parcel goes through customs.*\+\d+/,
  ],
  ['one without its country', [...abroad, '--phone', '23456789'], /phone: expected an international number/],
])('says which phone number is wanted: %s', async (_, options, reason) => {
  await expect(setAddress(...options)).rejects.toThrow(reason);
});

it.each([
  [
    "The parcel goes through customs, whose papers lack the recipient's phone number.",
    /--country … --phone …/,
  ],
  ['No such street.', /--country …(?! --phone)/],
])('is offered with a phone number where that is missing: %s', (reason, offered) => {
  const hold = {
    status: 'address_rejected',
    failureType: 'AddressUndeliverable',
    reason,
    sinceUtc: '2026-01-02T03:04:05.678Z',
    untilUtc: '2026-01-03T03:04:05.678Z',
  } as const;
  const view = viewOf({ status: 'address_rejected', sagaState: 'held', hold });
  expect(orderText(view as unknown as OrderAnswer, undefined)).toMatch(offered);
});
