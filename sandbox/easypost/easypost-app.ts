import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { CallFacts, FaultPlan, Faults } from '../faults/faults.ts';
import type { OPERATIONS } from '../faults/fault-rules.ts';
import { type HttpContext, answerCall, underError, wait } from '../provider-call.ts';
import { type Reply, answered, replyOf } from '../refusal.ts';
import { addressObject, parseAddress, verified } from './addresses.ts';
import { faultReply, notFound, rateLimited, refused, unauthorized, unavailable } from './easypost-errors.ts';
import { shipmentObject } from './shipment-object.ts';
import {
  type EasypostDeps,
  buyShipment,
  createShipment,
  listShipments,
  orderIdOfReference,
  refundShipment,
  rerateShipment,
  shipmentById,
} from './shipments.ts';

export interface EasypostAppDeps extends EasypostDeps {
  faults: Faults;
  apiKey: string;
}

type Operation = (typeof OPERATIONS.easypost)[number];
type Body = Record<string, unknown>;

const EFFECTS: Operation[] = ['addresses.create', 'shipments.create', 'shipments.buy', 'shipments.refund'];

const assertAuthorized = (header: string | undefined, apiKey: string): void => {
  const [scheme, value = ''] = (header ?? '').split(' ');
  const key = scheme === 'Basic' ? Buffer.from(value, 'base64').toString().split(':')[0] : value;
  if (key !== apiKey) throw unauthorized();
};

const bodyOf = async (c: HttpContext): Promise<Body> => {
  if (c.req.method === 'GET') return {};
  const text = await c.req.text();
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  } catch {
    // Falls through to the refusal below, which is the same for all that is no JSON object.
  }
  throw refused(400, 'BAD_REQUEST', 'The request body is not a JSON object.');
};

const isOn = (flag: unknown): boolean =>
  flag === true || flag === 'true' || (Array.isArray(flag) && flag.includes('delivery'));

const record = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {});

const ok = (body: unknown, status = 200): Reply => ({ status, body });

/** The EasyPost part of the sandbox. Nothing here is idempotent, since nothing there is. */
export const createEasypostApp = (deps: EasypostAppDeps) => {
  const { store, clock, counts, faults } = deps;
  const shown = (shipment: Parameters<typeof shipmentObject>[0]) =>
    shipmentObject(shipment, deps.baseUrl(), clock.nowMs());

  const perform = async (operation: Operation, work: () => Reply, plan: FaultPlan): Promise<Reply> => {
    await wait(plan.delayBeforeMs);
    const reply = store.transaction(() => underError(plan, () => answered(work), faultReply));
    if (EFFECTS.includes(operation) && reply.status < 300) counts.operation('easypost', operation, 'effects');
    return reply;
  };

  const factsOf = (id: string, body: Body): CallFacts => {
    const stored = id.startsWith('shp_') ? store.get('shipment', id) : undefined;
    const given = record(body.shipment).reference;
    const reference = stored?.reference ?? (typeof given === 'string' ? given : null);
    return { id: id || undefined, reference: reference ?? undefined, orderId: orderIdOfReference(reference) };
  };

  const call =
    (
      operation: Operation | ((body: Body) => Operation),
      work: (id: string, body: Body, c: HttpContext) => Reply,
    ) =>
    async (c: HttpContext): Promise<Response> => {
      assertAuthorized(c.req.header('authorization'), deps.apiKey);
      const body = await bodyOf(c);
      const id = c.req.param('id') ?? '';
      const name = typeof operation === 'string' ? operation : operation(body);
      return answerCall({ faults, counts }, c, {
        provider: 'easypost',
        operation: name,
        facts: () => factsOf(id, body),
        unavailable,
        rateLimited,
        perform: (plan) => perform(name, () => work(id, body, c), plan),
      });
    };

  const saveAddress = (body: Body, verify: boolean, strict: boolean) => {
    const address = parseAddress(record(body.address), clock.nowMs());
    const checked = verify ? verified(address, strict) : address;
    store.put('address', checked.id, checked);
    return checked;
  };

  const addressById = (id: string) => {
    const address = store.get('address', id);
    if (!address) throw notFound();
    return address;
  };

  const wantsVerification = (body: Body) => isOn(body.verify) || isOn(body.verify_strict);

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.post(
    '/v2/addresses',
    call(
      (body) => (wantsVerification(body) ? 'addresses.verify' : 'addresses.create'),
      (_id, body) =>
        ok(addressObject(saveAddress(body, wantsVerification(body), isOn(body.verify_strict))), 201),
    ),
  );
  app.post(
    '/v2/addresses/create_and_verify',
    call('addresses.verify', (_id, body) => ok({ address: addressObject(saveAddress(body, true, true)) })),
  );
  app.get(
    '/v2/addresses/:id/verify',
    call('addresses.verify', (id) => ok({ address: addressObject(verified(addressById(id), true)) })),
  );
  app.get(
    '/v2/addresses/:id',
    call('addresses.retrieve', (id) => ok(addressObject(addressById(id)))),
  );
  app.post(
    '/v2/shipments',
    call('shipments.create', (_id, body) => ok(shown(createShipment(deps, body.shipment)), 201)),
  );
  app.get(
    '/v2/shipments',
    call('shipments.list', (_id, _body, c) => {
      const { shipments, hasMore } = listShipments(deps, c.req.query());
      return ok({ shipments: shipments.map(shown), has_more: hasMore });
    }),
  );
  app.get(
    '/v2/shipments/:id',
    call('shipments.retrieve', (id) => ok(shown(shipmentById(deps, id)))),
  );
  app.post(
    '/v2/shipments/:id/rerate',
    call('shipments.rerate', (id) => ok(shown(rerateShipment(deps, id)))),
  );
  app.post(
    '/v2/shipments/:id/buy',
    call('shipments.buy', (id, body) => ok(shown(buyShipment(deps, id, body)))),
  );
  app.post(
    '/v2/shipments/:id/refund',
    call('shipments.refund', (id) => ok(shown(refundShipment(deps, id)))),
  );
  app.onError((error, c) => {
    const reply = replyOf(error);
    if (!reply) throw error;
    return c.json(reply.body as object, reply.status as 400);
  });
  return app;
};
