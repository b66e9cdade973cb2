import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const letters = (length: number): string =>
  Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join('');

/** An id as Stripe makes them: `pi_3` and 23 letters and digits. */
export const stripeId = (prefix: string): string => `${prefix}_3${letters(23)}`;

/** An id as EasyPost makes them: prefix and 32 hex digits. */
export const easypostId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('hex')}`;

export const clientSecret = (intentId: string): string => `${intentId}_secret_${letters(25)}`;

export const requestId = (): string => `req_${letters(14)}`;

/** 22 digits, as on a USPS label. */
export const trackingCode = (): string =>
  `94${Array.from(randomBytes(20), (byte) => String(byte % 10)).join('')}`;
