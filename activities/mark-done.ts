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
  attemptTimeoutMs: number;
}

export const notConfirmed = (message: string): ApplicationFailure =>
  operatorRefusal(referenceNotConfirmed, message);

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
export const markedBy = ({ actor, reference, reason }: Claim): { actor: Actor; reason: string } => ({
  actor,
  reason: `marked as done by ${reference}, which the provider confirms: ${reason}`.slice(0, 500),
});
