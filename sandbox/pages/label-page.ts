import { html, raw } from 'hono/html';
import type { AddressRecord, LabelRecord, ShipmentRecord } from '../records.ts';
import { page, time } from './layout.ts';

/** Bars whose widths follow from the digits; it looks like a barcode and claims to be none. */
const bars = (code: string): string => {
  let x = 0;
  const rects = code.split('').map((digit) => {
    const width = 1 + (Number(digit) % 4);
    const rect = `<rect x="${x}" width="${width}" height="60"/>`;
    x += width + 2 + (Number(digit) % 3);
    return rect;
  });
  return `<svg viewBox="0 0 ${x} 60" width="100%" height="60" fill="currentColor" preserveAspectRatio="none" aria-hidden="true">${rects.join('')}</svg>`;
};

const lines = (address: AddressRecord): string[] =>
  [
    address.name,
    address.company,
    address.street1,
    address.street2,
    [address.city, address.state, address.zip].filter(Boolean).join(' '),
    address.country,
  ].filter((line): line is string => Boolean(line));

const block = (address: AddressRecord) => lines(address).map((line) => html`${line}<br />`);

/** A shipping label one can look at and print. */
export const labelPage = (shipment: ShipmentRecord, label: LabelRecord) => {
  const rate = shipment.rates.find(({ id }) => id === label.rateId);
  return page(
    'Shipping label',
    html`<div class="label">
        <p><strong>${rate?.carrier ?? ''} ${rate?.service ?? ''}</strong> · sandbox, not valid postage</p>
        <p>From<br />${block(shipment.from)}</p>
        <p>To<br /><strong>${block(shipment.to)}</strong></p>
        ${raw(bars(label.trackingCode))}
        <p class="code">${label.trackingCode}</p>
      </div>
      <p>Reference <code>${shipment.reference ?? ''}</code>, bought ${time(label.boughtMs)}.</p>`,
  );
};
