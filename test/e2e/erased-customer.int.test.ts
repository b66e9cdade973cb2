import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { operatorKey, send, shopKey } from '../../api/testing/fake-deps.ts';
import type { ActivityDeps } from '../../activities/deps.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import { customerId } from '../../domain/ids.ts';
import type { Address } from '../../domain/order.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { secretsIn } from '../support/personal-data.ts';
import { goodAddress, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { apiFixture } from './api-fixture.ts';
import { act, detailsOf, expectEnd, sagaSuite, type StartedOrder } from './saga-suite.ts';

const address = {
  ...goodAddress,
  name: 'Ottilie Wunderlich',
  street1: '7 Zwetschgen Lane',
  street2: 'Hinterhaus 3',
  phone: '+918012345678',
} satisfies Address;
const person = { customerEmail: 'ottilie@wunderlich.example', shippingAddress: address };
const unknown = { ...address, street1: '8 Nirgends Lane' };
const unsold = { ...address, street1: '9 Stempel Lane' };
const people = [address, unknown, unsold].map((shippingAddress) => ({ ...person, shippingAddress }));

/** A carrier that repeats what it was given, as real ones do. */
const quoting = (deps: ActivityDeps): ActivityDeps => ({
  ...deps,
  carrier: {
    ...deps.carrier,
    async verifyAddress(input) {
      if (input.address.street1 !== unknown.street1) return deps.carrier.verifyAddress(input);
      return { deliverable: false, reason: `No such address: ${said(input.address)}` };
    },
    async createShipment(input) {
      if (input.address.street1 !== unsold.street1) return deps.carrier.createShipment(input);
      const cause = new Error(said(input.address));
      throw new TechnicalFailure('ProviderMisconfigured', `Refused: ${cause.message}`, { cause });
    },
  },
});
const said = ({ name, street1, street2, city, postalCode, phone }: Address): string =>
  `${name}, ${street1}, ${street2}, ${city} ${postalCode}, ${phone}`;

/** Every row of every table, events, mails and dead letters included. */
function everyRow({ env }: SagaEnvironment): string[] {
  const database = new DatabaseSync((env['SQL_URL'] ?? '').replace('sqlite:', ''), { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return tables.flatMap(({ name }) =>
      database
        .prepare(`SELECT * FROM "${String(name)}"`)
        .all()
        .map((row) => `${String(name)} ${JSON.stringify(row, (_, value: unknown) => textOf(value))}`),
    );
  } finally {
    database.close();
  }
}
const textOf = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString() : value;

describe('a customer whose data was erased', () => {
  const saga = sagaSuite({ wrap: quoting });
  const httpApi = apiFixture(saga);

  const answers = async (orders: readonly StartedOrder[]): Promise<string[]> => {
    const of = orders.flatMap(({ orderId }) =>
      ['', '/audit', '/why', '/refunds', '/events'].map((part) => `/orders/${orderId}${part}`),
    );
    const paths = [...of, '/orders', '/dead-letters', '/cases', '/providers', '/products'];
    const sent = paths.flatMap((path) =>
      [operatorKey, shopKey].map(async (key) => {
        const response = await send(httpApi().app, 'GET', path, { key });
        return `${path} ${await response.text()}`;
      }),
    );
    return Promise.all(sent);
  };

  test('is in no table, event, mail, answer, feed or page, whatever a carrier had quoted', async () => {
    const customer = customerId(`customer-${crypto.randomUUID()}`);
    const own = { customerId: customer, customerEmail: person.customerEmail };
    const small = { attemptTimeoutMs: 4_000, budgetMs: 1_000, maximumIntervalMs: 200 };
    const shipped = await saga().start({ ...own, shippingAddress: address });
    const refused = await saga().start({ ...own, shippingAddress: unknown }, { holdAddressMs: 400 });
    const parked = await saga().start({ ...own, shippingAddress: unsold }, { steps: { shipping: small } });
    await saga().until(parked.orderId, ({ sagaState }) => sagaState === 'parked');
    const pages = async () => Promise.all([shipped, refused, parked].map(detailsOf));
    const whileParked = await pages();
    await parked.executeUpdate(cancelOrder, { args: [act] });
    await expectEnd(saga(), shipped, { status: 'completed' });
    await expectEnd(saga(), refused, { status: 'failed', failure: 'AddressUndeliverable' });
    await expectEnd(saga(), parked, { status: 'cancelled' });
    const orders = [shipped, refused, parked];
    const found = (texts: readonly string[]) => people.flatMap((one) => secretsIn(texts, one));
    expect(found(everyRow(saga())).length, 'what is to be erased is there').toBeGreaterThan(5);

    await until(
      async () => {
        const body = { reason: 'erasure requested, ticket 4711' };
        return send(httpApi().app, 'POST', `/customers/${customer}/erase`, { key: operatorKey, body });
      },
      ({ status }) => status === 200,
    );

    expect(found(everyRow(saga()))).toEqual([]);
    expect(found(await answers(orders))).toEqual([]);
    expect(found([...whileParked, ...(await pages())])).toEqual([]);
  });
});
