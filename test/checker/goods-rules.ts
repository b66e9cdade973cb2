import { isEnded } from '../../domain/order.ts';
import type { OrderBooks } from './books.ts';

/** One label for what completed, none kept otherwise; stock leaves with a label or goes back. */
export function goodsViolations(books: OrderBooks): string[] {
  return [
    ...labelViolations(books),
    ...unpaidViolations(books),
    ...stockViolations(books),
    ...fulfillmentViolations(books),
  ];
}

/** Labels that the carrier is still paid for. */
export const labelsKept = ({ provider }: OrderBooks) =>
  provider.labels.filter(({ refundStatus }) => refundStatus === null);

function labelViolations(books: OrderBooks): string[] {
  const { ledger, provider } = books;
  const violations: string[] = [];
  const kept = labelsKept(books);
  const expected = ledger.status === 'completed' ? [1] : isEnded(ledger.status) ? [0] : [0, 1];
  if (kept.length > 1) {
    violations.push(`label kept twice: ${kept.map(({ shipment }) => shipment).join(', ')}`);
  } else if (!expected.includes(kept.length)) {
    violations.push(
      `a ${ledger.status} order keeps ${expected.join(' or ')} label(s); it has ${kept.length}`,
    );
  }
  const known = new Map(ledger.shipments.map((shipment) => [shipment.providerShipmentId, shipment]));
  /* One that a person has bought and sent back himself is nobody's. */
  const ours = provider.labels.filter(
    ({ shipment, refundStatus }) => known.has(shipment) || refundStatus === null,
  );
  if (ledger.status === 'completed' && ours.length > kept.length) {
    violations.push(`a completed order has bought ${ours.length} labels instead of one`);
  }
  for (const { shipment, trackingCode, refundStatus } of provider.labels) {
    const row = known.get(shipment);
    if (!row && refundStatus !== null) continue;
    if (!row) violations.push(`a label that no row knows: ${shipment}, which SQL does not know`);
    else if (isEnded(ledger.status)) {
      const states = refundStatus === null ? ['bought'] : ['void_requested', 'voided'];
      if (!states.includes(row.state)) {
        violations.push(
          `shipment ${shipment} is ${row.state} in SQL; by the carrier's books ${states.join(' or ')}`,
        );
      }
      if (row.trackingCode !== trackingCode) {
        violations.push(
          `shipment ${shipment} is tracked as ${row.trackingCode} in SQL and ${trackingCode} at the carrier`,
        );
      }
    }
  }
  const labels = new Set(provider.labels.map(({ shipment }) => shipment));
  for (const { n, state, providerShipmentId } of ledger.shipments) {
    if (state === 'bought' && !labels.has(providerShipmentId ?? '')) {
      violations.push(`shipment ${n} is bought in SQL; the carrier sold no label for it`);
    }
  }
  return violations;
}

/** No label is recorded once SQL knows that the charge is disputed, lost or refunded whole. */
function unpaidViolations({ audit, ledger }: OrderBooks): string[] {
  const label = audit.findIndex(({ to }) => to === 'shipment_generated');
  const before = audit.slice(0, Math.max(label, 0));
  const gone = new Set<string>();
  for (const { to, reason } of before) {
    const [dispute = ''] = reason.split(',');
    if (to === 'dispute_open' || to === 'dispute_lost') gone.add(dispute);
    if (to === 'dispute_won') gone.delete(dispute);
  }
  const atUtc = audit[label]?.occurredAtUtc ?? '';
  const back = ledger.refunds.filter(
    ({ state, requestedAtUtc }) => state !== 'failed' && requestedAtUtc < atUtc,
  );
  const charged = ledger.payments.filter(({ state }) => state === 'charged' || state === 'refunded');
  const sum = (rows: readonly { amount: { amountMinor: number } }[]): number =>
    rows.reduce((total, { amount }) => total + amount.amountMinor, 0);
  return [
    ...[...gone].map(
      (dispute) => `shipped unpaid: its label was bought while dispute ${dispute} was open or lost`,
    ),
    ...(label >= 0 && sum(back) > 0 && sum(back) >= sum(charged)
      ? ['shipped unpaid: its label was bought after all of its charge was refunded']
      : []),
  ];
}

function stockViolations({ ledger, view }: OrderBooks): string[] {
  const units = view.items.reduce((total, { quantity }) => total + quantity, 0);
  const { status, reservedUnits, consumedUnits } = ledger;
  const is = `it holds ${reservedUnits} and has taken ${consumedUnits} of ${units}`;
  const shipped = status === 'completed';
  if (shipped && (reservedUnits !== 0 || consumedUnits !== units)) {
    return [`a shipped order has taken all its units and holds none; ${is}`];
  }
  if (isEnded(status) && !shipped && (reservedUnits !== 0 || consumedUnits !== 0)) {
    return [`a ${status} order holds no stock and has taken none; ${is}`];
  }
  if (!isEnded(status) && ![0, units].includes(reservedUnits + consumedUnits)) {
    return [`an order holds all its units or none; ${is}`];
  }
  return [];
}

function fulfillmentViolations({ ledger: { status, fulfillment } }: OrderBooks): string[] {
  if (status === 'completed' && fulfillment !== 'open') {
    return [`a completed order has an open fulfillment; it is ${fulfillment}`];
  }
  if (isEnded(status) && status !== 'completed' && fulfillment === 'open') {
    return [`a ${status} order has no open fulfillment; it has one`];
  }
  return [];
}
