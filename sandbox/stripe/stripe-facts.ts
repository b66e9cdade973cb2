import type { CallFacts } from '../faults/faults.ts';
import { orderIdOf } from './payment-intents.ts';
import type { StripeDeps } from './stripe-deps.ts';
import type { FormBody } from './stripe-params.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const metadataOf = (body: FormBody): Record<string, string> | undefined =>
  typeof body.metadata === 'object' && body.metadata !== null
    ? (body.metadata as Record<string, string>)
    : undefined;

/** What a fault can be matched on: the request's own parameters, then those of the intent it is about. */
export const factsOfCall = (deps: StripeDeps, id: string, body: FormBody): CallFacts => {
  const about = text(body.payment_intent) ?? (id.startsWith('pi_') ? id : undefined);
  const intent = about === undefined ? undefined : deps.store.get('intent', about);
  const metadata = { ...intent?.metadata, ...metadataOf(body) };
  return {
    id: about ?? (id || undefined),
    orderId: orderIdOf(metadata),
    amount: text(body.amount) ?? (intent && String(intent.amount)),
    currency: text(body.currency) ?? intent?.currency,
    paymentMethod: text(body.payment_method) ?? intent?.paymentMethod ?? undefined,
    metadata,
  };
};
