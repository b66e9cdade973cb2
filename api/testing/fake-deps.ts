import type { BulkAct, BulkProgress } from '../../domain/dead-letters.ts';
import { taskQueues, type OrderId } from '../../domain/ids.ts';
import { defaultPolicy } from '../../domain/policy.ts';
import type { OrderStatus, OrderView } from '../../domain/order.ts';
import type { PaymentSubject, RefundAnswer, RequestRefund } from '../../domain/refunds.ts';
import { changedStock, type StockChange } from '../../domain/stock.ts';
import type { Store, StoreReads, StoreTransaction } from '../../ports/store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { ApiSettings, AppDeps } from '../app-deps.ts';
import type { createApp } from '../app.ts';
import type { BulkOrderAct, BulkOrderProgress } from '../../domain/order-acts.ts';
import type {
  OrderSummary,
  OrderWorkflows,
  StartOrder,
  UpdateAnswer,
  RestartableRuns,
  RefundWorkflows,
  DeadLetterWorkflows,
  OrderActWorkflows,
} from '../../ports/temporal.ts';
import { fakeWebhooks } from './fake-webhooks.ts';
import type { Product, ProductFacts } from '../../ports/store/goods.ts';

export const shopKey = 'shop-key-0123456789';
export const otherShopKey = 'other-key-0123456789';
export const operatorKey = 'operator-key-0123456789';

const callers = [
  { key: shopKey, callerId: 'shop-a', role: 'shop' as const },
  { key: otherShopKey, callerId: 'shop-b', role: 'shop' as const },
  { key: operatorKey, callerId: 'help-desk', role: 'operator' as const },
];

export const someOrder = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11' as OrderId;

export const checkoutBody = () => ({
  customerId: 'customer-42',
  customerEmail: 'asha@example.com',
  items: [{ productId: 'keyboard', quantity: 2 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: {
    name: 'Asha Rao',
    street1: '12 MG Road',
    city: 'Bengaluru',
    postalCode: '560001',
    country: 'IN',
  },
});

export const viewOf = (changes: Partial<OrderView> = {}): OrderView => ({
  orderId: someOrder,
  callerId: 'shop-a',
  customerId: 'customer-42' as OrderView['customerId'],
  status: 'payment_processed',
  sagaState: 'running',
  step: 'fulfillment',
  items: [{ productId: 'keyboard' as OrderView['items'][number]['productId'], quantity: 2 }],
  total: { amountMinor: 149900, currency: 'INR' },
  updatedAtUtc: '2026-01-02T03:04:05.678Z',
  ...changes,
});

export const summaryOf = (changes: Partial<OrderSummary> = {}): OrderSummary => ({
  orderId: someOrder,
  memo: { fingerprint: 'f', callerId: 'shop-a', customerId: 'customer-42', summary: '1 line, 2 units, INR' },
  status: 'received',
  sagaState: 'running',
  running: true,
  startedAtUtc: '2026-01-02T03:04:05.000Z',
  ...changes,
});

/** Orders kept in a Map: starts are refused the second time as Temporal refuses them. */
export function fakeWorkflows(changes: Partial<OrderWorkflows> = {}) {
  const started = new Map<OrderId, StartOrder>();
  const acts: { id: OrderId; name: string; act: unknown }[] = [];
  const notices: { id: OrderId; eventId: string }[] = [];
  const workflows: OrderWorkflows = {
    async start(order) {
      const id = order.input.checkout.orderId;
      if (started.has(id)) return 'exists';
      started.set(id, order);
      return 'started';
    },
    query: async () => undefined,
    async describe(id) {
      const order = started.get(id);
      return order && summaryOf({ orderId: id, memo: order.memo });
    },
    async update(id, definition, act): Promise<UpdateAnswer> {
      acts.push({ id, name: definition.name, act });
      return { status: 'accepted', view: viewOf({ orderId: id }) };
    },
    retrying: async () => undefined,
    act: async () => undefined,
    refusal: async () => null,
    async notifyPayment(id, eventId) {
      notices.push({ id, eventId });
      return true;
    },
    list: async () => ({ orders: [], nextPageToken: undefined }),
    count: async () => 0,
    ping: async () => {},
    ...changes,
  };
  return { workflows, started, acts, notices };
}

/** Refunds kept in a Map; they are taken, and end at once with `answer` or not at all. */
export function fakeRefunds(answer?: (refund: RequestRefund) => RefundAnswer | undefined) {
  const started = new Map<string, RequestRefund>();
  const notices: PaymentSubject[] = [];
  const workflows: RefundWorkflows = {
    async start(refund) {
      const before = started.get(refund.refundId);
      if (before) return { status: 'exists', fingerprint: before.fingerprint };
      started.set(refund.refundId, refund);
      return { status: 'started' };
    },
    async end({ refundId }) {
      const refund = started.get(refundId);
      return refund && answer?.(refund);
    },
    follow: async ({ subject }) => void notices.push(subject),
  };
  return { workflows, started, notices };
}

/** Acts on dead letters that end at once. */
export function fakeDeadLetterWorkflows() {
  const started = new Map<string, BulkAct>();
  const fingerprints = new Map<string, string>();
  const cancelled: string[] = [];
  const progressOf = ({ replayId, act }: BulkAct): BulkProgress => ({
    replayId,
    act,
    status: 'completed',
    settled: 1,
    left: 0,
    toGo: 0,
    startedAtUtc: '2026-01-02T03:04:05.678Z',
    updatedAtUtc: '2026-01-02T03:04:05.678Z',
  });
  const find = (replayId: string) => {
    const bulk = started.get(replayId);
    return bulk && progressOf(bulk);
  };
  const workflows: DeadLetterWorkflows = {
    async start(bulk, fingerprint) {
      const before = fingerprints.get(bulk.replayId);
      if (before !== undefined) return before === fingerprint ? 'repeated' : 'conflict';
      fingerprints.set(bulk.replayId, fingerprint);
      started.set(bulk.replayId, bulk);
      return 'started';
    },
    progress: async (replayId) => find(replayId),
    end: async (replayId) => find(replayId),
    async cancel(replayId) {
      cancelled.push(replayId);
      return started.has(replayId);
    },
  };
  return { workflows, started, cancelled };
}

/** Acts on many orders that end at once. */
export function fakeOrderActs() {
  const started = new Map<string, { bulk: BulkOrderAct; fingerprint: string }>();
  const cancelled: string[] = [];
  const progressOf = ({ actId, act }: BulkOrderAct): BulkOrderProgress => ({
    actId,
    act: act.kind,
    status: 'completed',
    accepted: 2,
    refused: 1,
    gone: 0,
    unanswered: 0,
    refusals: [{ orderId: someOrder, reason: 'The order is not parked.' }],
    startedAtUtc: '2026-01-02T03:04:05.678Z',
    updatedAtUtc: '2026-01-02T03:04:05.678Z',
  });
  const workflows: OrderActWorkflows = {
    async start(bulk, fingerprint) {
      const before = started.get(bulk.actId);
      if (before) return before.fingerprint === fingerprint ? 'repeated' : 'conflict';
      started.set(bulk.actId, { bulk, fingerprint });
      return 'started';
    },
    async progress(actId) {
      const act = started.get(actId);
      return act && progressOf(act.bulk);
    },
    async cancel(actId) {
      cancelled.push(actId);
      return started.has(actId);
    },
  };
  return { workflows, started, cancelled };
}

const fakeReads = (changes: Partial<StoreReads> = {}): StoreReads => ({
  order: async () => undefined,
  placed: async () => undefined,
  audit: async () => [],
  auditHead: async () => undefined,
  events: async () => [],
  products: async () => [],
  acts: async () => [],
  cases: async () => [],
  unrecordedOrders: async () => [],
  retries: async () => [],
  retriesOf: async () => [],
  providers: async () => ({ switches: [], circuits: [] }),
  ledger: async () => [],
  money: async () => undefined,
  debts: { list: async () => [], undecided: async () => [] },
  customers: { orders: async () => [] },
  deadLetters: {
    groups: async () => [],
    page: async () => [],
    find: async () => undefined,
    known: async () => [],
    leaving: async () => [],
    count: async () => 0,
    countReplay: async () => ({ open: 0, replaying: 0, settled: 0 }),
  },
  webhooks: fakeWebhooks().reads,
  ...changes,
});

/** A store of products alone, with transactions that keep nothing back. */
export function fakeStore(changes: { reads?: Partial<StoreReads>; products?: Product[] } = {}) {
  const products = new Map((changes.products ?? []).map((product) => [product.productId, product]));
  const audit: unknown[] = [];
  const marks = new Set<string>();
  const tx = {
    inventory: {
      products: async (ids: readonly Product['productId'][]) =>
        ids.flatMap((id) => {
          const product = products.get(id);
          return product ? [product] : [];
        }),
      putProduct: async (put: Omit<Product, 'available'> & { onHand?: number }) => {
        const { onHand, ...rest } = put;
        const reserved = reservedOf(put.productId);
        const available =
          onHand === undefined ? (products.get(put.productId)?.available ?? 0) : onHand - reserved;
        products.set(put.productId, { ...products.get(put.productId), ...rest, available });
      },
      describeProduct: async ({
        productId,
        ...facts
      }: { productId: Product['productId'] } & ProductFacts) => {
        const product = products.get(productId);
        if (!product) return;
        const { name, price, available } = product;
        products.set(productId, { productId, name, price, available, ...facts });
      },
      adjust: async ({ productId, ...change }: { productId: Product['productId'] } & StockChange) => {
        const product = products.get(productId);
        if (!product) return undefined;
        const held = reservedOf(productId);
        const adjustment = changedStock({ onHand: product.available + held, reserved: held }, change);
        if (!adjustment.refusal) products.set(productId, { ...product, available: adjustment.to - held });
        return adjustment;
      },
    },
    audit: { append: async (entry: unknown) => void audit.push(entry) },
    processedEvents: {
      mark: async ({ eventId }: { eventId: string }) => marks.size < marks.add(eventId).size,
    },
  } as unknown as StoreTransaction;
  const reserved = new Map<string, number>();
  const reservedOf = (id: string) => reserved.get(id) ?? 0;
  const store: Pick<Store, 'read' | 'transaction' | 'ping'> = {
    read: fakeReads({ products: async () => [...products.values()], ...changes.reads }),
    transaction: (work) => work(tx),
    ping: async () => {},
  };
  return { store, products, reserved, audit };
}

export const settings = (changes: Partial<ApiSettings> = {}): ApiSettings => ({
  callers,
  customerHashKey: 'a-key-for-tests-only',
  defaultCurrency: 'INR',
  shipFrom: {
    name: 'Warehouse',
    street1: '8 Road',
    city: 'Bengaluru',
    state: 'KA',
    postalCode: '560025',
    country: 'IN',
  },
  shippingFees: {},
  policy: defaultPolicy,
  taskQueues: taskQueues('unit'),
  maxEventStreams: 3,
  ...changes,
});

/** A run that Temporal has closed, unless it is running; another one is started once. */
export function fakeRuns({
  closedAs = 'TERMINATED',
  running = false,
  orderStatus,
}: { closedAs?: string; running?: boolean; orderStatus?: OrderStatus } = {}) {
  const started: StartOrder[] = [];
  const runs: RestartableRuns = {
    last: async () => ({
      runId: 'run-1',
      ...(orderStatus && { orderStatus }),
      ...(running || started.length > 0 ? {} : { closedAs }),
    }),
    acts: async () => [],
    effects: async () => ({ charged: false, labelBought: false }),
    input: async () => undefined,
    async startAgain(order) {
      if (started.length > 0) return 'running';
      started.push(order);
      return 'started';
    },
  };
  return { runs, started };
}

export function fakeDeps(changes: Partial<AppDeps> = {}): AppDeps {
  return {
    workflows: fakeWorkflows().workflows,
    orderActs: fakeOrderActs().workflows,
    bulkRuns: { lost: async () => [], find: async () => undefined, startAgain: async () => 'forgotten' },
    runs: fakeRuns().runs,
    refunds: fakeRefunds().workflows,
    store: fakeStore().store,
    payments: {
      payable: ({ amountMinor }) =>
        amountMinor >= 50 && amountMinor <= 99_999_999
          ? { ok: true }
          : { ok: false, reason: 'outside the limits' },
      verifyWebhook: () => undefined,
    },
    webhooks: fakeWebhooks().parts,
    deadLetters: { workflows: fakeDeadLetterWorkflows().workflows, editRefusal: () => undefined },
    seen: { seen: async () => 'new', remember: async () => {} },
    clock: { nowUtc: () => '2026-01-02T03:04:05.678Z' },
    settings: settings(),
    logger: createLogger({ process: 'test', level: 'silent' }),
    metrics: createMetrics(),
    draining: new AbortController().signal,
    ...changes,
  };
}

/** Sends one request as a caller; objects become JSON bodies. */
export function send(
  app: ReturnType<typeof createApp>,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string>; key?: string | null } = {},
): Promise<Response> {
  const { body, headers = {}, key = shopKey } = options;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return Promise.resolve(
    app.request(path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    }),
  );
}

export const checkout = (
  app: ReturnType<typeof createApp>,
  body: unknown = checkoutBody(),
  headers: Record<string, string> = {},
  key: string = shopKey,
): Promise<Response> =>
  send(app, 'POST', '/checkout', { body, headers: { 'idempotency-key': 'k-1', ...headers }, key });
