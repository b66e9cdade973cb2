import type { DemoClient, DemoOrder, DemoProduct } from './demo-client.ts';

/** One order of the demo: what it shows, what is ordered, and what happens to it on the way. */
export interface Scenario {
  title: string;
  productId: string;
  quantity: number;
  paymentMethodId: string;
  street1: string;
  /** Before the checkout: returns the ids of the faults it put in force. */
  prepare?(client: DemoClient): Promise<string[]>;
  /** Right after the checkout. */
  placed?(client: DemoClient, orderId: string): Promise<string[]>;
  /** A person's act on the way, done once when it is due. */
  act?: {
    due(order: DemoOrder): boolean;
    run(client: DemoClient, orderId: string): Promise<void>;
  };
}

/** How long the carrier is down for one order, in milliseconds. */
const OUTAGE_MS = 10_000;
/** The payment of the order that is cancelled takes so long, as a slow provider's would: time to change one's mind. */
const SLOW_PAYMENT_MS = 3_000;
/** Time to put the carrier's outage in force between an order's checkout and its label. */
const HEAD_START_MS = 1_000;

/**
 * The orders of the demo for the given catalog. Faults are bound to one order, or to a card brand that only this order
 * uses, so that other orders do not notice. Without a sold-out product nothing is out of stock, and that order is left out.
 */
export function scenarios(products: readonly DemoProduct[]): Scenario[] {
  const inStock = products.filter(({ available }) => available > 0);
  const soldOut = products.find(({ available }) => available === 0);
  if (inStock.length === 0) {
    throw new Error(
      'The catalog has no product in stock, so there is nothing to order: npm run reset, then npm start.',
    );
  }
  const order = (index: number) => ({
    productId: (inStock[index % inStock.length] as DemoProduct).productId,
    quantity: 1 + (index % 2),
    paymentMethodId: 'pm_card_visa',
    street1: '12 MG Road',
  });
  return [
    { ...order(0), title: 'paid and shipped' },
    { ...order(1), title: 'card declined', paymentMethodId: 'pm_card_chargeDeclined' },
    { ...order(2), title: 'customer must authenticate', paymentMethodId: 'pm_card_authenticationRequired' },
    ...(soldOut ? [{ ...order(0), title: 'out of stock', productId: soldOut.productId }] : []),
    { ...order(3), title: `carrier down for ${OUTAGE_MS / 1_000} s`, ...carrierDown },
    { ...order(4), title: 'address refused', street1: '1 UNDELIVERABLE Lane' },
    { ...order(0), title: 'cancelled while paying', ...cancelled },
  ];
}

const slowPayment = (id: string, paymentMethod: string, ms: number) => async (client: DemoClient) => {
  await client.addFault({
    id,
    provider: 'stripe',
    operation: 'payment_intents.create',
    kind: 'latency',
    ms,
    times: 1,
    forMs: 30_000,
    match: { paymentMethod },
  });
  return [id];
};

const carrierDown = {
  paymentMethodId: 'pm_card_mastercard',
  prepare: slowPayment('demo-head-start', 'pm_card_mastercard', HEAD_START_MS),
  placed: async (client: DemoClient, orderId: string) => {
    const id = 'demo-carrier-down';
    await client.addFault({ id, provider: 'easypost', kind: 'outage', forMs: OUTAGE_MS, match: { orderId } });
    return [id];
  },
} satisfies Partial<Scenario>;

const cancelled = {
  paymentMethodId: 'pm_card_amex',
  prepare: slowPayment('demo-slow-payment', 'pm_card_amex', SLOW_PAYMENT_MS),
  act: {
    due: ({ step, sagaState }: DemoOrder) => step === 'payment' && sagaState === 'running',
    run: (client: DemoClient, orderId: string) => client.cancel(orderId, 'The customer changed their mind'),
  },
} satisfies Partial<Scenario>;
