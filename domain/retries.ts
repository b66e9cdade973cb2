import { providerOf, type ProviderName } from './providers.ts';
import type { OrderId } from './ids.ts';
import type { StepName } from './order.ts';

/** An attempt of a step that failed technically and is tried again, as the worker that made it has noted it. */
export interface NotedRetry {
  orderId: OrderId;
  activity: string;
  /** Attempts that have failed since the step was scheduled last. */
  failures: number;
  /** Type of the last failure, for example `ProviderUnavailable`, and what it said. */
  failureType: string;
  failure: string;
  failedAtUtc: string;
  nextAttemptAtUtc: string;
  /** Without another note until then the step is not being retried any more: it has gone on, was parked or ended. */
  staleAfterUtc: string;
}

/** How a step stands that is being retried: what Temporal, or a worker's note, says of it. */
export interface Retrying {
  activity: string;
  /** Attempts that have failed. */
  failures: number;
  failureType: string;
  failure: string;
  /** Absent while an attempt is under way. */
  nextAttemptAtUtc?: string;
}

/** The saga's steps by the activities that are told of as retried; compensations by their own names. */
const retried: Readonly<Record<string, { step: StepName; provider: ProviderName | undefined }>> = {
  recordOrder: { step: 'receive', provider: undefined },
  reserveInventory: { step: 'inventory', provider: undefined },
  releaseInventory: { step: 'inventory', provider: undefined },
  verifyAddress: { step: 'address', provider: providerOf('address') },
  processPayment: { step: 'payment', provider: providerOf('payment') },
  refundPayment: { step: 'payment', provider: providerOf('refundPayment') },
  createFulfillment: { step: 'fulfillment', provider: undefined },
  cancelFulfillment: { step: 'fulfillment', provider: undefined },
  generateShipment: { step: 'shipping', provider: providerOf('shipping') },
  voidShipment: { step: 'shipping', provider: providerOf('voidShipment') },
  requestEmail: { step: 'notification', provider: undefined },
  completeOrder: { step: 'completion', provider: undefined },
  closeOrder: { step: 'completion', provider: undefined },
};

/** The step and the provider of an activity of the saga; undefined for what is written or asked beside it. */
export const retriedStep = (activity: string): (typeof retried)[string] | undefined =>
  Object.hasOwn(retried, activity) ? retried[activity] : undefined;

const subjects: Record<ProviderName, string> = {
  payments: 'the payment provider',
  carrier: 'the carrier',
};

/** What is wrong, for shops and customers: without a word of a provider's or of our own machinery. */
export function retryWords({ activity, failureType }: Pick<Retrying, 'activity' | 'failureType'>): string {
  const provider = retriedStep(activity)?.provider;
  const who = provider ? subjects[provider] : 'a part of our system';
  switch (failureType) {
    case 'ProviderUnavailable':
      return `${who} does not take requests at the moment`;
    case 'ProviderMisconfigured':
      return `${who} does not accept our request; our staff have to look at it`;
    case 'OutcomeUnknown':
      return `${who} has not answered; whether the request was carried out is looked up first`;
    case 'StoreUnavailable':
      return 'our database does not answer at the moment';
    case 'OperationInProgress':
    case 'StaleAttempt':
      return 'an earlier attempt is still being finished';
    default:
      return provider ? `${who} could not be reached in time` : 'a technical problem on our side';
  }
}
