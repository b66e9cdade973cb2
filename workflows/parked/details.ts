import type { ResolveAction, ResolveNeed } from '../../domain/order.ts';
import type { OrderState } from '../fulfill-order/state.ts';

import { signalCommand } from '../fulfill-order/signal-command.ts';

/** Paragraphs of the current details about a parked step: what failed, how often, since when, what is safe to do. */
export function describeParked(order: OrderState): string[] {
  const { parked, parkedActivity, checking } = order;
  if (!parked) return [];
  const { activity, failure, sinceUtc, actions } = parked;
  const compensating = parkedActivity?.direction === 'compensating';
  return [
    `Parked at ${activity} since ${sinceUtc}, after ${howOften(order)}: ${failure}`,
    compensating
      ? `The order is being rolled back. This is tried again by itself ${howSoon(order)} and never dropped.`
      : 'Nothing is tried meanwhile, and nothing is lost. Safe to do now:',
    ...actions.map((action) => `${actionTexts[action]}: \`${resolveCommand(order, action)}\``),
    ...(checking ? [`Reference ${checking.reference}, given by ${checking.actor}, is being checked.`] : []),
  ];
}

function howOften({ parked }: OrderState): string {
  const { attempts, budgets = 1 } = parked ?? {};
  const inBudgets = budgets === 1 ? 'one retry window' : `${budgets} retry windows`;
  return attempts ? `${attempts} attempt(s) in ${inBudgets}` : `${inBudgets} of attempts`;
}

function howSoon({ input }: OrderState): string {
  const { compensation, longWaits } = input.policy;
  return `${longWaits ? 'at growing intervals, at first after' : 'every'} ${compensation.budgetMs / 1_000} s`;
}

const examples: Record<ResolveNeed, object> = {
  'input.service': { input: { service: '…' } },
  'input.paymentMethodId': { input: { paymentMethodId: 'pm_…' } },
  reference: { reference: '…' },
};

function resolveCommand(order: OrderState, action: ResolveAction): string {
  const need = order.parked?.needs?.[action];
  return signalCommand(order, { name: 'resolve', input: { action, ...(need ? examples[need] : {}) } });
}

/** What a person reads about each action. */
const actionTexts: Record<ResolveAction, string> = {
  retry: 'Try again at once, with a fresh retry window',
  'retry-with': 'Try again with changed input',
  'mark-done': 'It has happened at the provider (checked there by its reference)',
  skip: 'Go on without it',
  cancel: 'Take the order back',
};
