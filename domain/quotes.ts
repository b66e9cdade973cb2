import type { Address } from './order.ts';

/** Whom a provider may quote. */
export interface Quotable {
  customerEmail?: string;
  shippingAddress: Partial<Address>;
}

/** Shorter ones are parts of other words, and name nobody. */
const SHORTEST = 3;

/**
 * What a provider said, without what it quotes of the customer: its words are kept in the audit trail and in events for good,
 * where no erasure reaches them. The country may stay.
 */
export function withoutQuotes(text: string, { customerEmail, shippingAddress }: Quotable): string {
  const { country: _, ...parts } = shippingAddress;
  const quotes = [customerEmail, ...Object.values(parts)]
    .filter((part): part is string => part !== undefined && part.trim().length >= SHORTEST)
    .toSorted((one, other) => other.length - one.length);
  if (quotes.length === 0) return text;
  const any = quotes.map((part) => escaped(part.trim())).join('|');
  return text.replaceAll(new RegExp(`(?<![\\p{L}\\p{N}])(?:${any})(?![\\p{L}\\p{N}])`, 'giu'), '…');
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
