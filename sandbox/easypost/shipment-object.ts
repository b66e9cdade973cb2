import type { ShipmentRecord } from '../records.ts';
import { addressObject } from './addresses.ts';
import { rateObject } from './rates.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

/** Asynchronous: `submitted` until it settles, then `refunded` or `rejected`; null when none was asked for. */
export const refundStatus = ({ refund }: ShipmentRecord, nowMs: number) => {
  if (!refund) return null;
  return nowMs < refund.settlesMs ? 'submitted' : refund.outcome;
};

const labelObject = ({ id, label }: ShipmentRecord, baseUrl: string) =>
  label && {
    id: label.id,
    object: 'PostageLabel',
    created_at: iso(label.boughtMs),
    updated_at: iso(label.boughtMs),
    date_advance: 0,
    integrated_form: 'none',
    label_date: iso(label.boughtMs),
    label_resolution: 300,
    label_size: '4x6',
    label_type: 'default',
    label_file_type: 'text/html',
    label_url: `${baseUrl}/labels/${id}`,
    label_pdf_url: null,
    label_zpl_url: null,
    label_epl2_url: null,
  };

const trackerObject = ({ label, id }: ShipmentRecord, baseUrl: string) =>
  label && {
    id: label.trackerId,
    object: 'Tracker',
    mode: 'test',
    tracking_code: label.trackingCode,
    status: 'unknown',
    status_detail: 'unknown',
    created_at: iso(label.boughtMs),
    updated_at: iso(label.boughtMs),
    shipment_id: id,
    public_url: `${baseUrl}/labels/${id}`,
    tracking_details: [],
    fees: [],
  };

export const shipmentObject = (shipment: ShipmentRecord, baseUrl: string, nowMs: number) => {
  const rates = shipment.rates.map((rate) =>
    rateObject(rate, shipment.id, shipment.ratedMs ?? shipment.createdMs),
  );
  const { label } = shipment;
  return {
    id: shipment.id,
    object: 'Shipment',
    created_at: iso(shipment.createdMs),
    updated_at: iso(shipment.updatedMs),
    mode: 'test',
    reference: shipment.reference,
    to_address: addressObject(shipment.to),
    from_address: addressObject(shipment.from),
    buyer_address: addressObject(shipment.to),
    return_address: addressObject(shipment.from),
    parcel: { object: 'Parcel', mode: 'test', ...shipment.parcel },
    customs_info: shipment.customs,
    options: shipment.options ?? {},
    is_return: false,
    scan_form: null,
    forms: [],
    insurance: null,
    fees: [],
    rates,
    selected_rate: rates.find(({ id }) => id === label?.rateId) ?? null,
    postage_label: labelObject(shipment, baseUrl),
    tracker: trackerObject(shipment, baseUrl),
    tracking_code: label?.trackingCode ?? null,
    messages: shipment.messages,
    status: 'unknown',
    refund_status: refundStatus(shipment, nowMs),
    batch_id: null,
    batch_status: null,
    batch_message: null,
    usps_zone: null,
  };
};
