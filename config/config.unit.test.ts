import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultProviderPolicy } from '../domain/providers.ts';
import { loadConfig } from './config.ts';

it('asks nobody for approval unless it is told to', () => {
  expect(loadConfig({}).policy).not.toHaveProperty('approval');
});

it('reads amounts above which orders wait for approval, in the minor units of each currency', () => {
  const { policy } = loadConfig({ APPROVAL_ABOVE: 'INR=500000.00, JPY=90000,KWD=1.500' });
  expect(policy.approval).toEqual({ aboveMinor: { INR: 50_000_000, JPY: 90_000, KWD: 1_500 } });
});

it('reads what shipping costs in the minor units of each currency; nothing where none is named', () => {
  const { shippingFees } = loadConfig({ SHIPPING_FEES: 'USD=5.00, JPY=700,KWD=1.500,INR=0' });
  expect(shippingFees).toEqual({ USD: 500, JPY: 700, KWD: 1_500, INR: 0 });
  expect(loadConfig({}).shippingFees).toEqual({});
});

it('takes the one fee of earlier releases for every currency, and never both', () => {
  const { shippingFees } = loadConfig({ SHIPPING_FEE_MINOR: '700' });
  expect(shippingFees).toMatchObject({ USD: 700, JPY: 700, KWD: 700 });
  expect(() => loadConfig({ SHIPPING_FEE_MINOR: '0', SHIPPING_FEES: 'USD=5.00' })).toThrow(
    'SHIPPING_FEE_MINOR: expected none beside SHIPPING_FEES',
  );
});

it.each(['JPY=7.5', 'USD=5.00,USD=6.00', 'USD=-1', '500'])('refuses %j as shipping fees', (fees) => {
  expect(() => loadConfig({ SHIPPING_FEES: fees })).toThrow('SHIPPING_FEES: expected for example');
});

it('reads single settings of approval over those of the policy', () => {
  const policy = {
    approval: { aboveMinor: { EUR: 1 }, riskMarked: true },
    holdApprovalMs: 5,
    addressVerification: 'required',
  };
  const settings = { SAGA_POLICY: JSON.stringify(policy), APPROVAL_ABOVE: 'USD=2.00' };
  expect(loadConfig(settings).policy).toMatchObject({
    approval: { aboveMinor: { USD: 200 }, riskMarked: true },
    holdApprovalMs: 5,
    addressVerification: 'required',
    remindAt: 0.5,
  });
  expect(loadConfig({ APPROVAL_RISK_MARKED: 'true' }).policy.approval).toEqual({ riskMarked: true });
});

it.each([
  ['INR', '"INR": not a decimal number'],
  ['INR=5.001', '"INR=5.001": too many decimals'],
  ['inr=5', '"inr=5": no supported currency'],
  ['INR=5,', '"": no supported currency'],
  ['INR=5,INR=6', '"INR=6": given more than once'],
  ['INR=-5', '"INR=-5": not a decimal number'],
])('refuses %j as amounts and says what was expected', (amounts, message) => {
  expect(() => loadConfig({ APPROVAL_ABOVE: amounts })).toThrow(
    `APPROVAL_ABOVE: expected for example INR=500000.00,USD=5000.00; ${message}`,
  );
});

it.each([
  { addressVerification: 'never' },
  { checkReferenceMs: 0 },
  { remindAt: 1 },
  { remindAt: 0 },
  { approval: { above: 5 } },
  { maximumHoldMs: 0 },
])('refuses the policy %j', (policy) => {
  expect(() => loadConfig({ SAGA_POLICY: JSON.stringify(policy) })).toThrow(/SAGA_POLICY/);
});

it('changes single settings of the provider policy and keeps the others', () => {
  const changes = { maximumPerSecond: 20, circuit: { probeAfterMs: 30_000 } };
  const { providerPolicy } = loadConfig({ PROVIDER_POLICY: JSON.stringify(changes) });
  expect(loadConfig({}).providerPolicy).toEqual(defaultProviderPolicy);
  expect(providerPolicy).toEqual({
    ...defaultProviderPolicy,
    maximumPerSecond: 20,
    circuit: { ...defaultProviderPolicy.circuit, probeAfterMs: 30_000 },
  });
});

it.each([
  { maximumPerSecond: 0 },
  { circuit: { failureShare: 1 } },
  { circuit: { open: true } },
  { pollMs: 0 },
])('refuses the provider policy %j', (policy) => {
  expect(() => loadConfig({ PROVIDER_POLICY: JSON.stringify(policy) })).toThrow(/PROVIDER_POLICY/);
});

it('ends a process whose settings do not fit with sentences, without a stack', { timeout: 30_000 }, () => {
  const code =
    "import { loadConfigOrExit } from './config/config.ts'; loadConfigOrExit(); console.log('on');";
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: join(import.meta.dirname, '..'),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], API_PORT: 'many', LOG_LEVEL: 'loud' },
  });
  expect([stdout, status]).toEqual(['', 1]);
  expect(stderr).toMatch(
    /^These settings do not fit:\n {2}API_PORT: .*\n {2}LOG_LEVEL: .*\nAll settings: docs\/conf/,
  );
  expect(stderr).not.toContain('    at ');
});

it.each(['person', 'saga', 'customer'])(
  'refuses a caller whose id is %j, which events give a meaning',
  (callerId) => {
    const callers = JSON.stringify([{ key: 'k'.repeat(16), callerId, role: 'shop' }]);
    expect(() => loadConfig({ API_CALLERS: callers })).toThrow('names a part of the system');
  },
);

describe('where parcels leave from', () => {
  const hongKong = {
    name: 'Harbor Goods',
    street1: '8 Queen’s Road Central',
    city: 'Hong Kong',
    country: 'HK',
    phone: '+85221234567',
  };
  const sent = (sender: unknown) => () => loadConfig({ SHIP_FROM: JSON.stringify(sender) }).SHIP_FROM;

  it.each([
    ['Hong Kong, without a postal code', hongKong],
    [
      'Dubai, without a city',
      { name: 'Gulf Goods', street1: 'Al Quoz 1', state: 'Dubai', country: 'AE', phone: '+97141234567' },
    ],
    ['the United States', { ...hongKong, city: 'Reno', state: 'NV', postalCode: '89501', country: 'US' }],
  ])('may be in %s', (_, sender) => expect(sent(sender)()).toEqual(sender));

  it('is read as every address: texts cleaned, empty and null parts left out', () => {
    const sender = { ...hongKong, name: ' Harbor\u200b Goods ', street2: '', state: null, postalCode: '' };
    expect(sent(sender)()).toEqual(hongKong);
  });

  it.each<[string, unknown, string]>([
    ['an unknown country', { ...hongKong, country: 'XX' }, '.country: expected an ISO 3166-1 alpha-2 code'],
    [
      'the United States without a postal code',
      { ...hongKong, country: 'US', city: 'Reno', state: 'NV' },
      '.postalCode: required in US, such as 95014',
    ],
    [
      'another country’s postal code',
      { ...hongKong, country: 'DE', postalCode: 'SW1A 1AA' },
      '.postalCode: expected a postal code of DE',
    ],
    ['no name', { ...hongKong, name: ' ' }, '.name: required'],
    ['no phone', { ...hongKong, phone: '' }, '.phone: required, expected an international number'],
    ['a local phone', { ...hongKong, phone: '21234567' }, '.phone: expected an international number'],
    ['a number', { ...hongKong, street1: 8 }, '.street1: expected a text'],
    ['a name of ours misspelt', { ...hongKong, postalcode: '1' }, ': Unrecognized key: "postalcode"'],
    ['no address', ['Hong Kong'], ': Invalid input: expected object'],
  ])('is refused with %s, and why', (_, sender, why) => {
    expect(sent(sender)).toThrow(`SHIP_FROM${why}`);
  });
});
