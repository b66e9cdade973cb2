import type { TaskQueues } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import type { Address } from '../domain/order.ts';
import type { SagaPolicy } from '../domain/policy.ts';
import type { ShippingFees } from '../domain/shipping-fee.ts';
import type { DeadLetter } from '../domain/dead-letters.ts';
import type { Clock } from '../ports/clock.ts';
import type { SeenFilter } from '../ports/locks.ts';
import type { PaymentGateway } from '../ports/payment-gateway.ts';
import type { Store } from '../ports/store.ts';
import type { WebhookSecrets, WebhookTargets } from '../ports/webhooks.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type {
  OrderWorkflows,
  RestartableRuns,
  RefundWorkflows,
  DeadLetterWorkflows,
  OrderActWorkflows,
  RestartableBulkRuns,
} from '../ports/temporal.ts';

/** Who calls: an API key's owner. `shop` sees its own orders, `operator` all. */
export interface ApiCaller {
  callerId: string;
  role: 'shop' | 'operator';
}

export interface ApiSettings {
  /** Without callers everybody is the operator `local`; the server then binds to loopback only. */
  callers: readonly (ApiCaller & { key: string })[] | undefined;
  /** Keys the HMAC of customer ids and of list cursors. */
  customerHashKey: string;
  /** Keys it has replaced; none where there were none. */
  formerCustomerHashKeys?: readonly string[];
  defaultCurrency: Currency;
  /** Where parcels leave from. */
  shipFrom: Address;
  /** As workers charge it. */
  shippingFees: ShippingFees;
  /** Travels in the input of every workflow started here. */
  policy: SagaPolicy;
  taskQueues: TaskQueues;
  /** Server-sent event streams open at the same time. */
  maxEventStreams: number;
}

/** What the API needs from the world. Checkout uses `workflows` alone; each of the others may be away. */
export interface AppDeps {
  workflows: OrderWorkflows;
  refunds: RefundWorkflows;
  orderActs: OrderActWorkflows;
  bulkRuns: RestartableBulkRuns;
  runs: RestartableRuns;
  store: Pick<Store, 'read' | 'transaction' | 'ping'>;
  payments: Pick<PaymentGateway, 'payable' | 'verifyWebhook'>;
  seen: SeenFilter;
  deadLetters: {
    workflows: DeadLetterWorkflows;
    /** Why a replay with this JSON merge patch would be refused; undefined when it would not. */
    editRefusal(letter: DeadLetter, patch: unknown): string | undefined;
  };
  webhooks: { targets: WebhookTargets; secrets: WebhookSecrets };
  clock: Clock;
  settings: ApiSettings;
  logger: Logger;
  metrics: Metrics;
  /** Aborted when the server drains: waiting checkouts answer at once, event streams end. */
  draining: AbortSignal;
}

/** What Hono carries along one request. */
export interface AppEnv {
  Variables: { caller: ApiCaller };
}
