import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { productId } from '../../domain/ids.ts';
import type { CustomsDeclaration } from '../../domain/customs.ts';
import type { Address } from '../../domain/order.ts';
import type { Carrier } from '../../ports/carrier.ts';
import { startSandbox } from '../../sandbox/server.ts';
import {
  cutAnswer,
  cutConnection,
  dripAnswer,
  html,
  json,
  neverAnswer,
  startScriptedServer,
  type ScriptedServer,
} from '../../test/support/scripted-server.ts';
import { connectEasyPostCarrier, type RequestFacts } from './easypost-carrier.ts';
import { easypostParcel } from './easypost-parcel.ts';

const from: Address = {
  name: 'Warehouse',
  street1: '1 Dock Road',
  city: 'Bengaluru',
  postalCode: '560001',
  country: 'IN',
  phone: '+918000000000',
};
const to = (street1 = '12 MG Road'): Address => ({
  name: 'Asha Rao',
  street1,
  city: 'Bengaluru',
  state: 'KA',
  postalCode: '560002',
  country: 'IN',
});
const items = [{ productId: productId('mug'), quantity: 3 }];
const customs: CustomsDeclaration = {
  currency: 'INR',
  items: [
    {
      code: 'mug',
      description: 'Stoneware mug',
      quantity: 3,
      valueMinor: 149_850,
      weightGrams: 600,
      hsCode: '691200',
      originCountry: 'IN',
    },
  ],
};
const timeoutMs = 5_000;

describe('shipments at the sandbox', () => {
  let sandbox: Awaited<ReturnType<typeof startSandbox>>;
  let carrier: Carrier & { close(): void };
  const seen: RequestFacts[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ easypostApiKey: 'EZTK_sandbox', settings: { labelRefundMs: 200 } });
    carrier = connectEasyPostCarrier({
      apiKey: 'EZTK_sandbox',
      apiBase: sandbox.url,
      from,
      onRequest: (facts) => seen.push(facts),
    });
  });
  afterAll(async () => {
    carrier.close();
    await sandbox.close();
  });
  beforeEach(async () => {
    await fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' });
    seen.length = 0;
  });

  const fault = async (rule: object) => {
    const response = await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'easypost', times: 1, ...rule }),
    });
    expect(response.status).toBe(201);
  };
  const created = async (street?: string) => {
    const reference = `shipment-${randomUUID()}-1`;
    const answer = await carrier.createShipment({ reference, address: to(street), items, timeoutMs });
    if (answer.status !== 'created') throw new Error(answer.reason);
    const [rate] = answer.rates;
    return { shipmentId: answer.shipmentId, rateId: rate?.rateId ?? '', rates: answer.rates, reference };
  };

  it('are created with rates and bought once', async () => {
    const { shipmentId, rateId, rates, reference } = await created();
    expect(rates.length).toBeGreaterThan(0);
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toEqual({ status: 'unbought', rates });
    const answer = await carrier.buy({ shipmentId, rateId, timeoutMs });
    if (answer.status !== 'bought') throw new Error(answer.status);
    expect(answer.label).toMatchObject({ carrier: rates[0]?.carrier, service: rates[0]?.service });
    expect(answer.label.cost).toEqual({ amount: rates[0]?.amount, currency: 'USD' });
    expect(await carrier.buy({ shipmentId, rateId, timeoutMs })).toEqual({ status: 'already_bought' });
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toEqual({
      status: 'bought',
      label: answer.label,
      refund: 'none',
      reference,
      recipient: to(),
    });
    expect(seen.map(({ operation, result }) => `${operation} ${result}`)).toEqual([
      'shipments.create ok',
      'shipments.retrieve ok',
      'shipments.buy ok',
      'shipments.buy refused',
      'shipments.retrieve ok',
    ]);
  });

  it('can have a label although the reply was lost, which retrieving tells', async () => {
    const { shipmentId, rateId } = await created();
    await fault({ operation: 'shipments.buy', kind: 'reply-lost' });
    await expect(carrier.buy({ shipmentId, rateId, timeoutMs })).rejects.toMatchObject({
      type: 'OutcomeUnknown',
    });
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toMatchObject({ status: 'bought' });
  });

  it('have no label while the carrier is away', async () => {
    const { shipmentId, rateId } = await created();
    await fault({ operation: 'shipments.buy', kind: 'outage' });
    await expect(carrier.buy({ shipmentId, rateId, timeoutMs })).rejects.toMatchObject({
      type: 'OutcomeUnknown',
    });
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toMatchObject({ status: 'unbought' });
  });

  it('go to verified addresses only', async () => {
    expect(await carrier.verifyAddress({ address: to(), timeoutMs })).toEqual({ deliverable: true });
    expect(await carrier.verifyAddress({ address: to('UNDELIVERABLE 1'), timeoutMs })).toEqual({
      deliverable: false,
      reason: 'Address not found',
    });
  });

  it('are undeliverable when the carrier refuses the address by code at the label', async () => {
    const { shipmentId, rateId } = await created('LABEL-REFUSED 1');
    expect(await carrier.buy({ shipmentId, rateId, timeoutMs })).toMatchObject({ status: 'undeliverable' });
  });

  it('blame no address for what carriers say in their own words', async () => {
    const reference = `shipment-${randomUUID()}-1`;
    const noRates = await carrier.createShipment({ reference, address: to('NO-RATES 1'), items, timeoutMs });
    expect(noRates).toMatchObject({
      status: 'created',
      rates: [],
      objections: expect.arrayContaining([expect.stringContaining('destination address')]) as string[],
    });
    const { shipmentId, rateId } = await created();
    const message = 'Unable to validate Ship To address';
    await fault({
      operation: 'shipments.buy',
      kind: 'error',
      status: 422,
      code: 'SHIPMENT.POSTAGE.FAILURE',
      message,
    });
    await expect(carrier.buy({ shipmentId, rateId, timeoutMs })).rejects.toMatchObject({
      type: 'ProviderUnavailable',
      message: expect.stringContaining(message) as string,
    });
  });

  it('are rated again when there were no rates, or those there were are gone', async () => {
    const { shipmentId } = await created('RATES-LATER 1');
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toMatchObject({
      status: 'unbought',
      rates: [],
    });
    const offers = await carrier.rerate({ shipmentId, timeoutMs });
    const [offer] = offers.rates;
    expect(offer?.offeredAtUtc).toMatch(/Z$/);
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toEqual({ status: 'unbought', ...offers });

    const stale = await created('STALE-RATES 1');
    expect(await carrier.buy({ ...stale, timeoutMs })).toMatchObject({ status: 'rate_gone' });
    const [fresh] = (await carrier.rerate({ shipmentId: stale.shipmentId, timeoutMs })).rates;
    const rateId = fresh?.rateId ?? '';
    expect(await carrier.buy({ shipmentId: stale.shipmentId, rateId, timeoutMs })).toMatchObject({
      status: 'bought',
    });
  });

  it('get their label refunded once, later', async () => {
    const { shipmentId, rateId } = await created();
    const refund = () => carrier.refundLabel({ shipmentId, timeoutMs });
    expect(await refund()).toEqual({ status: 'nothing_to_refund' });
    await carrier.buy({ shipmentId, rateId, timeoutMs });
    expect(await refund()).toEqual({ status: 'submitted' });
    expect(await refund()).toEqual({ status: 'submitted' });
    await expect.poll(async () => (await refund()).status).toBe('refunded');
    expect(await carrier.retrieve({ shipmentId, timeoutMs })).toMatchObject({ refund: 'refunded' });
  });

  it('are listed with their labels by reference, from a time on', async () => {
    const nowUtc = () => new Date().toISOString();
    const sinceUtc = new Date(Date.now() - 60_000).toISOString();
    const { shipmentId, rateId, reference } = await created();
    const other = await created();
    const labels = async (since: string) =>
      (await carrier.listLabels({ referencePrefix: reference.slice(0, -1), sinceUtc: since, timeoutMs }))
        .labels;
    expect(await labels(sinceUtc)).toEqual([]);
    const bought = await carrier.buy({ shipmentId, rateId, timeoutMs });
    await carrier.buy({ ...other, timeoutMs });
    if (bought.status !== 'bought') throw new Error(bought.status);
    expect(await labels(sinceUtc)).toEqual([
      { status: 'bought', shipmentId, label: bought.label, refund: 'none', reference, recipient: to() },
    ]);
    expect(await labels(nowUtc())).toEqual([]);
  });

  it.each<[string, Omit<Address, 'name' | 'street1'>, object]>([
    ['Hong Kong', { city: 'Wan Chai', country: 'HK' }, { city: 'Wan Chai' }],
    ['an emirate', { state: 'Dubai', country: 'AE' }, { city: 'Dubai', state: 'Dubai' }],
    ['Macao', { country: 'MO' }, { city: expect.stringMatching(/^Maca/) }],
  ])('go to %s without a postal code', async (_, place, shown) => {
    const address = { name: 'Asha Rao', street1: '1 Road', phone: '+85221234567', ...place };
    expect(await carrier.verifyAddress({ address, timeoutMs })).toEqual({ deliverable: true });
    const reference = `shipment-${randomUUID()}-1`;
    const answer = await carrier.createShipment({ reference, address, items, customs, timeoutMs });
    if (answer.status !== 'created') throw new Error(answer.reason);
    const { shipmentId, rates } = answer;
    const bought = await carrier.buy({ shipmentId, rateId: rates[0]?.rateId ?? '', timeoutMs });
    expect(bought.status).toBe('bought');
    const known = await carrier.retrieve({ shipmentId, timeoutMs });
    const recipient = { name: 'Asha Rao', street1: '1 Road', country: place.country, ...shown };
    expect(known).toMatchObject({ status: 'bought', recipient });
    expect(known).not.toHaveProperty('recipient.postalCode');
  });

  it('need a person when the API key is wrong', async () => {
    const stranger = connectEasyPostCarrier({ apiKey: 'EZTKother', apiBase: sandbox.url, from });
    await expect(stranger.retrieve({ shipmentId: 'shp_1', timeoutMs })).rejects.toMatchObject({
      type: 'ProviderMisconfigured',
      keyRefused: true,
    });
    stranger.close();
  });
});

describe('shipments over a bad wire', () => {
  let server: ScriptedServer;
  let carrier: Carrier & { close(): void };

  beforeAll(async () => {
    server = await startScriptedServer();
    carrier = connectEasyPostCarrier({ apiKey: 'EZTKx', apiBase: server.url, from });
  });
  afterAll(async () => {
    carrier.close();
    await server.close();
  });

  const buy = (limitMs = 2_000) => carrier.buy({ shipmentId: 'shp_1', rateId: 'rate_1', timeoutMs: limitMs });
  const bare = { id: 'shp_1', rates: [], postage_label: null };

  it.each([
    ['a reset after the request arrived', cutConnection],
    ['an answer that breaks off', cutAnswer],
    ['a proxy’s page with status 502', html(502)],
    ['a proxy’s page with status 200', html(200)],
    ['JSON that is no shipment', json(200, { hello: 'world' })],
    ['a shipment without its label', json(200, bare)],
    ['null', json(200, null)],
    ['a redirect', json(302, {}, { location: '/v2/elsewhere' })],
    ['500 without an error object', json(500, { message: 'oops' })],
    ['500', json(500, { error: { code: 'INTERNAL_SERVER_ERROR', message: 'oops' } })],
    ['503', json(503, { error: { code: 'SERVICE.UNAVAILABLE', message: 'oops' } })],
    [
      'a silent carrier',
      json(422, { error: { code: 'SHIPMENT.POSTAGE.NO_RESPONSE', message: 'timed out' } }),
    ],
  ])('leave the outcome unknown and are sent once: %s', async (_case, script) => {
    server.answerWith(script);
    await expect(buy()).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['no answer', neverAnswer],
    ['an answer that trickles', dripAnswer],
  ])('end in time with the outcome unknown: %s', async (_case, script) => {
    server.answerWith(script);
    const startedMs = performance.now();
    await expect(buy(300)).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(server.requests).toHaveLength(1);
  });

  it('did nothing when nobody listens', async () => {
    const closed = await startScriptedServer();
    await closed.close();
    const nowhere = connectEasyPostCarrier({ apiKey: 'EZTKx', apiBase: closed.url, from });
    await expect(nowhere.retrieve({ shipmentId: 'shp_1', timeoutMs })).rejects.toMatchObject({
      type: 'ProviderUnavailable',
    });
    nowhere.close();
  });

  it('send recipient, parcel and reference, and nothing else of the order', async () => {
    server.answerWith(json(201, bare));
    const address = { ...to(), street2: 'Flat 4' };
    await carrier.createShipment({ reference: 'shipment-o-1-1', address, items, timeoutMs });
    const [request] = server.requests;
    const { postalCode: zip, ...rest } = address;
    const { postalCode: fromZip, ...fromRest } = from;
    expect(JSON.parse(request?.body ?? '')).toEqual({
      shipment: {
        reference: 'shipment-o-1-1',
        to_address: { ...rest, zip },
        from_address: { ...fromRest, zip: fromZip },
        parcel: { weight: 24 },
      },
    });
  });

  it('send what customs reads with a parcel that goes through it', async () => {
    server.answerWith(json(201, bare));
    const address = { ...to(), country: 'DE', phone: '+4930123456' };
    await carrier.createShipment({
      reference: 'shipment-o-1-1',
      address,
      items,
      customs,
      timeoutMs,
    });
    const { shipment } = JSON.parse(server.requests[0]?.body ?? '') as { shipment: Record<string, unknown> };
    expect(shipment).toMatchObject({
      to_address: { phone: '+4930123456' },
      customs_info: {
        contents_type: 'merchandise',
        restriction_type: 'none',
        customs_certify: true,
        customs_signer: 'Warehouse',
        customs_items: [
          {
            code: 'mug',
            description: 'Stoneware mug',
            quantity: 3,
            value: '1498.50',
            currency: 'INR',
            weight: 21.164,
            hs_tariff_number: '691200',
            origin_country: 'IN',
          },
        ],
      },
    });
    expect(shipment['customs_info']).not.toHaveProperty('eel_pfc');
  });

  describe('that are listed', () => {
    const list = (beforeId?: string) =>
      carrier.listLabels({
        referencePrefix: 'shipment-o-',
        sinceUtc: '2026-01-02T03:04:05.000Z',
        ...(beforeId ? { beforeId } : {}),
        timeoutMs: 2_000,
      });

    it('are asked for by pages of labels, from a time on, and say what comes next', async () => {
      server.answerWith(json(200, { shipments: [{ id: 'shp_9' }, { id: 'shp_8' }], has_more: true }));
      expect(await list()).toEqual({ labels: [], beforeId: 'shp_8' });
      server.answerWith(json(200, { shipments: [{ id: 'shp_7', refund_status: 'odd' }], has_more: false }));
      expect(await list('shp_8')).toEqual({ labels: [] });
      const asked = server.requests.map(({ url }) =>
        Object.fromEntries(new URL(url, 'http://x').searchParams),
      );
      const every = { page_size: '100', purchased: 'true', start_datetime: '2026-01-02T03:04:05.000Z' };
      expect(asked.slice(-1)).toEqual([{ ...every, before_id: 'shp_8' }]);
    });

    it.each([
      ['no list', {}],
      ['a page that says not whether it is the last', { shipments: [] }],
      ['an empty page that is not the last', { shipments: [], has_more: true }],
      [
        'a label of the order that cannot be read',
        { shipments: [{ id: 'shp_1', reference: 'shipment-o-1' }], has_more: false },
      ],
    ])('are not known when the answer is %s', async (_case, body) => {
      server.answerWith(json(200, body));
      await expect(list()).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    });
  });

  it('share a connection', async () => {
    server.answerWith(json(200, bare));
    await carrier.retrieve({ shipmentId: 'shp_1', timeoutMs });
    await carrier.retrieve({ shipmentId: 'shp_1', timeoutMs });
    const [first, second] = server.requests;
    expect(first?.clientPort).toBeGreaterThan(0);
    expect(second?.clientPort).toBe(first?.clientPort);
  });

  it('answer a refund that the carrier refuses without one under way as rejected', async () => {
    const refused = json(422, {
      error: { code: 'SHIPMENT.REFUND.UNAVAILABLE', message: 'The parcel has been shipped' },
    });
    const rate = { id: 'rate_1', carrier: 'USPS', service: 'Priority', rate: '8.45', currency: 'USD' };
    const label = { postage_label: { label_url: 'x' }, selected_rate: rate, tracking_code: '9400' };
    server.answerWith(refused, json(200, { ...bare, ...label, refund_status: null }));
    expect(await carrier.refundLabel({ shipmentId: 'shp_1', timeoutMs })).toEqual({ status: 'rejected' });
  });
});

describe('a parcel', () => {
  const known = { weightGrams: 500, lengthMm: 300, widthMm: 200, heightMm: 100 };

  it('has weight and measures in ounces and inches, rounded up', () => {
    const one = { productId: productId('mug'), quantity: 1 };
    expect(easypostParcel([{ ...one, ...known }])).toEqual({
      weight: 17.7,
      length: 11.9,
      width: 7.9,
      height: 4,
    });
    expect(easypostParcel([{ ...one, ...known }, one])).toEqual({ weight: 25.7 });
  });

  it('weighs 8 ounces a unit', () => {
    const two = [...items, { productId: productId('tee'), quantity: 2 }];
    expect(easypostParcel(two)).toEqual({ weight: 40 });
  });
});
