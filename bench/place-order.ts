import { Agent, request } from 'node:http';

/** How a checkout was answered. */
export interface CheckoutAnswer {
  status: number;
  /** Empty unless the checkout was taken. */
  orderId: string;
}

const products = ['keyboard-mx', 'mouse-pro', 'monitor-27', 'usb-c-hub', 'desk-mat'];
const TIMEOUT_MS = 30_000;

/** Posts checkouts over kept-alive connections. Cheap on purpose: it shares the machine with what it measures. */
export function createCheckouts(api: string, { paymentMethodId = 'pm_card_visa' } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const url = new URL('/checkout', api);
  let count = 0;

  function place(idempotencyKey: string): Promise<CheckoutAnswer> {
    const body = JSON.stringify(checkoutBody((count += 1), paymentMethodId));
    const { promise, resolve, reject } = Promise.withResolvers<CheckoutAnswer>();
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': idempotencyKey,
    };
    const sent = request(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const answer =
          status === 202 ? (JSON.parse(Buffer.concat(chunks).toString()) as { orderId: string }) : undefined;
        resolve({ status, orderId: answer?.orderId ?? '' });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`POST /checkout: no answer within ${TIMEOUT_MS} ms`)));
    sent.on('error', reject);
    sent.end(body);
    return promise;
  }

  return {
    place,
    /** Places an order that must be taken; rejects otherwise. */
    async placed(idempotencyKey: string): Promise<string> {
      const { status, orderId } = await place(idempotencyKey);
      if (status !== 202)
        throw new Error(`POST /checkout answered ${status}, expected 202 (key ${idempotencyKey})`);
      return orderId;
    },
    close: () => agent.destroy(),
  };
}

const checkoutBody = (count: number, paymentMethodId: string) => ({
  customerId: `customer-${count % 1_000}`,
  customerEmail: `customer-${count % 1_000}@customers.example`,
  items: [
    { productId: products[count % products.length], quantity: 1 },
    { productId: products[(count + 1) % products.length], quantity: 1 },
  ],
  paymentMethodId,
  shippingAddress: {
    name: 'Asha Rao',
    street1: '12 MG Road',
    city: 'Bengaluru',
    state: 'KA',
    postalCode: '560001',
    country: 'IN',
  },
});
