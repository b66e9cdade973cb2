import { TechnicalFailure, type TechnicalFailureType } from '../../domain/failures.ts';

/** What the tables below look at, from whichever of the client's errors. */
export interface EasyPostErrorFacts {
  /** HTTP status; undefined when no readable answer came. */
  status: number | undefined;
  /** EasyPost's code such as `SHIPMENT.POSTAGE.EXISTS`, or Node's such as `ECONNREFUSED`. */
  code: string;
  message: string;
  /** Names of the fields EasyPost complains about. */
  fields: readonly string[];
}

interface Row {
  when(facts: EasyPostErrorFacts): boolean;
  type: TechnicalFailureType;
  /** What an operator reads: what the failure says about the effect. */
  meaning: string;
  retryAfterMs?: number;
  keyRefused?: true;
}

/** No connection came about, so the request never left. */
const notSent = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** 4xx by which EasyPost says that the carrier did not answer: it may have sold the label. */
const carrierSilent = new Set([
  'SHIPMENT.POSTAGE.NO_RESPONSE',
  'SHIPMENT.POSTAGE.TIMED_OUT',
  'SHIPMENT.PURCHASE.FAILURE',
  'SHIPMENT.PURCHASE.IN_PROGRESS',
]);

/** Refusals that another moment cures: the carrier or its rates are away, nothing was bought. */
const carrierAway = new Set([
  'ADDRESS.VERIFY.UNAVAILABLE',
  'ADDRESS.VERIFY.UPSTREAM_UNAVAILABLE',
  'SHIPMENT.POSTAGE.FAILURE',
  'SHIPMENT.RATES.UNAVAILABLE',
]);

/**
 * EasyPost's errors as ours, first fit; codes after https://docs.easypost.com/docs/errors. EasyPost has no idempotency:
 * everything that may have bought a label is OutcomeUnknown, and the shipment has to be retrieved before another buy.
 */
const rows: readonly Row[] = [
  {
    when: (f) => f.status === undefined && notSent.has(f.code),
    type: 'ProviderUnavailable',
    meaning: 'no connection, so nothing was done',
  },
  {
    when: (f) => f.status === undefined,
    type: 'OutcomeUnknown',
    meaning: 'no readable answer; it may have happened',
  },
  {
    when: (f) => f.status === 429,
    type: 'ProviderUnavailable',
    meaning: 'too many requests, so nothing was done',
    retryAfterMs: 1_000,
  },
  {
    when: (f) => (f.status ?? 0) >= 500 || f.status === 408 || f.status === 409,
    type: 'OutcomeUnknown',
    meaning: 'an error at EasyPost; it may have happened',
  },
  {
    when: (f) => carrierSilent.has(f.code),
    type: 'OutcomeUnknown',
    meaning: 'no word from the carrier; it may have sold the label',
  },
  {
    when: (f) => carrierAway.has(f.code),
    type: 'ProviderUnavailable',
    meaning: 'the carrier cannot do it now; nothing was bought',
  },
  {
    /* A key that somebody has disabled comes with 403. */
    when: (f) => f.status === 401 || f.code === 'APIKEY.INACTIVE',
    type: 'ProviderMisconfigured',
    keyRefused: true,
    meaning: 'the API key is refused: check EASYPOST_API_KEY',
  },
  {
    when: (f) => f.status === 403,
    type: 'ProviderMisconfigured',
    meaning: 'the API key may not do this: check its permissions at EasyPost, or EASYPOST_API_KEY',
  },
  {
    when: (f) => f.status === 402,
    type: 'ProviderMisconfigured',
    meaning: 'the EasyPost account has no means to pay for labels: check its billing',
  },
  {
    when: () => true,
    type: 'ProviderMisconfigured',
    meaning: 'EasyPost refuses the request, so nothing was done',
  },
];

/** Any error of an EasyPost call as a technical failure. */
export function easypostFailure(
  error: unknown,
  { operation, subject }: { operation: string; subject: string },
): TechnicalFailure {
  if (error instanceof TechnicalFailure) return error;
  const facts = easypostErrorFacts(error);
  const row = rows.find(({ when }) => when(facts)) as Row;
  const answer = [facts.status, facts.code].filter((part) => part !== undefined && part !== '').join(' ');
  const message = `EasyPost ${operation} for ${subject}: ${row.meaning} (${answer || 'no answer'}: ${facts.message})`;
  return new TechnicalFailure(row.type, message, {
    cause: error,
    summary: `EasyPost ${operation}: ${row.meaning} (${answer || 'no answer'})`,
    ...(row.keyRefused ? { keyRefused: true } : {}),
    ...(row.retryAfterMs === undefined ? {} : { retryAfterMs: row.retryAfterMs }),
  });
}

/**
 * Reads an error of the EasyPost client. It has a status only when EasyPost's own JSON came: other answers (a proxy's
 * page, cut JSON) come out of the client as TypeErrors of its own.
 */
function easypostErrorFacts(error: unknown): EasyPostErrorFacts {
  const found = (error ?? {}) as {
    statusCode?: unknown;
    code?: unknown;
    message?: unknown;
    errors?: unknown;
  };
  const errors: unknown[] = Array.isArray(found.errors) ? found.errors : [];
  return {
    status: typeof found.statusCode === 'number' ? found.statusCode : undefined,
    code: typeof found.code === 'string' ? found.code : '',
    message: typeof found.message === 'string' ? found.message : String(error),
    fields: errors.map(fieldOf),
  };
}

/** EasyPost's error entries are objects with a field, or plain strings. */
const fieldOf = (entry: unknown): string => {
  const field = (entry as { field?: unknown } | null)?.field;
  return typeof field === 'string' ? field : '';
};

/**
 * Codes that blame the address. What a carrier says in its own words (`SHIPMENT.POSTAGE.FAILURE`, the messages beside an
 * empty rate list) blames nobody: it is a technical failure that an operator reads.
 */
const addressCodes = new Set([
  'ADDRESS.COUNTRY.INVALID',
  'ADDRESS.PARAMETERS.INVALID',
  'ADDRESS.PARAMETERS.INVALID_CHARACTER',
  'ADDRESS.VERIFICATION.FAILURE',
  'ADDRESS.VERIFICATION.INVALID',
  'ADDRESS.VERIFICATION.NOT_FOUND',
  'ADDRESS.VERIFY.FAILURE',
  'ADDRESS.VERIFY.MISSING_CITY_STATE_ZIP',
  'ADDRESS.VERIFY.MISSING_STREET',
]);

/** Why nothing can be delivered there, when that is what the error says; undefined otherwise. */
export function undeliverableReason(error: unknown): string | undefined {
  const { status, code, message, fields } = easypostErrorFacts(error);
  if (status === undefined || status < 400 || status >= 500) return undefined;
  if (fields.some(isFromAddress)) return undefined;
  const blamed = addressCodes.has(code) || fields.some((field) => /^(shipment\.)?to_address\b/.test(field));
  return blamed ? message : undefined;
}

const isFromAddress = (field: string): boolean => /\bfrom_address\b/.test(field);

/** Codes by which a purchase is refused because its rate is not to be had any more; new rates are to be asked for. */
const rateGone = new Set([
  'SHIPMENT.MISSING_RATE',
  'SHIPMENT.RATE.CARRIER_ACCOUNT_INVALID',
  'SHIPMENT.RATES.UNAVAILABLE',
]);

/** What EasyPost says of a rate that cannot be bought any more; undefined when the error says something else. */
export function rateGoneReason(error: unknown): string | undefined {
  const { status, code, message } = easypostErrorFacts(error);
  return status !== undefined && status < 500 && rateGone.has(code) ? message : undefined;
}

/** The account cannot verify that country: no verdict, so nothing against the address. */
export const cannotVerify = (error: unknown): boolean =>
  ['ADDRESS.VERIFY.INTL_NOT_ENABLED', 'ADDRESS.VERIFY.ONLY_US'].includes(easypostErrorFacts(error).code);

export const isAlreadyBought = (error: unknown): boolean =>
  easypostErrorFacts(error).code === 'SHIPMENT.POSTAGE.EXISTS';

/** A refund request that the shipment's state answers: none to refund, asked for before, or shipped already. */
export const isRefundRefused = (error: unknown): boolean => {
  const { status, code } = easypostErrorFacts(error);
  return status === 422 && code.startsWith('SHIPMENT.REFUND.');
};
