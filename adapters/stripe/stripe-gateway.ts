import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import Stripe from 'stripe';
import type { TechnicalFailure } from '../../domain/failures.ts';
import type { OrderId } from '../../domain/ids.ts';
import type {
  CreateAnswer,
  ListedIntent,
  PaymentAnswer,
  PaymentGateway,
  ProviderRefund,
  RefundRequested,
} from '../../ports/payment-gateway.ts';
import { unusableNotice } from '../../ports/payment-gateway.ts';
import { stripePayable, toStripeAmount } from './stripe-amounts.ts';
import { expectObject, orderIdIn, paymentAnswer, paymentNotice } from './stripe-answers.ts';
import { providerDispute, providerRefund } from './stripe-refunds.ts';
import { intentInError, isReplay, paymentRefusal, refundRefusal, stripeFailure } from './stripe-errors.ts';
import { createStripeHttpClient } from './stripe-http-client.ts';

/** One finished request: `result` is `ok`, `refused` or the technical failure's type. */
export interface RequestFacts {
  operation: string;
  result: string;
  seconds: number;
}

export interface StripeGatewayConfig {
  secretKey: string;
  /** `http://host:port` of something that speaks Stripe's API; Stripe itself by default. */
  apiBase?: string | undefined;
  /** Signs webhooks, `whsec_…`. */
  webhookSecret: string;
  onRequest?: ((facts: RequestFacts) => void) | undefined;
}

/** A request and how its errors that are answers are recognized. */
interface Call<Raw, Answer> {
  operation: string;
  /** Names the request in failures: the idempotency key or the intent. */
  subject: string;
  request(): Promise<Raw>;
  read(raw: Raw): Answer;
  /** The answer that an error means; undefined for a technical failure. */
  refusal?(error: unknown): Answer | undefined;
}

/**
 * Stripe as the payment gateway. Connects on first use; requests share kept-alive connections, are sent once and end
 * within their `timeoutMs`. Stripe gets the amount, the payment method and our two keys, no personal data.
 */
export function connectStripeGateway(config: StripeGatewayConfig): PaymentGateway & { close(): void } {
  const { stripe, agent } = createClient(config);
  const call = createCaller(config.onRequest);
  const onIntent = (input: {
    operation: string;
    subject: string;
    request(): Promise<Stripe.PaymentIntent>;
    refusal?(error: unknown): PaymentAnswer | undefined;
  }) => call<Stripe.PaymentIntent, PaymentAnswer>({ ...input, read: readIntent });

  return {
    create: ({ idempotencyKey, operationKey, orderId, amount, paymentMethodId, timeoutMs }) =>
      call<Stripe.PaymentIntent, CreateAnswer>({
        operation: 'payment_intents.create',
        subject: idempotencyKey,
        request: () =>
          stripe.paymentIntents.create(
            {
              amount: toStripeAmount(amount),
              currency: amount.currency.toLowerCase(),
              payment_method: paymentMethodId,
              automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
              metadata: { orderId, operationKey },
            },
            { idempotencyKey, timeout: timeoutMs },
          ),
        read: (intent) => ({
          status: 'created',
          intentId: expectObject(intent, 'payment_intent').id,
          ...replayOf(headersOf(intent)),
        }),
        refusal: (error) => {
          const refused = paymentRefusal(error);
          return refused && { status: 'refused', ...refused };
        },
      }),

    confirm: ({ idempotencyKey, intentId, timeoutMs }) =>
      onIntent({
        operation: 'payment_intents.confirm',
        subject: intentId,
        request: () => stripe.paymentIntents.confirm(intentId, {}, { idempotencyKey, timeout: timeoutMs }),
        refusal: (error) => stateInError(error) ?? declined(intentId, error),
      }),

    retrieve: ({ intentId, timeoutMs }) =>
      onIntent({
        operation: 'payment_intents.retrieve',
        subject: intentId,
        request: () => stripe.paymentIntents.retrieve(intentId, {}, { timeout: timeoutMs }),
      }),

    findByOperation: ({ operationKey, timeoutMs }) =>
      call({
        operation: 'payment_intents.search',
        subject: operationKey,
        request: () =>
          stripe.paymentIntents.search(
            { query: `metadata['operationKey']:'${escaped(operationKey)}'`, limit: 100 },
            { timeout: timeoutMs },
          ),
        read: (found) => found.data.map(readIntent),
      }),

    listIntents: ({ orderId, sinceUtc, afterId, timeoutMs }) =>
      call({
        operation: 'payment_intents.list',
        subject: orderId,
        request: () =>
          stripe.paymentIntents.list(
            {
              created: { gte: Math.floor(Date.parse(sinceUtc) / 1_000) },
              limit: 100,
              ...(afterId ? { starting_after: afterId } : {}),
            },
            { timeout: timeoutMs },
          ),
        read: (page) => readIntents(page, orderId),
      }),

    cancel: ({ idempotencyKey, intentId, timeoutMs }) =>
      onIntent({
        operation: 'payment_intents.cancel',
        subject: intentId,
        request: () => stripe.paymentIntents.cancel(intentId, {}, { idempotencyKey, timeout: timeoutMs }),
        refusal: stateInError,
      }),

    refund: ({ idempotencyKey, operationKey, orderId, intentId, amount, timeoutMs }) =>
      call<Stripe.Refund, RefundRequested>({
        operation: 'refunds.create',
        subject: intentId,
        request: () =>
          stripe.refunds.create(
            {
              payment_intent: intentId,
              amount: toStripeAmount(amount),
              metadata: { orderId, operationKey },
            },
            { idempotencyKey, timeout: timeoutMs },
          ),
        read: (refund) => ({ status: 'taken', refund: providerRefund(refund) }),
        refusal: (error) => {
          const refused = refundRefusal(error);
          return refused && { status: 'refused', ...refused };
        },
      }),

    refunds: async ({ intentId, timeoutMs }) => {
      const deadline = performance.now() + timeoutMs;
      const found: ProviderRefund[] = [];
      for (let after: string | undefined, more = true; more;) {
        const page: Stripe.ApiList<Stripe.Refund> = await call({
          operation: 'refunds.list',
          subject: intentId,
          request: () =>
            stripe.refunds.list(
              { payment_intent: intentId, limit: 100, ...(after ? { starting_after: after } : {}) },
              { timeout: Math.max(1, Math.floor(deadline - performance.now())) },
            ),
          read: (refunds) => refunds,
        });
        found.push(...page.data.map(providerRefund));
        after = found.at(-1)?.refundId;
        more = page.has_more && after !== undefined;
      }
      return found;
    },

    findRefund: ({ refundId, timeoutMs }) =>
      call({
        operation: 'refunds.retrieve',
        subject: refundId,
        request: () =>
          stripe.refunds.retrieve(refundId, { expand: ['payment_intent'] }, { timeout: timeoutMs }),
        read: providerRefund,
      }),

    disputes: ({ intentId, timeoutMs }) =>
      call({
        operation: 'disputes.list',
        subject: intentId,
        request: () => stripe.disputes.list({ payment_intent: intentId, limit: 100 }, { timeout: timeoutMs }),
        read: ({ data }) => data.map(providerDispute),
      }),

    findDispute: ({ disputeId, timeoutMs }) =>
      call({
        operation: 'disputes.retrieve',
        subject: disputeId,
        request: () =>
          stripe.disputes.retrieve(disputeId, { expand: ['payment_intent'] }, { timeout: timeoutMs }),
        read: providerDispute,
      }),

    payable: stripePayable,

    verifyWebhook: ({ rawBody, signature }) => {
      if (!isSigned(stripe, { rawBody, signature, secret: config.webhookSecret })) return undefined;
      try {
        return paymentNotice(JSON.parse(rawBody) as Stripe.Event);
      } catch {
        return { eventId: '', type: unusableNotice, intentId: undefined, orderId: undefined };
      }
    },

    close: () => agent.destroy(),
  };
}

/** How far a signature's time may be from now, in both directions. */
const toleranceSeconds = 300;

/** Whether the header holds over the raw body, whatever that says, and was made within `toleranceSeconds` of now. */
function isSigned(
  { webhooks }: Stripe,
  { rawBody, signature, secret }: { rawBody: string; signature: string; secret: string },
): boolean {
  if (!webhooks.signature) return false;
  try {
    webhooks.signature.verifyHeader(rawBody, signature, secret, toleranceSeconds);
  } catch {
    return false;
  }
  // The library bounds the past alone.
  const signedAt = Number(/(?:^|,)t=(\d+)/.exec(signature)?.[1]);
  return signedAt <= Date.now() / 1_000 + toleranceSeconds;
}

function createClient({ secretKey, apiBase }: StripeGatewayConfig): { stripe: Stripe; agent: HttpAgent } {
  const base = new URL(apiBase ?? 'https://api.stripe.com');
  const protocol = base.protocol === 'http:' ? 'http' : 'https';
  const agent =
    protocol === 'http' ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });
  const stripe = new Stripe(secretKey, {
    host: base.hostname,
    port: base.port || (protocol === 'http' ? '80' : '443'),
    protocol,
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: createStripeHttpClient(agent),
  });
  return { stripe, agent };
}

const createCaller =
  (onRequest: StripeGatewayConfig['onRequest']) =>
  async <Raw, Answer>({ operation, subject, request, read, refusal }: Call<Raw, Answer>): Promise<Answer> => {
    const startedMs = performance.now();
    const report = (result: string) =>
      onRequest?.({ operation, result, seconds: (performance.now() - startedMs) / 1_000 });
    try {
      const answer = read(await request());
      report('ok');
      return answer;
    } catch (error) {
      const answer = refusal?.(error);
      const failure = answer === undefined ? stripeFailure(error, { operation, subject }) : undefined;
      report(failure?.type ?? 'refused');
      if (answer === undefined) throw failure as TechnicalFailure;
      return answer;
    }
  };

const readIntent = (intent: Stripe.PaymentIntent): PaymentAnswer => ({
  ...paymentAnswer(expectObject(intent, 'payment_intent')),
  ...replayOf(headersOf(intent)),
});

/** What cannot be read as a page, or has no next one where more is said to follow, would be an end that is none. */
function readIntents(page: Stripe.ApiList<Stripe.PaymentIntent> | null, orderId: OrderId) {
  const last = page?.data?.at(-1);
  if (!page || typeof page.has_more !== 'boolean' || (page.has_more && !last))
    throw new Error(`expected a page of payment intents, got ${String(JSON.stringify(page)).slice(0, 80)}`);
  const intents = page.data
    .filter(({ metadata }) => orderIdIn(metadata) === orderId)
    .map((intent): ListedIntent => {
      const operationKey = intent.metadata['operationKey'];
      return { ...readIntent(intent), ...(operationKey ? { operationKey } : {}) };
    });
  return { intents, ...(page.has_more && last ? { afterId: last.id } : {}) };
}

const stateInError = (error: unknown): PaymentAnswer | undefined => {
  const intent = intentInError(error);
  return intent && { ...readIntent(intent), ...replayOf(headersOf(error)) };
};

const declined = (intentId: string, error: unknown): PaymentAnswer | undefined => {
  const refused = paymentRefusal(error);
  return refused && { status: 'declined', intentId, ...refused, ...replayOf(headersOf(error)) };
};

type Headers = Record<string, string> | undefined;

/** Of the answer or error that the SDK made of a response. */
const headersOf = (made: unknown): Headers => {
  const { lastResponse, headers } = made as { lastResponse?: { headers?: Headers }; headers?: Headers };
  return lastResponse?.headers ?? headers;
};

const replayOf = (headers: Headers): { replayed?: true } => (isReplay(headers) ? { replayed: true } : {});

const escaped = (value: string): string => value.replaceAll(/['\\]/g, String.raw`\$&`);
