import { resolveActions, type ResolveAction, type ResolveNeed } from '../../domain/order.ts';

/** A parked activity as the rules see it. */
export interface ParkedActivity {
  /** A step, `closeOrder`, or a compensation. */
  activity: string;
  direction: 'forward' | 'compensating';
  /** No way back any more: the pivot is passed, or the order is being closed. */
  onlyForward: boolean;
}

type Rule = { legal: true; needs?: ResolveNeed } | { legal: false; why: string };

const legal: Rule = { legal: true };
const needs = (need: ResolveNeed): Rule => ({ legal: true, needs: need });
const never = (why: string): Rule => ({ legal: false, why });

const nothingToChange = never('it takes no other input');
const ownRecord = never("it is this system's own record, so no provider can confirm it");
const unshipped = never('without it the order would not be shipped');
const unpaid = never('without it the order would ship unpaid');
const stockLeft = never('without it stock would stay reserved for an order that does not ship');
const moneyKept = never('without it the customer would not get the money back');
const labelLeft = never('without it a label would stay paid for that nobody uses');
const unpacked = never('without it an order would be packed that does not ship');
const settledThere = never('the next try sees what was settled at the provider');
const unrecorded = never('without it the order would not be on record');

type Rules = Partial<Record<'retry-with' | 'mark-done' | 'skip', Rule>>;

/** What may be done besides `retry` (always) and `cancel` (while there is a way back), by activity. */
const rules: Record<string, Rules> = {
  receive: { 'mark-done': ownRecord, skip: unrecorded },
  inventory: { 'mark-done': ownRecord, skip: never('without it the order could be oversold') },
  address: {
    'retry-with': never('correct the shipping address itself (shipping-address)'),
    'mark-done': never('the carrier keeps no record of it that could be looked up; skip it'),
    skip: legal,
  },
  payment: { 'retry-with': needs('input.paymentMethodId'), 'mark-done': needs('reference'), skip: unpaid },
  fulfillment: { 'mark-done': ownRecord, skip: unshipped },
  shipping: { 'retry-with': needs('input.service'), 'mark-done': needs('reference'), skip: unshipped },
  completion: { 'mark-done': ownRecord, skip: unrecorded },
  closeOrder: { 'mark-done': ownRecord, skip: unrecorded },
  releaseInventory: { 'mark-done': ownRecord, skip: stockLeft },
  refundPayment: { 'mark-done': needs('reference'), skip: moneyKept },
  cancelFulfillment: { 'mark-done': ownRecord, skip: unpacked },
  seekCharges: { 'mark-done': settledThere, skip: legal },
  seekLabels: { 'mark-done': settledThere, skip: legal },
  voidShipment: { 'mark-done': needs('reference'), skip: labelLeft },
};

const unknownActivity = never('this version knows no way to do that here');

function ruleOf(action: ResolveAction, parked: ParkedActivity): Rule {
  const { activity, direction, onlyForward } = parked;
  switch (action) {
    case 'retry':
      return legal;
    case 'cancel':
      if (direction === 'compensating') return never('the order is being taken back already');
      return onlyForward ? never('there is no way back any more, only forward') : legal;
    case 'retry-with':
      return rules[activity]?.[action] ?? nothingToChange;
    case 'mark-done':
    case 'skip':
      return rules[activity]?.[action] ?? unknownActivity;
  }
}

/** The legal actions, in the order in which a person should consider them. */
export const legalActions = (parked: ParkedActivity): ResolveAction[] =>
  resolveActions.filter((action) => ruleOf(action, parked).legal);

/** What the legal actions need besides who and why; only those that need something. */
export function needsOf(parked: ParkedActivity): Partial<Record<ResolveAction, ResolveNeed>> {
  const found: Partial<Record<ResolveAction, ResolveNeed>> = {};
  for (const action of resolveActions) {
    const rule = ruleOf(action, parked);
    if (rule.legal && rule.needs) found[action] = rule.needs;
  }
  return found;
}

/** Why an action is illegal, with the legal ones; undefined when it is legal. */
export function refuseAction(action: unknown, parked: ParkedActivity): string | undefined {
  const possible = `possible now: ${legalActions(parked).join(', ')}`;
  const known = resolveActions.find((one) => one === action);
  if (!known) return `"${String(action).slice(0, 40)}" is no action of resolve; ${possible}.`;
  const rule = ruleOf(known, parked);
  return rule.legal
    ? undefined
    : `"${known}" is not possible for ${parked.activity}: ${rule.why}; ${possible}.`;
}
