import { orderIdOfReference } from './easypost/shipments.ts';
import type { Faults } from './faults/faults.ts';
import type { ShipmentRecord } from './records.ts';
import type { SmtpInbox } from './smtp/smtp-inbox.ts';
import { settleProcessing } from './stripe/confirm-intent.ts';
import { settleRefund } from './stripe/refunds.ts';
import { BY_ITSELF, type StripeDeps } from './stripe/stripe-deps.ts';
import type { Webhooks } from './stripe/webhooks.ts';

const TICK_MS = 50;
const SAVE_EVERY = 20;
const EXPIRE_EVERY = 1_200;
const BATCH = 100;

interface TickerDeps extends StripeDeps {
  faults: Faults;
  webhooks: Webhooks;
  smtp: SmtpInbox;
  expireKeys: () => void;
}

const settleLabelRefund = ({ store, counts }: StripeDeps, shipment: ShipmentRecord): void => {
  const outcome = shipment.refund?.outcome;
  if (outcome) counts.business(outcome === 'refunded' ? 'labels_refunded' : 'label_refunds_rejected');
  store.put('shipment', shipment.id, shipment, { orderId: orderIdOfReference(shipment.reference) });
};

const settleDue = (deps: StripeDeps): void => {
  const { store } = deps;
  const nowMs = deps.clock.nowMs();
  const intents = store.due('intent', nowMs, BATCH);
  const refunds = store.due('refund', nowMs, BATCH);
  const shipments = store.due('shipment', nowMs, BATCH);
  if (intents.length + refunds.length + shipments.length === 0) return;
  store.transaction(() => {
    for (const { record } of intents) settleProcessing(deps, record, BY_ITSELF);
    for (const { record } of refunds) settleRefund(deps, record);
    for (const { record } of shipments) settleLabelRefund(deps, record);
  });
};

/** What happens by itself as time passes: payments and refunds settle, webhooks leave, outages end. */
export const startTicker = (deps: TickerDeps): { stop(): void } => {
  let ticks = 0;
  let saidOf = '';
  const tick = () => {
    try {
      act();
      saidOf = '';
    } catch (error) {
      // A disk that is full or away: what is due stays due, and happens when there is room.
      const { message } = error as Error;
      if (message !== saidOf) console.error(`The sandbox cannot write its state, trying again: ${message}`);
      saidOf = message;
    }
  };
  const act = () => {
    ticks += 1;
    settleDue(deps);
    deps.smtp.followOutage();
    // A provider that is down sends no webhooks either; they wait until it is back.
    if (!deps.faults.outage('stripe', '*')) deps.webhooks.deliverDue();
    if (ticks % SAVE_EVERY === 0) deps.counts.save();
    if (ticks % EXPIRE_EVERY === 0) deps.expireKeys();
  };
  const timer = setInterval(tick, TICK_MS);
  return { stop: () => clearInterval(timer) };
};
