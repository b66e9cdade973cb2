import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { easypostFor, quickSandbox } from '../testing.ts';

const WAREHOUSE = {
  name: 'Warehouse',
  street1: '1 Dock Road',
  city: 'Bengaluru',
  zip: '560001',
  country: 'IN',
};
const CUSTOMER = { name: 'Asha Rao', street1: '12 MG Road', city: 'Pune', zip: '411001', country: 'IN' };
const REFERENCE = 'shipment-7f6d3f0a-3a1e-4b55-9d0e-0c6b1d7f9a11-1';

describe("the carrier's API", () => {
  let sandbox: Sandbox;
  let easypost: ReturnType<typeof easypostFor>;

  beforeAll(async () => {
    sandbox = await quickSandbox();
    easypost = easypostFor(sandbox);
  });
  afterAll(() => sandbox.close());

  const ship = (to: Partial<typeof CUSTOMER> = {}, reference = REFERENCE) =>
    easypost.Shipment.create({
      reference,
      to_address: { ...CUSTOMER, ...to },
      from_address: WAREHOUSE,
      parcel: { weight: 16 },
    });

  const buy = async (to: Partial<typeof CUSTOMER> = {}) => {
    const shipment = await ship(to);
    return easypost.Shipment.buy(shipment.id, shipment.lowestRate());
  };

  test('an unknown key is refused', async () => {
    await expect(easypostFor(sandbox, 'EZTK_other').Shipment.retrieve('shp_1')).rejects.toMatchObject({
      statusCode: 401,
    });
  });

  test('verification tells deliverable addresses from undeliverable ones', async () => {
    const good = await easypost.Address.create({ ...CUSTOMER, verify: true });
    expect(good.verifications.delivery).toMatchObject({ success: true, errors: [] });
    const bad = await easypost.Address.create({ ...CUSTOMER, street1: '1 Undeliverable Lane', verify: true });
    expect(bad.verifications.delivery).toMatchObject({
      success: false,
      errors: [{ code: 'E.ADDRESS.NOT_FOUND', message: 'Address not found' }],
    });
    const unverified = await easypost.Address.create({ ...CUSTOMER, zip: '00000' });
    expect(unverified.verifications).not.toHaveProperty('delivery');
  });

  test('strict verification refuses with 422 and a code', async () => {
    const undeliverable = { ...CUSTOMER, zip: '00000' };
    const refusal = { statusCode: 422, code: 'ADDRESS.VERIFY.FAILURE' };
    await expect(easypost.Address.create({ ...undeliverable, verify_strict: true })).rejects.toMatchObject(
      refusal,
    );
    await expect(easypost.Address.createAndVerify(undeliverable)).rejects.toMatchObject(refusal);
    expect((await easypost.Address.createAndVerify(CUSTOMER)).verifications.delivery.success).toBe(true);
    await expect(easypost.Address.createAndVerify({ name: 'Nobody' })).rejects.toMatchObject({
      errors: [{ code: 'E.STREET.MISSING' }],
    });
  });

  test('a shipment offers rates of several carriers in their currency and has no label yet', async () => {
    const shipment = await ship();
    expect(shipment.rates.map(({ carrier, service }) => `${carrier} ${service}`)).toEqual([
      'USPS GroundAdvantage',
      'USPS Priority',
      'UPSDAP Ground',
    ]);
    expect(shipment.rates.every(({ currency }) => currency === 'USD')).toBe(true);
    expect(shipment).toMatchObject({ postage_label: null, tracking_code: null, refund_status: null });
  });

  test('the same reference again is another shipment: nothing is idempotent', async () => {
    const [one, two] = [await ship(), await ship()];
    expect(one.id).not.toBe(two.id);
    expect([one.reference, two.reference]).toEqual([REFERENCE, REFERENCE]);
  });

  test('a label is bought once; a second buy is refused and changes nothing', async () => {
    const bought = await buy();
    expect(bought.tracking_code).toMatch(/^94\d{20}$/);
    expect(bought.selected_rate).toMatchObject({ carrier: 'USPS', service: 'GroundAdvantage' });
    await expect(easypost.Shipment.buy(bought.id, String(bought.rates[1]?.id))).rejects.toMatchObject({
      statusCode: 422,
      code: 'SHIPMENT.POSTAGE.EXISTS',
    });
    const now = await easypost.Shipment.retrieve(bought.id);
    expect(now.tracking_code).toBe(bought.tracking_code);
    expect(now.selected_rate.id).toBe(bought.selected_rate.id);
  });

  test('the label can be opened and shows the recipient', async () => {
    const bought = await buy();
    const page = await (await fetch(bought.postage_label.label_url)).text();
    expect(page).toContain('Asha Rao');
    expect(page).toContain(bought.tracking_code);
  });

  test('some addresses turn undeliverable only at the label', async () => {
    const street1 = '5 Label-Refused Street';
    expect(
      (await easypost.Address.createAndVerify({ ...CUSTOMER, street1 })).verifications.delivery.success,
    ).toBe(true);
    await expect(buy({ street1 })).rejects.toMatchObject({
      statusCode: 422,
      code: 'ADDRESS.VERIFY.FAILURE',
    });
  });

  test('an address that was never verified and is undeliverable gets no label either', async () => {
    await expect(buy({ zip: '00000' })).rejects.toMatchObject({ code: 'ADDRESS.VERIFY.FAILURE' });
  });

  test('rates that were not to be had come when they are asked for again', async () => {
    const { id, rates } = await ship({ street1: '9 Rates-Later Way' });
    expect(rates).toEqual([]);
    expect((await easypost.Shipment.retrieve(id)).rates).toEqual([]);
    const rated = await easypost.Shipment.regenerateRates(id);
    expect(rated.rates.length).toBeGreaterThan(0);
    const now = await easypost.Shipment.retrieve(id);
    expect(now.rates.map((rate) => rate.id)).toEqual(rated.rates.map((rate) => rate.id));
  });

  test('rates are void once there are newer ones, and some before that', async () => {
    const refusal = { statusCode: 422, code: 'SHIPMENT.MISSING_RATE' };
    for (const street1 of ['9 Long Way', '9 Stale-Rates Way']) {
      const { id, rates } = await ship({ street1 });
      const first = rates[0]?.id ?? '';
      if (/stale/i.test(street1)) {
        await expect(easypost.Shipment.buy(id, first)).rejects.toMatchObject(refusal);
      }
      const rated = await easypost.Shipment.regenerateRates(id);
      await expect(easypost.Shipment.buy(id, first)).rejects.toMatchObject(refusal);
      expect((await easypost.Shipment.buy(id, rated.rates[0]?.id ?? '')).tracking_code).toBeTruthy();
      await expect(easypost.Shipment.regenerateRates(id)).rejects.toMatchObject({
        code: 'SHIPMENT.POSTAGE.EXISTS',
      });
    }
  });

  test('an address without service gets messages in place of rates', async () => {
    const shipment = await ship({ street1: '9 No-Rates Way' });
    expect(shipment.rates).toEqual([]);
    expect(shipment.messages).toHaveLength(2);
  });

  test('a refund is submitted first and refunded later', async () => {
    const bought = await buy();
    expect((await easypost.Shipment.refund(bought.id)).refund_status).toBe('submitted');
    await expect(easypost.Shipment.refund(bought.id)).rejects.toMatchObject({ statusCode: 422 });
    const status = async () => (await easypost.Shipment.retrieve(bought.id)).refund_status;
    expect(await status()).toBe('submitted');
    await vi.waitFor(async () => expect(await status()).toBe('refunded'), 2_000);
  });

  test('a refund can be rejected', async () => {
    const bought = await buy({ street1: '3 Refund-Rejected Row' });
    await easypost.Shipment.refund(bought.id);
    await vi.waitFor(
      async () => expect((await easypost.Shipment.retrieve(bought.id)).refund_status).toBe('rejected'),
      2_000,
    );
    expect((await easypost.Shipment.refund(bought.id)).refund_status).toBe('submitted');
  });

  test('what was never bought cannot be refunded', async () => {
    const shipment = await ship();
    await expect(easypost.Shipment.refund(shipment.id)).rejects.toMatchObject({ statusCode: 422 });
  });

  test('unknown ids, foreign rates and incomplete shipments are refused in its own shape', async () => {
    await expect(easypost.Shipment.retrieve('shp_none')).rejects.toMatchObject({
      statusCode: 404,
      code: 'NOT_FOUND',
    });
    const [one, two] = [await ship(), await ship()];
    await expect(easypost.Shipment.buy(one.id, String(two.rates[0]?.id))).rejects.toMatchObject({
      statusCode: 422,
      code: 'SHIPMENT.MISSING_RATE',
    });
    await expect(
      easypost.Shipment.create({ to_address: CUSTOMER, from_address: WAREHOUSE }),
    ).rejects.toMatchObject({ statusCode: 422, code: 'PARAMETER.REQUIRED' });
    await expect(
      easypost.Shipment.create({ to_address: CUSTOMER, from_address: WAREHOUSE, parcel: { weight: 0 } }),
    ).rejects.toMatchObject({ statusCode: 422, code: 'PARAMETER.INVALID' });
  });

  describe('a parcel', () => {
    const offered = async (shipment: object) => {
      const made = await easypost.Shipment.create({
        to_address: CUSTOMER,
        from_address: WAREHOUSE,
        ...shipment,
      });
      const said = (made.messages as unknown as { message: string }[]).map(({ message }) => message);
      return { services: made.rates.map(({ service }) => service), said: said[0] };
    };
    const all = ['GroundAdvantage', 'Priority', 'Ground'];

    test.each([
      [{ weight: 70 * 16 }, all],
      [{ weight: 70 * 16 + 0.1 }, ['Ground']],
      [{ weight: 150 * 16 }, ['Ground']],
      [{ weight: 150 * 16 + 0.1 }, []],
      [{ weight: 16, length: 66, width: 10, height: 11 }, all],
      [{ weight: 16, length: 11, width: 67, height: 10 }, ['GroundAdvantage', 'Ground']],
      [{ weight: 16, length: 101, width: 16, height: 16 }, ['Ground']],
      [{ weight: 16, length: 108.1, width: 1, height: 1 }, ['GroundAdvantage']],
      [{ weight: 16, length: 101.1, width: 16, height: 16 }, []],
    ])('%j is taken by %j', async (parcel, services) => {
      expect((await offered({ parcel })).services).toEqual(services);
    });

    const item = {
      description: 'Computer mouse',
      quantity: 2,
      value: '40.00',
      currency: 'USD',
      weight: 8,
      hs_tariff_number: '847160',
      origin_country: 'CN',
    };
    const papers = {
      contents_type: 'merchandise',
      customs_certify: true,
      customs_signer: 'Warehouse',
      customs_items: [item],
    };
    const abroad = {
      from_address: { ...WAREHOUSE, phone: '+918000000000' },
      to_address: { ...CUSTOMER, country: 'DE', phone: '+4930123456' },
      customs_info: papers,
      parcel: { weight: 16 },
    };
    const office = {
      street1: '1 Main St',
      city: 'San Juan',
      zip: '00901',
      country: 'US',
      phone: '+12025550100',
    };
    const usa = { ...abroad, from_address: { ...office, city: 'Reno', zip: '89501' } };

    test('abroad is taken with its papers', async () => {
      expect((await offered(abroad)).services).toEqual(all);
    });

    test.each([
      ['no papers', { ...abroad, customs_info: undefined }, 'Customs information is required'],
      ['no phone of the recipient', { ...abroad, to_address: { ...CUSTOMER, country: 'DE' } }, 'ToPhone'],
      ['no phone of the sender', { ...abroad, from_address: WAREHOUSE }, 'FromPhone'],
      ['no signature', { ...abroad, customs_info: { ...papers, customs_signer: '' } }, 'not signed'],
      [
        'no HS code',
        { ...abroad, customs_info: { ...papers, customs_items: [{ ...item, hs_tariff_number: null }] } },
        'HS tariff number',
      ],
      ['less weight than its goods', { ...abroad, parcel: { weight: 7 } }, 'weigh more'],
      ['no export filing from the US', usa, 'EEL or PFC'],
      [
        'no papers for a US territory',
        { ...usa, to_address: office, customs_info: undefined },
        'Customs information',
      ],
      [
        'no papers for a military post',
        {
          ...usa,
          to_address: { ...office, city: 'APO', state: 'AE', zip: '09012' },
          customs_info: undefined,
        },
        'Customs information',
      ],
    ])('with %s is not', async (_case, shipment, message) => {
      const { services, said } = await offered(shipment);
      expect(services).toEqual([]);
      expect(said).toContain(message);
    });

    test('with customs information that is none is refused', async () => {
      const customs_info = { ...papers, customs_items: [] };
      await expect(offered({ ...abroad, customs_info })).rejects.toMatchObject({
        code: 'PARAMETER.INVALID',
      });
    });

    test('within the United States needs none', async () => {
      const shipment = { ...usa, to_address: { ...office, city: 'Austin', zip: '73301' } };
      expect((await offered({ ...shipment, customs_info: undefined })).services).toEqual(all);
    });
  });

  test('the list begins at a time, and is read to its end by pages', async () => {
    const ids = [(await buy()).id, (await buy()).id, (await buy()).id].toReversed();
    const since = new Date(Date.now() - 60_000).toISOString();
    const page = (before_id?: string) =>
      easypost.Shipment.all({ page_size: 2, start_datetime: since, ...(before_id && { before_id }) });
    const first = await page();
    expect(first.shipments.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(first.has_more).toBe(true);
    expect((await page(ids[1])).shipments[0]?.id).toBe(ids[2]);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const none = await easypost.Shipment.all({ start_datetime: later });
    expect(none).toMatchObject({ shipments: [], has_more: false });
  });

  test('the list has bought shipments only, and no filter by reference', async () => {
    await ship({}, 'list-unbought');
    const { shipments } = await easypost.Shipment.all({ page_size: 100 });
    expect(shipments.length).toBeGreaterThan(0);
    expect(shipments.every(({ tracking_code }) => tracking_code)).toBe(true);
    const all = await easypost.Shipment.all({
      page_size: 100,
      purchased: false,
      reference: 'list-unbought',
    } as object);
    expect(all.shipments.length).toBeGreaterThan(shipments.length);
  });
});
