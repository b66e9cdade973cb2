import { describe, expect, it } from 'vitest';
import { readShipment, readVerification, refundOf, shipmentAnswer } from './easypost-answers.ts';

const rate = { id: 'rate_1', carrier: 'USPS', service: 'Priority', rate: '8.45', currency: 'USD' };
const unbought = {
  id: 'shp_1',
  rates: [rate],
  postage_label: null,
  selected_rate: null,
  tracking_code: null,
};
const bought = {
  ...unbought,
  selected_rate: rate,
  postage_label: { label_url: 'https://labels.example/1.png' },
  tracking_code: '9400',
  refund_status: null,
};
const unknownOutcome = expect.objectContaining({ type: 'OutcomeUnknown' }) as Error;

describe('a shipment', () => {
  it('is bought when it has a label', () => {
    expect(shipmentAnswer(readShipment(bought))).toEqual({
      status: 'bought',
      refund: 'none',
      label: {
        carrier: 'USPS',
        service: 'Priority',
        trackingCode: '9400',
        labelUrl: 'https://labels.example/1.png',
        cost: { amount: '8.45', currency: 'USD' },
      },
    });
  });

  it('is unbought without one, and offers its rates', () => {
    expect(shipmentAnswer(readShipment(unbought))).toEqual({
      status: 'unbought',
      rates: [{ rateId: 'rate_1', carrier: 'USPS', service: 'Priority', amount: '8.45', currency: 'USD' }],
    });
  });

  it.each([
    [null, 'none'],
    ['not_applicable', 'none'],
    ['submitted', 'submitted'],
    ['refunded', 'refunded'],
    ['rejected', 'rejected'],
  ])('with refund status %s is refunded: %s', (refund_status, expected) => {
    expect(refundOf(readShipment({ ...bought, refund_status }))).toBe(expected);
  });

  it('with a refund status nobody knows leaves the outcome unknown', () => {
    expect(() => refundOf(readShipment({ ...bought, refund_status: 'maybe' }))).toThrow(unknownOutcome);
  });

  it.each([[undefined], [null], [{}], [[]], ['ok'], [{ id: 'shp_1' }]])('is not seen in %j', (answer) => {
    expect(() => readShipment(answer)).toThrow(unknownOutcome);
  });
});

describe('a verification', () => {
  const verified = (delivery: unknown) => readVerification({ id: 'adr_1', verifications: { delivery } });

  it('refuses with the carrier’s reasons', () => {
    const errors = [{ message: 'Address not found' }, { message: 'House number is missing' }];
    expect(verified({ success: false, errors })).toEqual({
      deliverable: false,
      reason: 'Address not found; House number is missing',
    });
    expect(verified({ success: false, errors: [] })).toMatchObject({ deliverable: false });
  });

  it('without a verdict is no objection', () => {
    expect(verified({ success: true, errors: [] })).toEqual({ deliverable: true });
    expect(verified(undefined)).toEqual({ deliverable: true });
    expect(readVerification({ id: 'adr_1', verifications: {} })).toEqual({ deliverable: true });
  });

  it('is not seen in an answer that is no address', () => {
    expect(() => readVerification({ hello: 'world' })).toThrow(unknownOutcome);
  });
});
