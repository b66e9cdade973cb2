/** Most units that one request or one line of a file may give or take. */
export const mostUnits = 1_000_000_000;

/**
 * Most units on hand, reserved ones included: what is still to be sold (at most `mostUnits`) and what orders have
 * reserved. SQL Server's INT holds it.
 */
export const mostOnHand = 2_000_000_000;

/**
 * How a product's stock is to change:
 * - `by`: units added to what is on hand, negative: taken away;
 * - `to`: units on hand, reserved ones included; with `expected` only while that many are on hand;
 * - `available`: units that can be sold from now on; what is reserved stays reserved, beside them.
 */
export type StockChange =
  { by: number } | { to: number; expected?: number | undefined } | { available: number };

export interface Stock {
  onHand: number;
  reserved: number;
}

/** Why a stock does not change: fewer than orders have reserved, too many, or it moved since somebody looked. */
export type StockRefusal = 'below_reserved' | 'too_many' | 'moved';

export interface StockAdjustment {
  /** Absent when the stock is as asked. */
  refusal?: StockRefusal;
  /** Units on hand before. */
  from: number;
  /** Units on hand that were asked for; they are there unless it was refused. */
  to: number;
  reserved: number;
}

/** What a change makes of a stock, or why it does not. A stock that is already as asked is not refused. */
export function changedStock({ onHand, reserved }: Stock, change: StockChange): StockAdjustment {
  const to = wanted({ onHand, reserved }, change);
  const refusal = to === onHand ? undefined : refuse({ onHand, reserved }, change, to);
  return { from: onHand, to, reserved, ...(refusal && { refusal }) };
}

const wanted = ({ onHand, reserved }: Stock, change: StockChange): number => {
  if ('by' in change) return onHand + change.by;
  return 'to' in change ? change.to : change.available + reserved;
};

function refuse({ onHand, reserved }: Stock, change: StockChange, to: number): StockRefusal | undefined {
  if ('to' in change && change.expected !== undefined && change.expected !== onHand) return 'moved';
  if (to < reserved) return 'below_reserved';
  return to > mostOnHand && to > onHand ? 'too_many' : undefined;
}

/** A refusal in one sentence, for people. */
export function describeStockRefusal(
  productId: string,
  { refusal, from, to, reserved }: StockAdjustment & { refusal: StockRefusal },
): string {
  switch (refusal) {
    case 'below_reserved':
      return `${productId}: ${to} units on hand would be less than the ${reserved} that orders have reserved (${from} on hand now)`;
    case 'too_many':
      return `${productId}: expected at most ${mostOnHand} units on hand, reserved ones included, came ${to}`;
    case 'moved':
      return `${productId}: ${from} units are on hand now, other than expected: export again and set the stock anew`;
  }
}
