import { givenAct, type GivenAct } from '../../domain/given-act.ts';
import type { Refusal } from '../../domain/failures.ts';
import type { EndStatus } from '../../domain/order.ts';
import type { RecoveredOrder } from '../../domain/recovery.ts';
import { askedFirst, askFromHereOn } from './asked-first.ts';
import { refusalOf } from '../failures.ts';
import { decideKeptActs } from './kept-acts.ts';
import { readAct } from '../read-act.ts';
import { track } from './write-acts.ts';
import type { OrderContext } from './context.ts';
import type { OrderState, Standing } from './state.ts';
import { goOn, takeUp } from './recover.ts';
import type { Saga } from '../saga.ts';
import type { Act } from '../../domain/order-run.ts';
import { sqlStep } from './compensations.ts';

export const receive = async (context: OrderContext, saga: Saga): Promise<void> => {
  const forward = () => record(context);
  await saga.run({ name: 'receive', kind: 'compensatable', atomic: true, forward });
  await context.writeEarlyNotes();
  await goOn(context);
  const { order } = context;
  if (order.recovered || order.input.recovered) askFromHereOn(order);
  /* In earlier histories, also right after that note. */
  if (order.recovered) askedFirst(order, 'ask-what-people-charged');
};

/** SQL knows the order from this answer on, a refusal included. */
export async function record(context: OrderContext): Promise<void> {
  const { order } = context;
  const { checkout, traceparent, fingerprint, recovered: restarted } = order.input;
  const request = fingerprint ? { fingerprint, ...(restarted ? ({ restarted: true } as const) : {}) } : {};
  try {
    const { total, shipping, recovered } = await sqlStep(
      context,
      'receive',
      'Price and record the order',
      (activities) => activities.recordOrder({ checkout, traceparent, ...request, ...earlierActs(order) }),
    )();
    Object.assign(order, { total, ...(shipping ? { shipping } : {}), recorded: true });
    forget(order);
    if (recovered) takeUp(order, recovered);
    decideKeptActs(context, standingOf(order), true);
  } catch (error) {
    const refusal = refusalOf(error);
    /* Known before SQL is: acts that wait for it are not written onto somebody else's order. */
    if (refusal?.type === 'KeyReused') order.failure = { type: refusal.type, reason: refusal.reason };
    order.recorded = refusal !== undefined;
    if (refusal) decideKeptActs(context, endingAs(refusal));
    throw error;
  }
}

/** What the run before had accepted: SQL judges what it lacks of that. */
function earlierActs({ input, acts }: OrderState): { acts?: GivenAct[] } {
  const earlier = input.recovered?.acts ?? [];
  if (earlier.length === 0) return {};
  return {
    acts: earlier.map(({ name, id, input: given }) => {
      const act = readAct<Act>(given, 'update');
      if (!acts.has(id)) track({ acts }, { name, act, id });
      return givenAct(name, id, act);
    }),
  };
}

/** SQL knows from here on what came of them. */
function forget({ input, acts }: OrderState): void {
  for (const { id } of input.recovered?.acts ?? []) acts.delete(id);
}

/** Where the run begins, for the acts that came before. */
function standingOf({ input, recovered }: OrderState): Standing & Pick<RecoveredOrder, 'acts'> {
  const takenBack = recovered?.shipped
    ? undefined
    : (recovered?.takenBack ?? (input.recovered?.takeBack && {}));
  return { ...recovered, ...(takenBack ? { takenBack } : {}) };
}

/** An order that is not recorded as open is not acted on. */
const endingAs = ({ type, details }: Refusal): Standing =>
  type === 'OrderClosed' ? { ended: details?.['status'] as EndStatus } : { takenBack: {} };
