import { CancellationScope } from '@temporalio/workflow';
import { referenceNotConfirmed } from '../../domain/failures.ts';
import { defaultCheckReferenceMs } from '../../domain/policy.ts';
import { describeFailure, failureTypeOf, messageOf, refusalOf, shownOf } from '../failures.ts';
import type { ResolveParked } from '../messages.ts';
import type { OrderContext } from '../fulfill-order/context.ts';
import { refuseMoreMethods, refuseStanding, type OrderState } from '../fulfill-order/state.ts';
import { refuseText } from '../read-act.ts';
import { refuseAction } from './rules.ts';

/** `shown`: what is told to who asked, and not audited: it holds parts of an address. */
export type CheckRefusal = string | { reason: string; shown: string };

/** Why a `resolve` is refused in the order's present state; undefined when it is legal. */
export function refuseResolve(order: OrderState, act: ResolveParked): string | undefined {
  const { parked, parkedActivity, resolve, checking } = order;
  if (!parked || !parkedActivity)
    return `The order is not parked (${order.sagaState}); there is nothing to resolve.`;
  const cancels = act.action === 'cancel';
  const stands = cancels ? refuseStanding(order) : undefined;
  if (stands) return stands;
  if (isStopped(order)) return `The order is being cancelled already, by ${order.cancelRequested?.actor}.`;
  if (resolve) return `Another operator, ${resolve.actor}, has just resolved it (${resolve.action}).`;
  if (checking) {
    return `Another operator, ${checking.actor}, has given reference ${checking.reference}, which is being checked.`;
  }
  return (
    refuseAction(act.action, parkedActivity) ??
    refuseInput(order, act) ??
    refuseReference(order, act) ??
    refuseConfirmation(order, act)
  );
}

/** `retry-with` takes exactly the field it needs; everything else takes none. */
function refuseInput(order: OrderState, { action, input }: ResolveParked): string | undefined {
  if (action !== 'retry-with') {
    return input === undefined ? undefined : `"${String(action)}" takes no input; retry-with does.`;
  }
  const need = order.parked?.needs?.[action] ?? '';
  const field = need.replace('input.', '');
  const fields = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  const [only, ...others] = fields;
  if (only?.[0] !== field || others.length > 0) {
    const came = fields.map(([name]) => name).join(', ') || 'nothing';
    return `input: expected {"${field}":"…"} for ${order.parked?.activity}; came ${came}.`;
  }
  return (
    refuseText(need, only[1]) ?? (need === 'input.paymentMethodId' ? refuseMoreMethods(order) : undefined)
  );
}

const referencePattern = /^[A-Za-z0-9_-]{1,255}$/;

function refuseReference({ parked }: OrderState, { action, reference }: ResolveParked): string | undefined {
  if (action !== 'mark-done') {
    return reference === undefined ? undefined : `"${action}" takes no reference; mark-done does.`;
  }
  return typeof reference === 'string' && referencePattern.test(reference)
    ? undefined
    : `reference: expected the provider's id of ${whatIsDone(parked?.activity)}, 1 to 255 letters, digits, _ or -.`;
}

function refuseConfirmation(
  { parked }: OrderState,
  { action, confirmDifferences }: ResolveParked,
): string | undefined {
  if (confirmDifferences === undefined) return undefined;
  if (typeof confirmDifferences !== 'boolean') return 'confirmDifferences: expected true or false.';
  return action === 'mark-done' && parked?.activity === 'shipping'
    ? undefined
    : `"${action}" of ${parked?.activity} takes no confirmDifferences; mark-done of shipping does.`;
}

const whatIsDone = (activity: string | undefined): string =>
  (activity && things[activity]) ?? 'what was done';

const things: Record<string, string> = {
  payment: 'the charged payment, for example pi_…',
  shipping: 'the bought shipment, for example shp_…',
  refundPayment: 'the refund, for example re_…',
  voidShipment: 'the shipment whose label was sent back, for example shp_…',
};

/**
 * Has the reference of a `mark-done` checked with the provider; what it confirms is stored as the step's own answer,
 * which the next try of the step finds. Answers why it is refused, or undefined. Takes at most the policy's
 * `checkReferenceMs`, so that the caller is answered.
 */
export async function checkReference(
  context: OrderContext,
  act: ResolveParked,
): Promise<CheckRefusal | undefined> {
  const { order } = context;
  const { parked } = order;
  order.checking = act;
  try {
    await CancellationScope.nonCancellable(() => check(context, act, parked?.activity));
  } catch (error) {
    const next = `Reference ${act.reference} is not taken; the order stays as it was.`;
    const { reason, shown } = refusedCheck(error);
    const whole = (text: string): string => `${text} ${next}`.slice(0, 500);
    return shown === undefined ? whole(reason) : { reason: whole(reason), shown: whole(shown) };
  } finally {
    delete order.checking;
  }
  if (order.parked && order.parked.activity === parked?.activity && !isStopped(order)) return undefined;
  return `The order has gone on meanwhile (${order.sagaState}); reference ${act.reference} is on record.`;
}

function refusedCheck(error: unknown): { reason: string; shown?: string } {
  if (failureTypeOf(error) !== referenceNotConfirmed) {
    return { reason: refusalOf(error)?.reason ?? `It could not be checked now (${describeFailure(error)}).` };
  }
  const shown = shownOf(error);
  return { reason: messageOf(error), ...(shown === undefined ? {} : { shown }) };
}

/** A stop was accepted, and the parked step is about to be taken back. */
const isStopped = ({ cancelRequested, parkedActivity }: OrderState): boolean =>
  cancelRequested !== undefined && parkedActivity?.direction === 'forward' && !parkedActivity.onlyForward;

async function check(context: OrderContext, act: ResolveParked, activity?: string): Promise<unknown> {
  const { steps, order, orderId } = context;
  const { policy } = order.input;
  const budgetMs = policy.checkReferenceMs ?? defaultCheckReferenceMs;
  const checkPolicy = { ...policy.steps.payment, attemptTimeoutMs: budgetMs, budgetMs };
  const options = { policy: checkPolicy, summary: `Check reference ${act.reference} with the provider` };
  const { actor, reason, reference = '' } = act;
  const claim = { orderId, reference, actor, reason, attemptTimeoutMs: budgetMs };
  switch (activity ?? '') {
    case 'payment':
      return steps.payments(options).markPaymentDone({ ...claim, n: order.payment.n });
    case 'refundPayment':
      return steps.payments(options).markRefundDone(claim);
    case 'shipping':
      return steps.carrier(options).markShipmentDone({
        ...claim,
        n: order.address.n,
        ...(act.confirmDifferences ? { differencesConfirmed: true } : {}),
      });
    case 'voidShipment':
      return steps.carrier(options).markVoidDone(claim);
    default:
      throw new Error(`Nothing is checked with a provider for ${activity}`);
  }
}
