/**
 * Stripe's units and limits of amounts (https://docs.stripe.com/currencies). They differ from ISO 4217 for some
 * currencies, and an amount in the wrong unit must be refused here as it would be there.
 */
const SUPPORTED = new Set(
  (
    'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf ' +
    'clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ' +
    'ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr ' +
    'mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd ' +
    'shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw'
  ).split(' '),
);

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '));
/** Zero-decimal in fact, but sent in hundredths for compatibility: only whole hundreds. */
const WHOLE_HUNDREDS = new Set(['isk', 'ugx']);

/** Smallest charge in minor units where Stripe publishes one; elsewhere half a dollar's worth, here one unit. */
const MINIMUM: Record<string, number> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
};

/** Digits an amount may have, where it is not eight. */
const DIGITS: Record<string, number> = { idr: 12, lbp: 12, cop: 10, huf: 10, inr: 9 };

export type AmountProblem = { code?: string; param: 'amount' | 'currency'; message: string };

/** Shown in Stripe's messages, for example `12.50 usd`. */
export const displayAmount = (amount: number, currency: string): string => {
  if (ZERO_DECIMAL.has(currency)) return `${amount} ${currency}`;
  const digits = THREE_DECIMAL.has(currency) ? 3 : 2;
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
};

export const currencyProblem = (currency: string): AmountProblem | undefined =>
  SUPPORTED.has(currency)
    ? undefined
    : {
        param: 'currency',
        message: `Invalid currency: ${currency}. See https://stripe.com/docs/currencies.`,
      };

/** What is wrong with charging `amount` of `currency`, if anything. */
export const amountProblem = (amount: number, currency: string): AmountProblem | undefined => {
  const problem = (code: string, message: string): AmountProblem => ({ code, message, param: 'amount' });
  const minimum = MINIMUM[currency] ?? 1;
  if (amount < 1)
    return problem('parameter_invalid_integer', 'This value must be greater than or equal to 1.');
  if (amount < minimum) {
    return problem('amount_too_small', `Amount must be at least ${displayAmount(minimum, currency)}`);
  }
  const maximum = 10 ** (DIGITS[currency] ?? 8) - 1;
  if (amount > maximum) {
    return problem('amount_too_large', `Amount must be no more than ${displayAmount(maximum, currency)}`);
  }
  if (THREE_DECIMAL.has(currency) && amount % 10 !== 0) {
    return problem('invalid_charge_amount', `Invalid amount: the last digit must be 0 for ${currency}.`);
  }
  if (WHOLE_HUNDREDS.has(currency) && amount % 100 !== 0) {
    return problem('invalid_charge_amount', `Invalid amount: it must be a multiple of 100 for ${currency}.`);
  }
  return undefined;
};
