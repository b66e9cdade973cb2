import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import { stepNames, type SagaState } from '../../domain/order.ts';
import { providerNames } from '../../domain/providers.ts';
import { retriedStep, retryWords, type Retrying } from '../../domain/retries.ts';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { momentText } from './story/order-story-words.ts';

export const retryingBody = z
  .object({
    step: z.enum(stepNames),
    attempt: z.int().openapi({ description: 'Number of the attempt that is under way or comes next.' }),
    failures: z.int().openapi({ description: 'Attempts that have failed.' }),
    failureType: z.string(),
    reason: z.string().openapi({ description: 'What is wrong, in words for shops and customers.' }),
    lastFailure: z
      .string()
      .optional()
      .openapi({ description: 'What the last attempt itself said. Operators only.' }),
    nextAttemptAtUtc: z
      .string()
      .optional()
      .openapi({ format: 'date-time', description: 'Absent while an attempt is under way.' }),
    waitsFor: z.enum(providerNames).optional().openapi({ description: 'The provider that the step calls.' }),
  })
  .openapi('Retrying', {
    description: 'A step that has failed and is tried again by itself.',
    example: {
      step: 'shipping',
      attempt: 7,
      failures: 6,
      failureType: 'ProviderUnavailable',
      reason: 'the carrier does not take requests at the moment',
      nextAttemptAtUtc: '2026-01-02T03:04:25.678Z',
      waitsFor: 'carrier',
    },
  });

export type RetryingBody = z.infer<typeof retryingBody>;

/** A provider's own words and ours from inside are the operators'. */
export function toRetryingBody(
  retrying: Retrying,
  { role }: Pick<ApiCaller, 'role'>,
): RetryingBody | undefined {
  const { activity, failures, failureType, failure, nextAttemptAtUtc } = retrying;
  const of = retriedStep(activity);
  if (!of) return undefined;
  return {
    step: of.step,
    attempt: failures + 1,
    failures,
    failureType,
    reason: retryWords(retrying),
    ...(role === 'operator' ? { lastFailure: failure } : {}),
    ...(nextAttemptAtUtc ? { nextAttemptAtUtc } : {}),
    ...(of.provider ? { waitsFor: of.provider } : {}),
  };
}

/** An order that has moved within this time is not asked about: its first attempts are under way. */
const STANDS_STILL_MS = 1_000;

export const goesByItself = ({ sagaState }: { sagaState: SagaState }): boolean =>
  sagaState === 'running' || sagaState === 'compensating';

/** The step of an order that is being retried, asked of Temporal itself where the order has stood still. */
export async function retryingOf(
  deps: Pick<AppDeps, 'workflows' | 'clock'>,
  caller: Pick<ApiCaller, 'role'>,
  order: { orderId: string; sagaState: SagaState; updatedAtUtc?: string | undefined },
): Promise<RetryingBody | undefined> {
  const movedMs = Date.parse(deps.clock.nowUtc()) - Date.parse(order.updatedAtUtc ?? '');
  const moves = movedMs >= 0 && movedMs < STANDS_STILL_MS;
  if (!goesByItself(order) || moves) return undefined;
  const found = await deps.workflows.retrying(order.orderId as OrderId);
  return found && toRetryingBody(found, caller);
}

/** What happens next with it, as a sentence that can be read to a customer. */
export function retrySentence({ failures, reason, nextAttemptAtUtc }: RetryingBody): string {
  const times = failures === 1 ? 'This has failed once' : `This has failed ${failures} times`;
  const next = nextAttemptAtUtc ? `, next on ${momentText(nextAttemptAtUtc)}` : ' right now';
  return `${times}, since ${reason}; it is tried again by itself${next}.`;
}
