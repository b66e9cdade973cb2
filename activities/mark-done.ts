import type { ApplicationFailure } from '@temporalio/common';
import { referenceNotConfirmed, TechnicalFailure } from '../domain/failures.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Actor } from '../domain/order.ts';
import { operatorRefusal } from './failures.ts';

/** An operator says that a parked step has happened at the provider; the provider is asked by the reference. */
export interface Claim {
  orderId: OrderId;
  /** The provider's id of what was done. */
  reference: string;
  actor: Actor;
  reason: string;
  /** A label's name, street or city differ from the order's, and it is the order's all the same. */
  differencesConfirmed?: true;
  attemptTimeoutMs: number;
}

/** `shown`: the same for the person who asked, with what is not to be audited. */
export const notConfirmed = (message: string, shown?: string): ApplicationFailure =>
  operatorRefusal(referenceNotConfirmed, message, shown ? [{ shown }] : []);

/** A provider that cannot read the reference or knows nothing under it does not confirm it. */
export async function askedFor<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    const refused = error instanceof TechnicalFailure && error.type === 'ProviderMisconfigured';
    throw refused ? notConfirmed(error.message) : error;
  }
}

/** What the audit row of the step says. */
export const markedBy = (
  { actor, reference, reason }: Claim,
  differing: readonly string[] = [],
): { actor: Actor; reason: string } => {
  const but = differing.length > 0 ? ` but for ${differing.join(', ')}, which ${actor} confirms` : '';
  return {
    actor,
    reason: `marked as done by ${reference}, which the provider confirms${but}: ${reason}`.slice(0, 500),
  };
};
