import { TechnicalFailure } from '../../domain/failures.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type {
  BuyAnswer,
  Carrier,
  Label,
  Offers,
  Rate,
  Recipient,
  ShipmentAnswer,
} from '../../ports/carrier.ts';
import type {
  CreateAnswer,
  PaymentAnswer,
  PaymentGateway,
  ProviderDispute,
  ProviderRefund,
  RefundRequested,
} from '../../ports/payment-gateway.ts';
import type { Actor, Interleaving, Landing } from './interleaving.ts';

/** What a payment method leads to when it is confirmed. */
export type CardFate = 'succeeds' | 'declines' | 'needs the customer' | 'processes';

export interface Intent {
  intentId: string;
  orderId: OrderId;
  operationKey: string;
  amount: Money;
  fate: CardFate;
  status: 'unconfirmed' | 'charged' | 'declined' | 'action_required' | 'processing' | 'canceled';
  /** Newest first. */
  refunds: ProviderRefund[];
  createdMs: number;
}

/** Faults planned for the next requests of a kind, for scenes without a storm. */
function createPlan() {
  const planned = new Map<string, Landing[]>();
  return {
    breakNext(kind: string, mode: Landing, times = 1): void {
      planned.set(
        kind,
        Array.from({ length: times }, () => mode),
      );
    },
    /** The modes a request lands in: the planned one first, so that it is what happens. */
    next: (label: string): Landing | undefined => planned.get(label.split(' ', 1)[0] ?? '')?.shift(),
  };
}

function createMeanwhile() {
  const planned = new Map<string, () => void>();
  return {
    /** What happens while the next request of this kind is on its way. */
    during: (kind: string, happens: () => void) => void planned.set(kind, happens),
    next(label: string): void {
      const kind = label.split(' ', 1)[0] ?? '';
      planned.get(kind)?.();
      planned.delete(kind);
    },
  };
}

type Result<T> = { value: T } | { error: Error };

const DAY = 24 * 3_600_000;
const SEARCH_LAG_MS = 60_000;

const unknown = (what: string) => new TechnicalFailure('OutcomeUnknown', `${what}: no answer`);
const away = (what: string) => new TechnicalFailure('ProviderUnavailable', `${what}: 429`);
const spent = (what: string) =>
  Object.assign(new TechnicalFailure('OutcomeUnknown', `${what}: 500`), { keySpent: true as const });

/** Stripe as far as money is concerned: intents, and idempotency keys that keep answers, errors 500 included, for 24 h. */
export function createStripeModel(world: Interleaving, fateOf: (paymentMethodId: string) => CardFate) {
  const intents = new Map<string, Intent>();
  const disputes = new Map<string, ProviderDispute>();
  const keys = new Map<string, { request: string; result: Result<unknown>; atMs: number }>();

  /** A kept answer is given as it was and says so, as Stripe's header does. */
  function keyed<T extends object>(
    key: string,
    request: string,
    mode: Landing,
    run: () => Result<T>,
  ): Result<T> {
    const stored = keys.get(key);
    if (stored && world.nowMs() - stored.atMs < DAY) {
      const result = stored.result as Result<T>;
      if (stored.request === request) {
        if (!('value' in result)) return result;
        /* Of a refusal that is replayed the gateway says that its key is spent. */
        if ('code' in result.value) return { error: spent(request) };
        return { value: { ...result.value, replayed: true } };
      }
      return { error: new Error(`Key ${key} was used for ${stored.request}, now for ${request}`) };
    }
    const result =
      mode === 'spent'
        ? { error: spent(request) }
        : mode === 'spent-with-effect'
          ? (run(), { error: spent(request) })
          : run();
    keys.set(key, { request, result, atMs: world.nowMs() });
    return result;
  }

  const found = (intentId: string): Intent => {
    const intent = intents.get(intentId);
    if (!intent) throw new Error(`No such intent ${intentId}`);
    return intent;
  };

  const answerOf = ({ intentId, status, amount, orderId }: Intent): PaymentAnswer => {
    switch (status) {
      case 'charged':
        return { status, intentId, amount, orderId };
      case 'declined':
        return { status, intentId, reason: 'Your card was declined.' };
      case 'action_required':
        return { status, intentId, nextAction: { type: 'use_stripe_sdk' } };
      case 'processing':
        return { status: 'action_required', intentId, nextAction: { type: 'processing' } };
      case 'unconfirmed':
      case 'canceled':
        return { status, intentId };
    }
  };

  const leftOf = ({ amount, refunds }: Intent): number =>
    refunds
      .filter(({ status }) => status !== 'failed')
      .reduce((left, refund) => left - refund.amount.amountMinor, amount.amountMinor);

  const isDisputed = ({ intentId }: Intent): boolean =>
    [...disputes.values()].some(
      (one) => one.intentId === intentId && (one.state === 'open' || one.state === 'lost'),
    );

  const confirmed = {
    succeeds: 'charged',
    declines: 'declined',
    'needs the customer': 'action_required',
    processes: 'processing',
  } as const;

  const sent: string[] = [];
  const plan = createPlan();
  const meanwhile = createMeanwhile();
  let listTakesMs = 0;
  const KEYED: readonly Landing[] = ['reply-lost', 'dropped', 'refused', 'spent', 'spent-with-effect'];
  const READ: readonly Landing[] = ['reply-lost', 'dropped', 'refused'];

  const gatewayFor = (actor: Actor): PaymentGateway => {
    const send = <T>(
      label: string,
      timeoutMs: number,
      modes: readonly Landing[],
      effect: (mode: Landing) => Result<T>,
    ) => {
      sent.push(label);
      meanwhile.next(label);
      return world.request(actor, {
        label,
        lands: plan.next(label),
        timeoutMs,
        modes,
        effect,
        landsLaterMs: Number.POSITIVE_INFINITY,
        lost: () => unknown(label),
        refused: () => away(label),
      });
    };
    return {
      create: ({ idempotencyKey, operationKey, orderId, amount, paymentMethodId, timeoutMs }) =>
        send<CreateAnswer>(`create ${idempotencyKey}`, timeoutMs, KEYED, (mode) =>
          keyed(
            idempotencyKey,
            `create ${operationKey} ${paymentMethodId} ${amount.amountMinor}`,
            mode,
            () => {
              const intentId = `pi_${intents.size + 1}`;
              const fate = fateOf(paymentMethodId);
              const createdMs = world.nowMs();
              intents.set(intentId, {
                intentId,
                orderId,
                operationKey,
                amount,
                fate,
                status: 'unconfirmed',
                refunds: [],
                createdMs,
              });
              return { value: { status: 'created', intentId } };
            },
          ),
        ),
      confirm: ({ idempotencyKey, intentId, timeoutMs }) =>
        send(`confirm ${idempotencyKey}`, timeoutMs, KEYED, (mode) =>
          keyed(idempotencyKey, `confirm ${intentId}`, mode, () => {
            const intent = found(intentId);
            if (intent.status === 'unconfirmed') intent.status = confirmed[intent.fate];
            return { value: answerOf(intent) };
          }),
        ),
      retrieve: ({ intentId, timeoutMs }) =>
        send(`retrieve ${intentId}`, timeoutMs, READ, () => ({ value: answerOf(found(intentId)) })),
      findByOperation: ({ operationKey, timeoutMs }) =>
        send(`find ${operationKey}`, timeoutMs, READ, () => ({
          value: [...intents.values()]
            .filter(
              (one) => one.operationKey === operationKey && world.nowMs() - one.createdMs > SEARCH_LAG_MS,
            )
            .map(answerOf),
        })),
      listIntents: ({ orderId, afterId, timeoutMs }) =>
        send(`list intents${afterId ? ` after ${afterId}` : ''}`, timeoutMs, READ, () => {
          world.pass(listTakesMs);
          const all = [...intents.values()].toReversed();
          const from = afterId ? all.findIndex(({ intentId }) => intentId === afterId) + 1 : 0;
          const page = all.slice(from, from + 2);
          const last = page.at(-1)?.intentId;
          const listed = page
            .filter((one) => one.orderId === orderId)
            .map((one) => ({
              ...answerOf(one),
              ...(one.operationKey ? { operationKey: one.operationKey } : {}),
            }));
          return { value: { intents: listed, ...(last && all.length > from + 2 ? { afterId: last } : {}) } };
        }),
      cancel: ({ idempotencyKey, intentId, timeoutMs }) =>
        send(`cancel ${idempotencyKey}`, timeoutMs, KEYED, (mode) =>
          keyed(idempotencyKey, `cancel ${intentId}`, mode, () => {
            const intent = found(intentId);
            if (intent.status !== 'charged' && intent.status !== 'processing') intent.status = 'canceled';
            return { value: answerOf(intent) };
          }),
        ),
      refund: ({ idempotencyKey, operationKey, orderId, intentId, amount, timeoutMs }) =>
        send<RefundRequested>(`refund ${idempotencyKey}`, timeoutMs, KEYED, (mode) =>
          keyed<RefundRequested>(idempotencyKey, `refund ${amount.amountMinor} of ${intentId}`, mode, () => {
            const intent = found(intentId);
            if (intent.status !== 'charged')
              return { error: new Error(`${intentId} is ${intent.status}: no refund`) };
            if (isDisputed(intent)) {
              return { value: { status: 'refused', code: 'disputed', reason: 'The charge is disputed.' } };
            }
            if (amount.amountMinor > leftOf(intent)) {
              return { value: { status: 'refused', code: 'amount_too_large', reason: 'more than is left' } };
            }
            const refund: ProviderRefund = {
              refundId: `re_${intent.refunds.length + 1}_${intentId}`,
              intentId,
              orderId,
              operationKey,
              amount,
              status: 'succeeded',
              createdAtUtc: new Date(world.nowMs()).toISOString(),
            };
            intent.refunds.unshift(refund);
            return { value: { status: 'taken', refund } };
          }),
        ),
      refunds: ({ intentId, timeoutMs }) =>
        send(`refunds ${intentId}`, timeoutMs, READ, () => ({ value: [...found(intentId).refunds] })),
      findRefund: ({ refundId, timeoutMs }) =>
        send(`find refund ${refundId}`, timeoutMs, READ, () => {
          const all = [...intents.values()].flatMap(({ refunds }) => refunds);
          const refund = all.find((one) => one.refundId === refundId);
          return refund ? { value: { ...refund } } : { error: new Error(`No such refund ${refundId}`) };
        }),
      disputes: ({ intentId, timeoutMs }) =>
        send(`disputes ${intentId}`, timeoutMs, READ, () => ({
          value: [...disputes.values()].filter((one) => one.intentId === intentId),
        })),
      findDispute: ({ disputeId, timeoutMs }) =>
        send(`find dispute ${disputeId}`, timeoutMs, READ, () => {
          const dispute = disputes.get(disputeId);
          return dispute ? { value: { ...dispute } } : { error: new Error(`No such dispute ${disputeId}`) };
        }),
      payable: () => ({ ok: true }),
      verifyWebhook: () => undefined,
    };
  };

  return {
    intents,
    /** Every request that left, with its idempotency key or intent. */
    sent,
    breakNext: plan.breakNext,
    during: meanwhile.during,
    gatewayFor,
    charged: () => [...intents.values()].filter(({ status }) => status === 'charged'),
    kept: () => [...intents.values()].filter((intent) => intent.status === 'charged' && leftOf(intent) > 0),
    /** A person charges the order at the provider's own desk. */
    chargeByHand(
      orderId: OrderId,
      amount: Money,
      intentId = 'pi_by_hand',
      status: Intent['status'] = 'charged',
    ): string {
      const createdMs = world.nowMs();
      const facts = { operationKey: '', fate: 'succeeds' as const, refunds: [], createdMs };
      intents.set(intentId, { intentId, orderId, amount, status, ...facts });
      return intentId;
    },
    /** Every page of a list takes so long. */
    slowLists(ms: number): void {
      listTakesMs = ms;
    },
    /** The customer's bank asks about a charge, or takes back what is left of it. */
    dispute(intentId: string, state: 'inquiry' | 'open'): string {
      const intent = found(intentId);
      const disputeId = `dp_${disputes.size + 1}_${intentId}`;
      disputes.set(disputeId, {
        disputeId,
        intentId,
        orderId: intent.orderId,
        state,
        amount: { ...intent.amount, amountMinor: leftOf(intent) },
        reason: 'product_not_received',
        createdAtUtc: new Date(world.nowMs()).toISOString(),
      });
      return disputeId;
    },
    decide(disputeId: string, state: ProviderDispute['state']): void {
      const dispute = disputes.get(disputeId);
      if (dispute) disputes.set(disputeId, { ...dispute, state });
    },
    /** The customer's bank sends a refund back. */
    failRefund(refundId: string): void {
      for (const intent of intents.values())
        intent.refunds = intent.refunds.map((refund) =>
          refund.refundId === refundId
            ? { ...refund, status: 'failed', failure: 'The account is closed.' }
            : refund,
        );
    },
    /** The customer authenticates every payment that waits for it. */
    authenticate() {
      for (const intent of intents.values())
        if (intent.status === 'action_required') intent.status = 'charged';
    },
    /** The customer pays with another card in a tab that is still open: whatever is not settled is confirmed again. */
    payInAnotherTab() {
      for (const intent of intents.values())
        if (intent.status === 'action_required' || intent.status === 'declined') intent.status = 'charged';
    },
    /** A person gives a charge back at the provider's own desk. */
    refundByHand(intentId: string, part?: number): void {
      const intent = found(intentId);
      const createdAtUtc = new Date(world.nowMs()).toISOString();
      const amount = { ...intent.amount, amountMinor: part ?? intent.amount.amountMinor };
      const facts = { intentId, orderId: intent.orderId, amount, createdAtUtc };
      intent.refunds.unshift({ ...facts, refundId: `re_by_hand_${intentId}`, status: 'succeeded' });
    },
    /** Every payment that was being processed has come to its end. */
    settleProcessing(as: 'charged' | 'declined') {
      for (const intent of intents.values()) if (intent.status === 'processing') intent.status = as;
    },
  };
}

type Created = Awaited<ReturnType<Carrier['createShipment']>>;

/** As the store's fixtures have it. */
export const orderAddress = {
  name: 'A. Customer',
  street1: '1 Main Road',
  city: 'Pune',
  postalCode: '411001',
  country: 'IN',
};

interface Shipment {
  shipmentId: string;
  reference: string;
  bought: boolean;
  refund: 'none' | 'submitted';
  recipient?: Recipient;
  /** The city decides: `Unrated` has no rates and `Stale` none that can be bought until they are asked for again. */
  rates: 'none' | 'gone' | 'there';
  ratedAtUtc: string;
}

/** EasyPost: no idempotency at all; a second buy of the same shipment is refused. */
export function createCarrierModel(world: Interleaving, landsLaterMs: number) {
  const shipments = new Map<string, Shipment>();
  const sent: string[] = [];
  const plan = createPlan();
  const meanwhile = createMeanwhile();
  let listTakesMs = 0;
  const found = (shipmentId: string): Shipment => {
    const shipment = shipments.get(shipmentId);
    if (!shipment) throw new Error(`No such shipment ${shipmentId}`);
    return shipment;
  };
  const label = (shipmentId: string): Label => ({
    carrier: 'USPS',
    service: 'Ground',
    trackingCode: `track-${shipmentId}`,
    labelUrl: `https://labels.example/${shipmentId}`,
    cost: { amount: '5.00', currency: 'USD' },
  });
  const ratesOf = ({ ratedAtUtc: offeredAtUtc }: Pick<Shipment, 'ratedAtUtc'>): Rate[] => [
    { rateId: 'rate_1', carrier: 'USPS', service: 'Ground', amount: '5.00', currency: 'USD', offeredAtUtc },
    { rateId: 'rate_2', carrier: 'USPS', service: 'Express', amount: '9.00', currency: 'USD', offeredAtUtc },
  ];

  const carrierFor = (actor: Actor): Carrier => {
    const send = <T>(what: string, timeoutMs: number, effect: () => T) => {
      sent.push(what);
      meanwhile.next(what);
      return world.request<T>(actor, {
        label: what,
        lands: plan.next(what),
        timeoutMs,
        landsLaterMs,
        modes: ['reply-lost', 'dropped', 'refused'],
        effect: () => ({ value: effect() }),
        lost: () => unknown(what),
        refused: () => away(what),
      });
    };
    return {
      verifyAddress: () => Promise.resolve({ deliverable: true }),
      createShipment: ({ reference, address, timeoutMs }) =>
        send<Created>('create shipment', timeoutMs, () => {
          if (address.city === 'Nowhere') return { status: 'undeliverable', reason: 'No such city.' };
          const shipmentId = `shp_${shipments.size + 1}`;
          const offered = ({ Unrated: 'none', Stale: 'gone' } as const)[address.city ?? ''] ?? 'there';
          const ratedAtUtc = world.clock.nowUtc();
          const created = { reference, bought: false, refund: 'none', rates: offered, ratedAtUtc } as const;
          shipments.set(shipmentId, { shipmentId, ...created });
          return { status: 'created', shipmentId, rates: offered === 'none' ? [] : ratesOf(created) };
        }),
      rerate: ({ shipmentId, timeoutMs }) =>
        send<Offers>(`rerate ${shipmentId}`, timeoutMs, () => {
          const shipment = found(shipmentId);
          Object.assign(shipment, { rates: 'there', ratedAtUtc: world.clock.nowUtc() });
          return { rates: ratesOf(shipment) };
        }),
      buy: ({ shipmentId, timeoutMs }) =>
        send<BuyAnswer>(`buy ${shipmentId}`, timeoutMs, () => {
          const shipment = found(shipmentId);
          if (shipment.bought) return { status: 'already_bought' };
          if (shipment.rates !== 'there') return { status: 'rate_gone', reason: 'The rate is not valid.' };
          shipment.bought = true;
          return { status: 'bought', label: label(shipmentId) };
        }),
      retrieve: ({ shipmentId, timeoutMs }) =>
        send<ShipmentAnswer>(`retrieve ${shipmentId}`, timeoutMs, () => {
          const shipment = found(shipmentId);
          const { bought, refund, reference, recipient, rates: offered } = shipment;
          return bought
            ? {
                status: 'bought',
                label: label(shipmentId),
                refund,
                reference,
                ...(recipient ? { recipient } : {}),
              }
            : { status: 'unbought', rates: offered === 'none' ? [] : ratesOf(shipment) };
        }),
      listLabels: ({ referencePrefix, beforeId, timeoutMs }) =>
        send(`list labels${beforeId ? ` before ${beforeId}` : ''}`, timeoutMs, () => {
          world.pass(listTakesMs);
          const listed = [...shipments.values()].filter((shipment) => shipment.bought).toReversed();
          const from = beforeId ? listed.findIndex(({ shipmentId }) => shipmentId === beforeId) + 1 : 0;
          const page = listed.slice(from, from + 2);
          const last = page.at(-1)?.shipmentId;
          const labels = page
            .filter(({ reference }) => reference.startsWith(referencePrefix))
            .map(({ shipmentId, refund, reference, recipient = {} }) => ({
              shipmentId,
              label: label(shipmentId),
              refund,
              reference,
              recipient,
            }));
          return { labels, ...(last && listed.length > from + 2 ? { beforeId: last } : {}) };
        }),
      refundLabel: ({ shipmentId, timeoutMs }) =>
        send(`refund ${shipmentId}`, timeoutMs, () => {
          const shipment = found(shipmentId);
          if (!shipment.bought) return { status: 'nothing_to_refund' as const };
          shipment.refund = 'submitted';
          return { status: 'submitted' as const };
        }),
    };
  };
  const bought = () => [...shipments.values()].filter((shipment) => shipment.bought);
  return {
    shipments,
    /** A person buys a label at the carrier's own desk. */
    buyByHand(reference: string, recipient: Recipient = orderAddress, shipmentId = 'shp_by_hand'): string {
      shipments.set(shipmentId, {
        shipmentId,
        reference,
        recipient,
        bought: true,
        refund: 'none',
        rates: 'there',
        ratedAtUtc: world.clock.nowUtc(),
      });
      return shipmentId;
    },
    sent,
    breakNext: plan.breakNext,
    during: meanwhile.during,
    /** Every page of a list takes so long. */
    slowLists(ms: number): void {
      listTakesMs = ms;
    },
    carrierFor,
    bought,
    kept: () => bought().filter(({ refund }) => refund === 'none'),
  };
}
