/** A change of `workflows/` that no recorded order may survive unnoticed. */
export interface Mutation {
  name: string;
  /** File of `workflows/`. */
  file: string;
  /** Text that stands in it exactly once. */
  find: string;
  replace: string;
  /** Recordings in which it is noticed, each of them by itself. */
  noticedIn: string[];
}

const note = `await context.note('recordNote', { actor: 'm', act: 'm', result: 'm', reason: 'm' });`;
/** Before something. */
const before = (find: string, more: string) => ({ find, replace: `${more} ${find}` });

const parkedAt = (step: string, noticedIn: string): Mutation => ({
  name: `an extra timer when an order is parked at ${step}`,
  file: 'fulfill-order/runtime.ts',
  ...before('const resolved = () =>', `if (parking.step === '${step}') await condition(() => false, 1);`),
  noticedIn: [noticedIn],
});

export const mutations: Mutation[] = [
  {
    name: 'a signal of an earlier history judged by the address rules of today',
    file: 'fulfill-order/handlers.ts',
    find: "changed && !inForce(order, 'address-rules') ? earlier : now",
    replace: 'now',
    noticedIn: ['completed-despite-address-refused-before'],
  },
  {
    name: 'a signal of a history of today judged by the address rules of before',
    file: 'fulfill-order/handlers.ts',
    find: "changed && !inForce(order, 'address-rules') ? earlier : now",
    replace: 'changed ? earlier : now',
    noticedIn: ['completed-address-without-postal-code'],
  },
  {
    name: 'no question at the providers after people have moved a held order on',
    file: 'fulfill-order/asked-first.ts',
    find: '(order.askFirst && !polls) || (mayHaveHelped',
    replace: '(mayHaveHelped',
    noticedIn: ['completed-card-held-charge-by-hand', 'completed-address-held-label-by-hand'],
  },
  {
    name: 'no marker where an approval has moved the order on',
    file: 'fulfill-order/approve.ts',
    find: 'askFromHereOn(order);',
    replace: 'void askFromHereOn;',
    noticedIn: ['completed-approval-held-charge-by-hand'],
  },
  {
    name: 'no look for charges after an extended hold',
    file: 'fulfill-order/asked-first.ts',
    find: ' || order.extensions > 0;',
    replace: ';',
    noticedIn: ['failed-extended-hold-charge-by-hand'],
  },
  {
    name: 'changes decided behind local activities where the order may have been helped',
    file: 'fulfill-order/context.ts',
    find: 'if (isTakenUp(order)) decideAhead(order);',
    replace: '',
    noticedIn: ['failed-decided-ahead-restarted-out-of-stock'],
  },
  {
    name: 'changes decided behind local activities where an act was accepted',
    file: 'fulfill-order/handlers.ts',
    find: 'decideAhead(order);',
    replace: '',
    noticedIn: ['completed-decided-ahead-charge-found', 'cancelled-decided-ahead-release-tried-later'],
  },
  {
    name: 'a timer before the provider is asked about',
    file: 'fulfill-order/provider-wait.ts',
    ...before('const answer = await ask(', 'await sleep(1);'),
    noticedIn: ['cancelled-parked-payment-resolved', 'completed-after-carrier-paused'],
  },
  {
    name: 'an upsert left out when parking ends',
    file: 'fulfill-order/runtime.ts',
    find: `show(context, compensating ?`,
    replace: `((_: unknown, sagaState: SagaState) => Object.assign(order, { sagaState }))(context, compensating ?`,
    noticedIn: ['completed-after-parked', 'cancelled-parked-refund-by-itself'],
  },
  {
    name: 'an extra note at an approval that is skipped',
    file: 'fulfill-order/approve.ts',
    ...before('if (!reason || paymentBegun', `if (reason && paymentBegun) ${note}`),
    noticedIn: ['completed-restarted-after-approval'],
  },
  {
    name: 'an extra note where nobody has to approve',
    file: 'fulfill-order/approve.ts',
    ...before('if (!reason || paymentBegun', `if (!reason) ${note}`),
    noticedIn: ['completed'],
  },
  {
    name: 'an extra note where a second run turns back',
    file: 'fulfill-order/recover.ts',
    ...before('if (!turns) return;', `if (turns) ${note}`),
    noticedIn: ['cancelled-compensated-after-payment', 'cancelled-restarted-while-taken-back'],
  },
  {
    name: 'an extra note before the walk back',
    file: 'fulfill-order/failure.ts',
    ...before('await saga.compensate(takenElsewhere(context));', note),
    noticedIn: ['cancelled-after-payment', 'failed-out-of-stock'],
  },
  {
    name: 'an extra note when an order is closed',
    file: 'fulfill-order/failure.ts',
    ...before('moveTo(context, status);', note),
    noticedIn: ['cancelled-after-payment', 'failed-unknown-product'],
  },
  {
    name: 'an extra activity before a local step goes on as an ordinary one',
    file: 'steps.ts',
    ...before('return call(orders(options));', 'await call(orders(options));'),
    noticedIn: ['completed-local-steps-as-ordinary', 'cancelled-local-steps-as-ordinary'],
  },
  {
    name: 'an extra note at a restart after shipping',
    file: 'fulfill-order/recover.ts',
    ...before('if (!turns) return;', `if (shipped) ${note}`),
    noticedIn: ['completed-restarted-after-shipping', 'completed-not-taken-back-after-shipping'],
  },
  parkedAt('receive', 'completed-parked-at-receive'),
  parkedAt('inventory', 'completed-parked-at-inventory'),
  parkedAt('completion', 'completed-parked-at-completion'),
  {
    name: 'an extra note when an order is recorded at its end',
    file: 'fulfill-order/failure.ts',
    find: 'refusal = await recordUnreceived(context, saga);',
    replace: `{ refusal = await recordUnreceived(context, saga); ${note} }`,
    noticedIn: ['cancelled-recorded-at-its-end', 'failed-recorded-at-its-end'],
  },
  {
    name: 'an extra note when the order has ended in another run',
    file: 'fulfill-order/failure.ts',
    ...before('context.order.failure = { type, reason };', note.replace('await', 'void')),
    noticedIn: ['order-already-closed', 'cancelled-in-another-run'],
  },
  {
    name: 'a label under the next number',
    file: 'fulfill-order/ship.ts',
    find: '.generateShipment({ orderId, n,',
    replace: '.generateShipment({ orderId, n: n + 1,',
    noticedIn: ['completed', 'completed-after-label-refused'],
  },
  {
    name: 'a payment method under another number',
    file: 'fulfill-order/pay.ts',
    find: '{ n: n ?? order.payment.n + 1,',
    replace: '{ n: n ?? order.payment.n + 2,',
    noticedIn: ['completed-after-declined-cards'],
  },
  {
    name: "a person's charge checked under the next number",
    file: 'parked/resolve.ts',
    find: '.markPaymentDone({ ...claim, n: order.payment.n',
    replace: '.markPaymentDone({ ...claim, n: 1 + order.payment.n',
    noticedIn: ['completed-parked-payment-marked-done'],
  },
  {
    name: 'another card under the same number while a hold is parked',
    file: 'fulfill-order/runtime.ts',
    find: 'order.payment = { n: numbers?.payment ?? order.payment.n + 1,',
    replace: 'order.payment = { n: numbers?.payment ?? order.payment.n,',
    noticedIn: ['completed-another-card-while-customer-awaited', 'completed-parked-another-card'],
  },
  {
    name: 'a charge with twice the time',
    file: 'steps.ts',
    find: 'startToCloseTimeout: policy.attemptTimeoutMs,',
    replace: 'startToCloseTimeout: 2 * policy.attemptTimeoutMs,',
    noticedIn: ['completed'],
  },
  {
    name: "a carrier's step on the queue of payments",
    file: 'steps.ts',
    find: 'taskQueue: taskQueues.carrier',
    replace: 'taskQueue: taskQueues.payments',
    noticedIn: ['completed'],
  },
  {
    name: 'twice the wait in a hold',
    file: 'fulfill-order/hold.ts',
    find: 'Math.max(wakeAtMs - nowMs, 1)',
    replace: '2 * Math.max(wakeAtMs - nowMs, 1)',
    noticedIn: ['cancelled-while-card-held', 'completed-after-reminder', 'completed-after-authentication'],
  },
  {
    name: 'twice the wait of a parked compensation',
    file: 'fulfill-order/runtime.ts',
    find: 'await condition(resolved, ',
    replace: 'await condition(resolved, 2 * ',
    noticedIn: ['cancelled-parked-refund'],
  },
  {
    name: 'twice the wait for a provider',
    file: 'fulfill-order/provider-wait.ts',
    find: 'await sleep(pauseMs(shortMs)',
    replace: 'await sleep(2 * pauseMs(shortMs)',
    noticedIn: ['completed-after-carrier-paused'],
  },
  {
    name: 'twice the pause in which a refund is followed',
    file: 'refund-order.ts',
    find: 'await sleep(nextWaitMs(',
    replace: 'await sleep(2 * nextWaitMs(',
    noticedIn: ['refund-on-its-way'],
  },
  {
    name: 'twice the pause in which a debt looks again',
    file: 'settle-debt.ts',
    find: 'await condition(() => told, pauseMs)',
    replace: 'await condition(() => told, 2 * pauseMs)',
    noticedIn: ['debt-refunded'],
  },
  {
    name: 'a closed dispute that wakes no debt',
    file: 'refund-order.ts',
    find: '.signal(debtChanged)',
    replace: ';',
    noticedIn: ['dispute-wakes-debt'],
  },
];
