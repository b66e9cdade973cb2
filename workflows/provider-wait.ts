import { patched, sleep } from '@temporalio/workflow';
import { providerOf, type ProviderName, type ProviderStatus } from '../domain/providers.ts';
import { isoNow, type OrderContext } from './order-context.ts';
import type { Parking } from './saga.ts';

/** How often an order whose budget has ended asks whether its provider takes steps again. */
const ASK_EVERY_MS = 10 * 60 * 1_000;

/**
 * A step whose budget ended while its provider was paused or its circuit open is not at fault: it waits here until the
 * provider takes steps again, and then has a fresh budget. True when it has waited; false when it has to be parked.
 * The wait burns no attempts, ends by a cancel, and is shown in the details and once in the audit trail.
 */
export async function waitForProvider(
  context: OrderContext,
  { step, activity, direction }: Parking,
): Promise<boolean> {
  const { order } = context;
  const provider = providerOf(activity);
  if (!provider || !patched('wait-for-provider')) return false;
  const { compensation } = order.input.policy;
  const { budgetMs } = direction === 'compensating' ? compensation : context.policyOf(step);
  try {
    for (;;) {
      const status = await askFor(context, provider);
      if (status.state === 'available') return order.waitingFor !== undefined;
      await show(context, provider, status);
      await sleep(Math.min(budgetMs, ASK_EVERY_MS), { summary: `Wait for ${provider}: ${status.state}` });
    }
  } finally {
    if (order.waitingFor) {
      delete order.waitingFor;
      context.publish();
    }
  }
}

/** Ordinary, never local: what it answers is no part of the history's inputs. */
function askFor({ steps, policyOf }: OrderContext, provider: ProviderName): Promise<ProviderStatus> {
  const { budgetMs: _, ...policy } = policyOf('notification');
  return steps.orders({ policy, summary: `Ask whether ${provider} takes steps` }).providerState({ provider });
}

async function show(
  context: OrderContext,
  provider: ProviderName,
  status: Exclude<ProviderStatus, { state: 'available' }>,
): Promise<void> {
  const { order } = context;
  const first = order.waitingFor === undefined;
  order.waitingFor = { provider, ...status };
  order.updatedAtUtc = isoNow();
  context.publish();
  if (!first) return;
  const reason = `${status.state} since ${status.sinceUtc}: ${status.reason}`.slice(0, 500);
  await context.note('recordNote', { actor: 'saga', act: `budget of ${provider}`, result: 'waits', reason });
}
