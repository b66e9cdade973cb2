import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import easypost from '@easypost/api';
import { cityOf } from '../../domain/address.ts';
import type { TechnicalFailure } from '../../domain/failures.ts';
import type { Address } from '../../domain/order.ts';
import type { BuyAnswer, Carrier, CreateAnswer } from '../../ports/carrier.ts';
import { customsInfo, easypostParcel } from './easypost-parcel.ts';
import {
  labelOf,
  offersOf,
  readLabels,
  readShipment,
  readVerification,
  refundOf,
  shipmentAnswer,
  type EasyPostShipment,
} from './easypost-answers.ts';
import {
  cannotVerify,
  easypostFailure,
  isAlreadyBought,
  isRefundRefused,
  rateGoneReason,
  undeliverableReason,
} from './easypost-errors.ts';

/* The package's types describe its CommonJS build, its ES module exports the class itself. */
const EasyPostClient = easypost as unknown as typeof easypost.default;
type EasyPostClient = InstanceType<typeof easypost.default>;

/** One finished request: `result` is `ok`, `refused` or the technical failure's type. */
export interface RequestFacts {
  operation: string;
  result: string;
  seconds: number;
}

export interface EasyPostCarrierConfig {
  apiKey: string;
  /** `http://host:port` of something that speaks EasyPost's API under /v2; EasyPost itself by default. */
  apiBase?: string | undefined;
  /** Where parcels are handed over. */
  from: Address;
  onRequest?: ((facts: RequestFacts) => void) | undefined;
}

/** The most that EasyPost gives at once. */
const PAGE_SIZE = 100;

/** A request and how its errors that are answers are recognized. */
interface Call<Answer> {
  operation: string;
  /** Names the request in failures: the operation key or the shipment. */
  subject: string;
  timeoutMs: number;
  request(client: EasyPostClient): Promise<unknown>;
  read(raw: unknown): Answer;
  /** The answer that an error means; undefined for a technical failure. */
  refusal?(error: unknown): Answer | undefined;
}

/**
 * EasyPost as the carrier. Connects on first use; requests share kept-alive connections, are sent once and end within
 * their `timeoutMs`. EasyPost gets name, address and phone of the recipient, which the label needs, and for a parcel that
 * goes through customs what is in it; no email, no order data but the reference.
 */
export function connectEasyPostCarrier(config: EasyPostCarrierConfig): Carrier & { close(): void } {
  const { clientFor, agent } = createClients(config);
  const call = createCaller(clientFor, config.onRequest);
  const from = toEasyPostAddress(config.from);

  const retrieve = ({ shipmentId, timeoutMs }: { shipmentId: string; timeoutMs: number }) =>
    call<EasyPostShipment>({
      operation: 'shipments.retrieve',
      subject: shipmentId,
      timeoutMs,
      request: (client) => client.Shipment.retrieve(shipmentId),
      read: readShipment,
    });

  return {
    verifyAddress: ({ address, timeoutMs }) =>
      call({
        operation: 'addresses.verify',
        subject: `an address in ${address.country}`,
        timeoutMs,
        request: (client) => client.Address.create({ ...toEasyPostAddress(address), verify: ['delivery'] }),
        read: readVerification,
        refusal: (error) => {
          if (cannotVerify(error)) return { deliverable: true };
          const reason = undeliverableReason(error);
          return reason === undefined ? undefined : { deliverable: false, reason };
        },
      }),

    createShipment: ({ reference, address, items, customs, timeoutMs }) =>
      call<CreateAnswer>({
        operation: 'shipments.create',
        subject: reference,
        timeoutMs,
        request: (client) =>
          client.Shipment.create({
            reference,
            to_address: toEasyPostAddress(address),
            from_address: from,
            parcel: easypostParcel(items),
            ...(customs ? { customs_info: customsInfo(customs, config.from) } : {}),
          }),
        read: (raw) => {
          const shipment = readShipment(raw);
          return { status: 'created', shipmentId: shipment.id, ...offersOf(shipment) };
        },
        refusal: undeliverable,
      }),

    rerate: ({ shipmentId, timeoutMs }) =>
      call({
        operation: 'shipments.rerate',
        subject: shipmentId,
        timeoutMs,
        request: (client) => client.Shipment.regenerateRates(shipmentId),
        read: (raw) => offersOf(readShipment(raw)),
      }),

    buy: ({ shipmentId, rateId, timeoutMs }) =>
      call<BuyAnswer>({
        operation: 'shipments.buy',
        subject: shipmentId,
        timeoutMs,
        request: (client) => client.Shipment.buy(shipmentId, rateId),
        read: boughtAnswer,
        refusal: (error) => {
          if (isAlreadyBought(error)) return { status: 'already_bought' };
          const reason = rateGoneReason(error);
          return reason === undefined ? undeliverable(error) : { status: 'rate_gone', reason };
        },
      }),

    retrieve: async (input) => shipmentAnswer(await retrieve(input)),

    listLabels: ({ referencePrefix, sinceUtc, beforeId, timeoutMs }) =>
      call({
        operation: 'shipments.list',
        subject: referencePrefix,
        timeoutMs,
        request: (client) =>
          client.Shipment.all({
            page_size: PAGE_SIZE,
            purchased: true,
            start_datetime: sinceUtc,
            ...(beforeId ? { before_id: beforeId } : {}),
          }),
        read: (raw) => readLabels(raw, referencePrefix),
      }),

    refundLabel: async ({ shipmentId, timeoutMs }) => {
      const deadline = performance.now() + timeoutMs;
      const asked = await call<EasyPostShipment | 'refused'>({
        operation: 'shipments.refund',
        subject: shipmentId,
        timeoutMs,
        request: (client) => client.Shipment.refund(shipmentId),
        read: readShipment,
        refusal: (error) => (isRefundRefused(error) ? 'refused' : undefined),
      });
      if (asked !== 'refused') return { status: refundStatus(asked, 'submitted') };
      const left = Math.max(1, Math.floor(deadline - performance.now()));
      return { status: refundStatus(await retrieve({ shipmentId, timeoutMs: left }), 'rejected') };
    },

    close: () => agent.destroy(),
  };
}

/** Superagent's request, as far as it is used here. */
interface SuperagentRequest {
  agent(agent: HttpAgent): SuperagentRequest;
  timeout(limits: { deadline: number }): SuperagentRequest;
  redirects(count: number): SuperagentRequest;
  retry(count: number): SuperagentRequest;
}

function createClients({ apiKey, apiBase }: EasyPostCarrierConfig) {
  const base = new URL(apiBase ?? 'https://api.easypost.com');
  const options = { keepAlive: true };
  const agent: HttpAgent = base.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent(options);
  /* The client does not apply its own `timeout` option; its middleware belongs to a client, so each request has one. */
  const clientFor = (timeoutMs: number): EasyPostClient =>
    new EasyPostClient(apiKey, {
      baseUrl: `${base.origin}/v2/`,
      requestMiddleware: (request: SuperagentRequest) =>
        request.agent(agent).timeout({ deadline: timeoutMs }).redirects(0).retry(0),
    });
  return { clientFor, agent };
}

const createCaller =
  (clientFor: (timeoutMs: number) => EasyPostClient, onRequest: EasyPostCarrierConfig['onRequest']) =>
  async <Answer>({
    operation,
    subject,
    timeoutMs,
    request,
    read,
    refusal,
  }: Call<Answer>): Promise<Answer> => {
    const startedMs = performance.now();
    const report = (result: string) =>
      onRequest?.({ operation, result, seconds: (performance.now() - startedMs) / 1_000 });
    try {
      const answer = read(await request(clientFor(timeoutMs)));
      report('ok');
      return answer;
    } catch (error) {
      const answer = refusal?.(error);
      const failure = answer === undefined ? easypostFailure(error, { operation, subject }) : undefined;
      report(failure?.type ?? 'refused');
      if (answer === undefined) throw failure as TechnicalFailure;
      return answer;
    }
  };

const toEasyPostAddress = (address: Address) => {
  const { name, street1, street2, state, postalCode, country, phone } = address;
  return {
    name,
    street1,
    ...(street2 === undefined ? {} : { street2 }),
    city: cityOf(address),
    ...(state === undefined ? {} : { state }),
    ...(postalCode === undefined ? {} : { zip: postalCode }),
    country,
    ...(phone === undefined ? {} : { phone }),
  };
};

const undeliverable = (error: unknown): { status: 'undeliverable'; reason: string } | undefined => {
  const reason = undeliverableReason(error);
  return reason === undefined ? undefined : { status: 'undeliverable', reason };
};

function boughtAnswer(raw: unknown): BuyAnswer {
  const shipment = readShipment(raw);
  const label = labelOf(shipment);
  if (label) return { status: 'bought', label };
  throw new Error(`shipment ${shipment.id} came back from its purchase without a label`);
}

const refundStatus = (shipment: EasyPostShipment, otherwise: 'submitted' | 'rejected') => {
  if (!labelOf(shipment)) return 'nothing_to_refund';
  const status = refundOf(shipment);
  return status === 'none' ? otherwise : status;
};
