/** What confirming with a test payment method comes to. */
export type ConfirmOutcome =
  | { kind: 'succeeds'; refund?: 'pending' | 'fails'; disputed?: NewDispute }
  | { kind: 'declined'; decline: Decline }
  | { kind: 'authentication'; then: 'succeeds' | Decline }
  | { kind: 'processing'; settles: 'succeeded' | 'failed' | null; currency?: string };

export interface Decline {
  code: string;
  declineCode?: string;
  message: string;
}

export interface TestPaymentMethod {
  type: 'card' | 'us_bank_account';
  brand: string;
  last4: string;
  outcome: ConfirmOutcome;
}

const declined = (declineCode: string, message = 'Your card was declined.'): Decline => ({
  code: 'card_declined',
  declineCode,
  message,
});

const INSUFFICIENT = declined('insufficient_funds', 'Your card has insufficient funds.');

const card = (last4: string, outcome: ConfirmOutcome, brand = 'visa'): TestPaymentMethod => ({
  type: 'card',
  brand,
  last4,
  outcome,
});

const works: ConfirmOutcome = { kind: 'succeeds' };
const refuses = (last4: string, decline: Decline) => card(last4, { kind: 'declined', decline });

/** Declines, under both names Stripe has for them: `pm_card_…` and `pm_card_visa_…`. */
const DECLINES: Record<string, TestPaymentMethod> = {
  chargeDeclined: refuses('0002', declined('generic_decline')),
  chargeDeclinedInsufficientFunds: refuses('9995', INSUFFICIENT),
  chargeDeclinedLostCard: refuses('9987', declined('lost_card')),
  chargeDeclinedStolenCard: refuses('9979', declined('stolen_card')),
  chargeDeclinedFraudulent: refuses('0019', declined('fraudulent')),
  chargeDeclinedVelocityLimitExceeded: refuses('6975', declined('card_velocity_exceeded')),
  chargeDeclinedExpiredCard: refuses('0069', { code: 'expired_card', message: 'Your card has expired.' }),
  chargeDeclinedIncorrectCvc: refuses('0127', {
    code: 'incorrect_cvc',
    message: "Your card's security code is incorrect.",
  }),
  chargeDeclinedProcessingError: refuses('0119', {
    code: 'processing_error',
    message: 'An error occurred while processing your card. Try again in a little bit.',
  }),
  chargeCustomerFail: refuses('0341', declined('generic_decline')),
  radarBlock: refuses('0101', declined('fraudulent')),
};

const aliases = Object.entries(DECLINES).flatMap(([name, method]) => [
  [`pm_card_${name}`, method] as const,
  [`pm_card_visa_${name}`, method] as const,
]);

const bank = (last4: string, settles: 'succeeded' | 'failed' | null): TestPaymentMethod => ({
  type: 'us_bank_account',
  brand: 'bank',
  last4,
  outcome: { kind: 'processing', settles, currency: 'usd' },
});

const METHODS: Record<string, TestPaymentMethod> = {
  pm_card_visa: card('4242', works),
  pm_card_visa_debit: card('5556', works),
  pm_card_mastercard: card('4444', works, 'mastercard'),
  pm_card_mastercard_debit: card('8210', works, 'mastercard'),
  pm_card_amex: card('0005', works, 'amex'),
  pm_card_discover: card('1117', works, 'discover'),
  pm_card_diners: card('0004', works, 'diners'),
  pm_card_jcb: card('0505', works, 'jcb'),
  pm_card_unionpay: card('0005', works, 'unionpay'),
  pm_card_us: card('4242', works),
  pm_card_in: card('0008', works),
  ...Object.fromEntries(aliases),
  pm_card_authenticationRequired: card('3184', { kind: 'authentication', then: 'succeeds' }),
  pm_card_threeDSecure2Required: card('3220', { kind: 'authentication', then: 'succeeds' }),
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: card('9235', {
    kind: 'authentication',
    then: INSUFFICIENT,
  }),
  pm_card_createDispute: card('0259', { kind: 'succeeds', disputed: { reason: 'fraudulent' } }),
  pm_card_createDisputeProductNotReceived: card('2685', {
    kind: 'succeeds',
    disputed: { reason: 'product_not_received' },
  }),
  pm_card_createDisputeInquiry: card('1976', {
    kind: 'succeeds',
    disputed: { reason: 'fraudulent', inquiry: true },
  }),
  pm_card_pendingRefund: card('7726', { kind: 'succeeds', refund: 'pending' }),
  pm_card_refundFail: card('5126', { kind: 'succeeds', refund: 'fails' }),
  pm_usBankAccount_success: bank('6789', 'succeeded'),
  pm_usBankAccount_insufficientFunds: bank('2227', 'failed'),
  pm_usBankAccount_processing: bank('1116', null),
  // Not Stripe's: asynchronous payments in any currency, for shops that do not sell in dollars.
  pm_sandbox_processing: card('0001', { kind: 'processing', settles: 'succeeded' }),
  pm_sandbox_processingFails: card('0009', { kind: 'processing', settles: 'failed' }),
};

export const testPaymentMethod = (name: string): TestPaymentMethod | undefined =>
  Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;

export const testPaymentMethodNames = (): string[] => Object.keys(METHODS);

export interface NewDispute {
  reason: string;
  /** The bank only asks: nothing is taken back yet, and a full refund ends it. */
  inquiry?: boolean | undefined;
}
