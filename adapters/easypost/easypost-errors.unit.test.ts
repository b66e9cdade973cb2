import { describe, expect, it } from 'vitest';
import {
  cannotVerify,
  easypostFailure,
  isAlreadyBought,
  isRefundRefused,
  rateGoneReason,
  undeliverableReason,
} from './easypost-errors.ts';

const call = { operation: 'shipments.buy', subject: 'shp_1' };

const answered = (statusCode: number, code = '', message = 'said EasyPost', fields: string[] = []) =>
  Object.assign(new Error(message), {
    statusCode,
    code,
    errors: fields.map((field) => ({ field, message })),
  });

const node = (code: string) => Object.assign(new Error(code), { code });

describe('errors of EasyPost', () => {
  it.each([
    ['nobody listens', node('ECONNREFUSED'), 'ProviderUnavailable'],
    ['no such host', node('ENOTFOUND'), 'ProviderUnavailable'],
    ['a reset', node('ECONNRESET'), 'OutcomeUnknown'],
    ['a time-out', node('ECONNABORTED'), 'OutcomeUnknown'],
    ['an answer the client cannot read', new TypeError('cannot destructure'), 'OutcomeUnknown'],
    ['429', answered(429, 'RATE_LIMITED'), 'ProviderUnavailable'],
    ['500', answered(500, 'INTERNAL_SERVER_ERROR'), 'OutcomeUnknown'],
    ['503', answered(503, 'SERVICE.UNAVAILABLE'), 'OutcomeUnknown'],
    ['the carrier did not answer', answered(422, 'SHIPMENT.POSTAGE.TIMED_OUT'), 'OutcomeUnknown'],
    ['another purchase runs', answered(422, 'SHIPMENT.PURCHASE.IN_PROGRESS'), 'OutcomeUnknown'],
    ['the carrier refused to print', answered(422, 'SHIPMENT.POSTAGE.FAILURE'), 'ProviderUnavailable'],
    ['verification is away', answered(422, 'ADDRESS.VERIFY.UNAVAILABLE'), 'ProviderUnavailable'],
    ['401', answered(401, 'APIKEY.INACTIVE'), 'ProviderMisconfigured'],
    ['403', answered(403, 'FORBIDDEN'), 'ProviderMisconfigured'],
    ['a disabled key', answered(403, 'APIKEY.INACTIVE'), 'ProviderMisconfigured'],
    ['402', answered(402, 'PAYMENT_REQUIRED'), 'ProviderMisconfigured'],
    ['404', answered(404, 'NOT_FOUND'), 'ProviderMisconfigured'],
    ['422', answered(422, 'PARCEL.PARAMETERS.INVALID'), 'ProviderMisconfigured'],
  ])('%s', (_case, error, type) => {
    const failure = easypostFailure(error, call);
    expect(failure.type).toBe(type);
    expect(failure.message).toContain('shipments.buy for shp_1');
    expect(failure.keyRefused).toBe(_case === '401' || _case === 'a disabled key');
    expect(failure.summary).not.toContain('said EasyPost');
    expect(failure.summary).toContain('shipments.buy');
  });

  it.each([
    ['a failed verification', answered(422, 'ADDRESS.VERIFY.FAILURE')],
    ['a country that is none', answered(422, 'ADDRESS.COUNTRY.INVALID')],
    [
      'a field of the destination',
      answered(422, 'SHIPMENT.INVALID_PARAMS', 'zip is invalid', ['to_address.zip']),
    ],
  ])('blame the address: %s', (_case, error) => {
    expect(undeliverableReason(error)).toBe(error.message);
  });

  it.each([
    [
      'our own address',
      answered(422, 'ADDRESS.PARAMETERS.INVALID', 'city is invalid', ['from_address.city']),
    ],
    [
      'the carrier’s own words, whatever they name',
      answered(422, 'SHIPMENT.POSTAGE.FAILURE', 'Unable to validate Ship To address'),
    ],
    ['a code that is not documented', answered(422, 'ADDRESS.SOMEHOW.WRONG', 'The address is wrong')],
    ['a server error with the same code', answered(500, 'ADDRESS.VERIFY.FAILURE')],
    ['the account’s balance', answered(402, 'PAYMENT_REQUIRED', 'update your billing address')],
    ['a lost connection', node('ECONNRESET')],
  ])('do not blame the address: %s', (_case, error) => {
    expect(undeliverableReason(error)).toBeUndefined();
  });

  it('are recognized where they are answers', () => {
    expect(isAlreadyBought(answered(422, 'SHIPMENT.POSTAGE.EXISTS'))).toBe(true);
    expect(isAlreadyBought(answered(422, 'SHIPMENT.POSTAGE.FAILURE'))).toBe(false);
    expect(isRefundRefused(answered(422, 'SHIPMENT.REFUND.UNAVAILABLE'))).toBe(true);
    expect(isRefundRefused(answered(500, 'SHIPMENT.REFUND.FAILURE'))).toBe(false);
    expect(cannotVerify(answered(422, 'ADDRESS.VERIFY.INTL_NOT_ENABLED'))).toBe(true);
    expect(cannotVerify(answered(422, 'ADDRESS.VERIFY.FAILURE'))).toBe(false);
  });

  it('tell a rate that is gone from other refusals', () => {
    expect(rateGoneReason(answered(422, 'SHIPMENT.MISSING_RATE', 'gone'))).toBe('gone');
    expect(rateGoneReason(answered(500, 'SHIPMENT.MISSING_RATE'))).toBeUndefined();
    expect(rateGoneReason(answered(404, 'NOT_FOUND'))).toBeUndefined();
  });
});
